#!/bin/sh
# portability.sh [NAME…]: builds everything in build-port/NAME and runs the tests there, for each of
#   gcc-O0 … gcc-O3 clang-O0 … clang-O3   the compilers' levels, for this machine
#   gcc-11 clang-13 clang-19 …            other versions of them
#   gcc-x86-64{,-v3,-v4} clang-x86-64…    x86-64 with SSE2 and nothing newer, with AVX2, with AVX-512
#   musl                                  musl's libc, as Alpine has it
#   i686 armhf aarch64 riscv64            other processors, two of 32 bits; all but i686 by qemu-user
#   wasm                                  wasm32-wasi under node: report, forward, fit and train
#   c-code                                export --c of every step and row: gcc, clang, wasm32
#   macos-arm64 macos-x86-64              compiled and linked by zig without a warning, not run
#   same-bytes                            two steps of training by make PORTABLE=1 on all of these end
#                                         with the SHA-256 that tests/test_portable.c has
#   processor                             a program for AVX-512, started on a Haswell, says so
#   make-3.81                             macOS's make, which MAKE381 names
#   clone                                 HEAD cloned with Windows' line ends into a path with spaces
# What is not installed is skipped, with a line that says so. Called by `make portability`.
set -u
cd "$(dirname "$0")/.." || exit

make=${MAKE:-make} top=build-port failed=0 step=11_drop_path_layer_scale
all='gcc-O0 gcc-O2 gcc-O3 clang-O0 clang-O2 clang-O3 gcc-9 gcc-10 gcc-11 clang-13 clang-19'
case $(uname -m) in
    x86_64)
        for cc in gcc clang; do all="$all $cc-x86-64 $cc-x86-64-v3"; done
        ! grep -q avx512vl /proc/cpuinfo || all="$all gcc-x86-64-v4 clang-x86-64-v4"
        ;;
esac
all="$all musl i686 armhf aarch64 riscv64 wasm c-code macos-arm64 macos-x86-64 same-bytes processor make-3.81 clone"

have() { # COMMAND PACKAGE
    command -v "$1" >/dev/null || { echo "$name: skipped, no $1 (package $2)"; return 1; }
}

# WORDS…: says how it went; what it printed is kept.
attempt() {
    log=$top/$name.log start=$(date +%s)
    mkdir -p $top
    if "$@" >"$log" 2>&1; then
        echo "$name: $(grep -i 'tested' "$log" | tail -n 1 | sed 's/^\[[^]]*\] *//'; tail -n 1 "$log" |
            grep -vi 'tested'), $(($(date +%s) - start)) s"
    else
        echo "$name: FAILED, see $log" >&2
        grep -i 'fail\|error\|^bad\|warning' "$log" | tail -n 20 >&2
        failed=1
    fi
}

build() { # WORDS…: into this configuration's folder
    "$make" --no-print-directory BUILD="$top/$name" "$@"
}

native() { # CC MARCH EXTRA
    have "$1" "$1" || return 0
    attempt build CC="$1" MARCH="$2" EXTRA="$3" test
}

# A function that no header declares is an error to newer compilers than ours. The runner of
# tests/portable; what tests pages, plots and other makes is left out.
musl() {
    build CC=musl-gcc EXTRA=-Werror CRITERION=portable tests "$top/$name/faults.so" &&
        BUILD=$top/$name CC=musl-gcc "$top/$name/tests" docs results
}

# Tests and programs are linked statically and found by the programs' names in a folder of scripts
# that run them by qemu. Left out, besides: what loads a library into the program or limits its memory,
# which would be qemu's, and a program that the test itself builds. By qemu, too, what takes a minute
# or more there: whole trainings, whose parts are tested by themselves, and scripts.
other() { # TRIPLE QEMU FLAGS
    have "$1-gcc" "gcc-$1" || return 0
    [ -z "$2" ] || have "$2" qemu-user || return 0
    attempt other_tests "$@"
}

long='alter/evaluate_all alter/train_and_resume classify/names_a_test_set_as_evaluate_does
    engines/train_evaluate_and_classify_alike folder/of_shapes_is_shapes learn_example recipe/is_followed recipes
    results_launch road/rows_train steps/a_new_folder_is_a_step train/learns_shapes_and_evaluate_agrees
    train/refuses_what_would_lose_a_run tune/frozen_runs_have_the_same_bytes_stopped_or_by_any_number_of_threads
    tune/learns_other_classes_in_a_tenth_of_the_images' # under qemu

