#!/usr/bin/env bash
# portability.sh [NAME…]: builds everything in build-port/NAME and runs all tests there, for each of
#   gcc-O0 gcc-O2 gcc-O3 clang-O0 clang-O2 clang-O3   the compilers' levels, for this machine
#   gcc-x86-64 clang-x86-64                           SSE2 and nothing newer
#   gcc-x86-64-v3 clang-x86-64-v3                     AVX2 and FMA, what `make` would ship
#   gcc-aarch64                                       NEON, under qemu-user
# What is not installed is skipped, with a line that says so. Called by `make portability`.
set -uo pipefail
cd "$(dirname "$0")/.."

make=${MAKE:-make} top=build-port failed=0
all=(gcc-O0 gcc-O2 gcc-O3 clang-O0 clang-O2 clang-O3)
case $(uname -m) in x86_64) all+=({gcc,clang}-x86-64{,-v3}) ;; esac
all+=(gcc-aarch64)

have() { # COMMAND PACKAGE
    command -v "$1" >/dev/null || { echo "$name: skipped, no $1 (apt-get install $2)"; return 1; }
}

# WORDS…: says how it went; what it printed is kept.
attempt() {
    local log=$top/$name.log start=$SECONDS
    mkdir -p $top
    if "$@" >"$log" 2>&1; then
        echo "$name: $(grep -i 'tested' "$log" | tail -n 1 | sed 's/^\[[^]]*\] *//'), $((SECONDS - start)) s"
    else
        echo "$name: FAILED, see $log" >&2
        grep -i 'fail\|error' "$log" | tail -n 20 >&2
        failed=1
    fi
}

native() { # CC MARCH EXTRA
    have "$1" "$1" || return 0
    attempt "$make" --no-print-directory CC="$1" MARCH="$2" EXTRA="$3" BUILD=$top/"$name" test
}

# Tests and programs are linked statically and found by the programs' names in a folder of scripts
# that run them by qemu. Left out: what loads a library into the program or limits its memory, which
# would be qemu's, and what tests pages and plots.
aarch64() {
    have aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu || return 0
    have qemu-aarch64-static qemu-user-static || return 0
    attempt aarch64_tests
}

aarch64_tests() {
    local build=$top/$name program
    "$make" --no-print-directory CC=aarch64-linux-gnu-gcc MARCH=armv8-a BUILD="$build" \
        EXTRA='-static -Itests/portable' portable || return 1
    mkdir -p "$build/run"
    for program in steps/*/ speed; do
        program=$(basename "$program")
        printf '#!/bin/sh\nexec qemu-aarch64-static -0 "$0" %s "$@"\n' "$PWD/$build/$program" \
            >"$build/run/$program"
    done
    chmod +x "$build"/run/*
    BUILD=$build/run qemu-aarch64-static "$build/portable-tests" docs results faults \
        cli/too_little_memory edges/memory_is_asked_for_before_it_is_used
}

for name in "${@:-${all[@]}}"; do
    case $name in
        gcc-O? | clang-O?) native "${name%-O?}" native "-${name##*-}" ;;
        gcc-aarch64) aarch64 ;;
        gcc-x86-64* | clang-x86-64*) native "${name%%-*}" "${name#*-}" '' ;;
        *) echo "$name: no such configuration" >&2; exit 2 ;;
    esac
done
exit $failed