other_tests() {
    build CC="$1-gcc" MARCH= EXTRA="-static $3" CRITERION=portable tests || return 1
    run=$top/$name left=
    [ -z "$2" ] || through_qemu "$2"
    BUILD=$run CC="$1-gcc" EXTRA="-static $3" $2 "$top/$name/tests" docs results faults names $left \
        cli/too_little_memory edges/memory_is_asked_for_before_it_is_used
}

through_qemu() { # QEMU
    run=$top/$name/run
    left="c_code report/a_step_of_ones_own_is_compared_with_its_origin
        report/an_origin_that_is_not_there_is_refused grade folder/memory_is_bounded
        edges/weights_that_never_end $long"
    mkdir -p "$run"
    for program in steps/*/ speed pages; do
        program=$(basename "$program")
        printf '#!/bin/sh\nexec %s -0 "$0" "%s" "$@"\n' "$1" "$PWD/$top/$name/$program" \
            >"$run/$program"
        chmod +x "$run/$program"
    done
}

floats() { # FILE: a safetensors file's data, a number per line
    od -A n -v -t f4 -j $(($(od -A n -t u4 -N 4 "$1") + 8)) "$1" | tr -s ' ' '\n'
}

near() { # FILE FILE
    floats "$1" >"$1.txt" && floats "$2" | paste "$1.txt" - | awk '
        { d = $1 - $2; if (d < 0) d = -d; if (d > 1e-3) exit }
        END { print NR " numbers, the last two " $1 " and " $2; exit d > 1e-3 || !NR }'
}

wasm() {
    in=tests/data/steps/$step out=$top/$name
    given="--stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --weights $in/weights.safetensors \
        --classes 10 --batch $in/batch.safetensors"
    build CC='clang --target=wasm32-wasi' AR="$(clang -print-prog-name=llvm-ar)" MARCH= EXTRA=-Werror \
        "$out/$step" && "$make" BUILD="$out/native" "$out/native/$step" || return 1
    for program in "node --no-warnings tests/portable/wasi.mjs $out" $out/native; do
        program=$program/$step
        $program report >"$out/report" &&
            $program forward $given --output "$out/forward" &&
            $program fit $given --steps 2 --lr 1e-4 --weight-decay 0.05 --output "$out/fit" || return 1
        for file in report forward fit; do
            [ "$program" = "$out/native/$step" ] || mv "$out/$file" "$out/$file.wasm"
        done
    done
    node --no-warnings tests/portable/wasi.mjs "$out/$step" train --data shapes --limit 40 \
        --epochs 1 --batch-size 10 --out "$out/run" &&
        cmp "$out/report" "$out/report.wasm" && near "$out/forward" "$out/forward.wasm" &&
        near "$out/fit" "$out/fit.wasm"
}

# Each is compiled and run by each compiler that is here.
c_code() {
    build built || return 1
    networks="$(cd steps && ls -d 0?_* 1[0-2]_*) 11_drop_path_layer_scale-beside"
    for row in $(seq 0 15); do networks="$networks row-$row"; done
    for cc in gcc clang 'clang --target=wasm32-wasi'; do
        run=
        [ "${cc#*wasm}" = "$cc" ] || run='node --no-warnings tests/portable/wasi.mjs'
        for tool in "${cc%% *}" ${run:+wasm-ld node}; do
            command -v "$tool" >/dev/null || { echo "$cc: skipped, no $tool"; continue 2; }
        done
        # shellcheck disable=SC2086 # several words
        CC=$cc RUN=$run tests/c_code.sh "$top/$name" "$top/$name/c" $networks || return 1
        echo "$cc: tested: $(echo $networks | wc -w) networks"
    done
}

same_bytes() {
    differs=0 builds=0 v4=
    ! grep -q avx512vl /proc/cpuinfo || v4=x86-64-v4
    case $(uname -m) in x86_64) levels="x86-64 x86-64-v3 $v4" ;; *) levels=native ;; esac
    for cpu in aarch64 riscv64; do
        digests $cpu qemu-$cpu CC=$cpu-linux-gnu-gcc MARCH= EXTRA=-static
    done
    digests wasm 'node --no-warnings tests/portable/wasi.mjs' CC='clang --target=wasm32-wasi' \
        AR="$(clang -print-prog-name=llvm-ar)" MARCH=
    digests musl '' CC=musl-gcc
    digests gcc-O0 '' CC=gcc EXTRA=-O0
    for cc in clang gcc; do
        for level in $levels; do digests "$cc-$level" '' CC=$cc MARCH="$level"; done
    done
    echo "tested: $builds builds"
    return $differs
}

# NAME RUN CC=… WORDS…: what the runs of tests/test_portable.c end with in a build of these.
digests() {
    out=$top/$name/$1 what=$1 run=$2 cc=${3#CC=}
    shift 2
    for tool in ${run%% *} ${cc%% *}; do
        command -v "$tool" >/dev/null || { echo "$what: skipped, no $tool"; return; }
    done
    "$make" --no-print-directory PORTABLE=1 BUILD="$out" "$@" "$out/00_resnet" "$out/$step" || differs=1
    for words in '00_resnet train' "$step train --drop-path 0.2"; do
        rm -rf "$out/run"
        # shellcheck disable=SC2086 # several words
        digest=$($run "$out/"$words --data shapes --limit 40 --epochs 1 --batch-size 16 --mixup \
            --cutmix --ema 0.9 --seed 3 --stem 8 --widths 8,16,24,32 --depths 1,1,2,1 \
            --out "$out/run" | sed -n 's/^sha256 of the weights: //p')
        echo "$what, $words: $digest"
        grep -q "\"${digest:-none}\"" tests/test_portable.c || { echo "bad: $what"; differs=1; }
    done
    builds=$((builds + 1))
}

macos() { # TARGET
    zig=${ZIG:-$(command -v zig)}
    [ -n "$zig" ] || { echo "$name: skipped, no zig (ZIG='python3 -m ziglang')"; return 0; }
    attempt macos_build "$1"
}

macos_build() {
    build CC="$zig cc -target $1" AR="$zig ar" MARCH= EXTRA=-Werror CRITERION=portable tests &&
        echo 'all programs and tests linked'
}

processor() {
    build MARCH=x86-64-v4 "$top/$name/$step" || return 1
    qemu-x86_64 -cpu Haswell "$top/$name/$step" report 2>"$top/$name/said"
    [ $? -eq 1 ] && grep 'AVX-512' "$top/$name/said"
}

old_make() (
    make=${MAKE381:-make-3.81}
    unset MAKEFLAGS MFLAGS MAKELEVEL # a newer make's options mean others to it
    build all && build diff && build test
)

# Of what is committed.
clone() {
    rm -rf "$top/a clone"
    git -c core.autocrlf=true clone -q . "$top/a clone" && cd "$top/a clone" &&
        "$make" --no-print-directory && "$make" --no-print-directory test
    status=$?
    cd - >/dev/null
    return $status
}

for name in ${@:-$all}; do
    case $name in
        gcc-O? | clang-O?) native "${name%-O?}" native "-${name##*-}" ;;
        gcc-x86-64* | clang-x86-64*) native "${name%%-*}" "${name#*-}" '' ;;
        gcc-* | clang-*) native "$name" native '' ;;
        musl) ! have musl-gcc musl-tools || attempt musl ;;
        i686) other i686-linux-gnu '' '-msse2 -mfpmath=sse' ;;
        armhf) other arm-linux-gnueabihf qemu-arm '' ;;
        aarch64 | riscv64) other "$name-linux-gnu" "qemu-$name" '' ;;
        wasm) ! { have wasm-ld lld && have node nodejs; } || attempt wasm ;;
        c-code) attempt c_code ;;
        macos-arm64) macos aarch64-macos ;;
        macos-x86-64) macos x86_64-macos ;;
        same-bytes) attempt same_bytes ;;
        processor) ! have qemu-x86_64 qemu-user || attempt processor ;;
        make-3.81) ! have "${MAKE381:-make-3.81}" make-3.81 || attempt old_make ;;
        clone) ! have git git || attempt clone ;;
        *) echo "$name: no such configuration" >&2; exit 2 ;;
    esac
done
exit $failed
