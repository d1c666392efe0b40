#!/bin/sh
# Trains the ladder, a step after the other, and prints a table of what came out.
#
# usage: results/train.sh [--list] [BUILD], with what is not the default in the environment:
# SEEDS="1 2 3" EPOCHS=10 STEPS="00 05" DATA=fashion-mnist TRAIN="--lr 4e-3 --layer-scale 0.1"
# FOLDER=runs/fashion-mnist-10 LAUNCH="parallel -j 4" (STEPS=ours: those that have a lesson).
# --list prints the runs as commands, a line for the shell per run, and trains none. LAUNCH gets
# these lines on its standard input; results/slurm.sh makes an array of jobs of them. Run it where
# steps/ stands.
#
# A run that is complete is left alone, one that is not goes on where it stopped. Where the network,
# the data or the recipe have changed since (made_of.txt), it is trained again in FOLDER/new, and only
# when that is complete it takes its place and the run before moves to FOLDER/old, under a number
# where one is there. Two calls never train the same step and seed in a FOLDER (STEP-SEED.lock).
# The library alone may change, which is said. What a complete run came to, and on what, is in
# its run.tsv; its time is that of all its epochs. On what is written down in begun.tsv when it begins;
# one that went on with other programs, or of files that are in no commit, has its commit marked.
set -u
mode=
case ${1-} in --run | --list) mode=$1 && shift ;; esac
build=${1:-${BUILD:-build}}
data=${DATA:-fashion-mnist} epochs=${EPOCHS:-10} options=${TRAIN:---lr 4e-3 --layer-scale 0.1}
# A folder's run goes by the folder's own name, as in train.
name=$data
case $data in folder:*) name=$(cd "${data#folder:}" 2> /dev/null && pwd) && name=${name##*/} || name=folder ;; esac
folder=${FOLDER:-runs/$name-$epochs}
tab=$(printf '\t')
library=$(cat common/*/*.[ch] | cksum)

# machine STEP: the commit that is built, marked where files differ from it; the compiler; the
# processor.
machine() {
    set -- ":/steps/$1"
    # A variant is made of a step and results/variants.tsv.
    [ -d "$(git rev-parse --show-toplevel 2> /dev/null)/steps/${1#:/steps/}" ] ||
        set -- :/steps :/results/variants.tsv
    commit=$(git rev-parse --short=12 HEAD 2> /dev/null) || commit=unknown
    [ -z "$(git status --porcelain -- :/common :/Makefile "$@" 2> /dev/null)" ] ||
        commit=$commit+changed
    compiler=$(sed 's/ .*//' "$build/flags" 2> /dev/null)
    printf '%s\t%s\t%s\n' "$commit" \
        "$(${compiler:-cc} --version 2> /dev/null | sed -n '1{s/ *(.*)//;p;}')" "$(results/cpu.sh)"
}

# made_of STEP: sets `made` to what decides what a run comes to, and takes from the options what this
# network has nothing of. Where a layer is called, and what a step is called, makes no difference.
made_of() {
    row=$(printf '%s\n' "$options" | sed -n 's/.*--row[ =]\([^ ]*\).*/--row=\1/p')
    report=$("$build/$1" report --format json --preset small ${row:+"$row"}) || exit 1
    for option in layer-scale drop-path; do
        case $report in *"\"op\": \"$(echo $option | tr - _)\""*) continue ;; esac
        options=$(printf '%s\n' "$options" | sed "s/--${option}[ =][^ ]*//; s/^ *//; s/ *\$//")
    done
    weights=$(printf '%s\n' "$options" | sed -n 's/.*--weights[ =]\([^ ]*\).*/\1/p')
    made="network $(printf '%s\n' "$report" | sed 's/, "at": .*//; /^ "step": /d; /^ "title": /d
        /^ "from": /d; /_bytes": /d' | cksum), data $data, epochs $epochs, options $options"
    [ ! -f "$weights" ] || made="$made, weights $(cksum < "$weights")"
}

record() {
    awk -F '\t' -v OFS='\t' -v step="$1" -v seed="$2" -v machine="$(cat "$3/begun.tsv")" \
        -v threads="${OMP_NUM_THREADS:-$(nproc 2> /dev/null || getconf _NPROCESSORS_ONLN)}" '
        FILENAME ~ /log.tsv$/ && FNR > 1 { seconds += $7 }
        FILENAME ~ /result.tsv$/ && FNR == 2 {
            print "step", "seed", "held_out_top1", "test_top1", "test_loss", "epochs", "seconds",
                "threads", "commit", "compiler", "cpu"
            print step, seed, $3, $4, $6, $1, sprintf("%.0f", seconds), threads, machine
        }' "$3/log.tsv" "$3/result.tsv" > "$3/run.tsv.new" && mv "$3/run.tsv.new" "$3/run.tsv"
}

# made_so FOLDER: what is there is of this network, data and recipe, as far as is known.
made_so() {
    [ ! -f "$1/made_of.txt" ] || [ "$made" = "$(sed 1q "$1/made_of.txt")" ]
}

is_complete() {
    [ -f "$1/run.tsv" ] && made_so "$1"
}

# begun FOLDER: a run is there that would be missed.
begun() {
    [ -f "$1/run.tsv" ] || [ -f "$1/result.tsv" ] || [ -f "$1/last.safetensors" ]
}

# Another user's process takes no signal, but is there.
alive() {
    kill -0 "$1" 2> /dev/null || [ -d "/proc/$1" ] || ps -p "$1" > /dev/null 2>&1
}

# left_behind HOST PROCESS JOB: by a call that was killed, or by a job of Slurm that was, which is this
# one, started again on another node.
left_behind() {
    if [ "$1" = "$(uname -n)" ]; then
        ! alive "$2"
    else
        [ "${SLURM_RESTART_COUNT:-0}" != 0 ] && [ "$3" = "$SLURM_JOB_ID" ]
    fi
}

# hold FILE WHAT: makes the file, with this process in it, or ends where another call has it.
hold() {
    until (set -C && echo "$(uname -n) $$ ${SLURM_JOB_ID:--}" > "$1") 2> /dev/null; do
        [ -f "$1" ] || { echo "train.sh: $1: cannot be written" >&2; exit 1; }
        read -r host process job < "$1"
        left_behind "$host" "$process" "$job" || {
            echo "train.sh: $2: another call trains it (process $process on $host);" \
                "where that is not so, remove $1" >&2
            exit 1
        }
        rm -f "$1"
    done
    lock=$1
}

# A call that the program refused leaves nothing behind.
lock='' work=''
leave() {
    if [ "$work" ] && begun "$work"; then
        [ -f "$work/run.tsv" ] || echo "train.sh: $work: make train, set as before, calls it with --resume" >&2
    elif [ "$work" ]; then
        rm -f "$work/begun.tsv" "$work/made_of.txt"
        rmdir "$work" "$folder/new" 2> /dev/null
    fi
    [ ! "$lock" ] || { rm -f "$lock"; rmdir "$folder" 2> /dev/null; }
}

# replace OUT: moves a complete run to where it belongs, and one that is there aside.
replace() {
    rmdir "$1" 2> /dev/null
    if [ -e "$1" ]; then
        # The programs lock the folder that they train in.
        if command -v flock > /dev/null && ! flock -n "$1" true; then
            echo "train.sh: $1: is trained in: $work stays where it is until it is called again" >&2
            exit 1
        fi
        old=$folder/old/${1##*/} number=1
        while [ -e "$old" ]; do
            number=$((number + 1))
            old=$folder/old/${1##*/}-$number
        done
        mkdir -p "$folder/old" && mv "$1" "$old" || exit 1
    fi
    mv "$work" "$1" || exit 1
    work=$1
    rmdir "$folder/new" 2> /dev/null
}

# run STEP SEED
run() {
    out=$folder/$1-$2
    made_of "$1"
    ! is_complete "$out" || return 0
    mkdir -p "$folder" || exit 1
    hold "$out.lock" "$1, seed $2"
    ! is_complete "$out" || return 0
    new=$folder/new/$1-$2-$(printf '%s\n' "$made" | cksum | sed 's/ .*//')
    if begun "$out" && ! made_so "$out"; then
        echo "$1, seed $2: network, data or recipe have changed: trained again; when that is" \
            "complete the run before moves to $folder/old"
        work=$new
    elif [ -d "$new" ] && ! begun "$out"; then
        work=$new
    else
        work=$out
    fi
    is_complete "$work" || train "$1" "$2" || exit
    [ "$work" = "$out" ] || replace "$out"
}

# train STEP SEED: in $work.
train() {
    echo "$1, seed $2: $work"
    # Another call may remove FOLDER/new, empty, in between.
    mkdir -p "$work" 2> /dev/null || mkdir -p "$work" || exit 1
    now=$(machine "$1")
    if [ ! -f "$work/begun.tsv" ] || [ ! -f "$work/last.safetensors" ]; then
        printf '%s\n' "$now" > "$work/begun.tsv"
        printf '%s\n' "$made" "$library" > "$work/made_of.txt"
    fi
    since=$(cat "$work/begun.tsv")
    case $since in
    "$now" | *+changed"$tab"*) ;;
    *) printf '%s\n' "${since%%"$tab"*}+changed$tab${since#*"$tab"}" > "$work/begun.tsv" ;;
    esac
    resume=
    for file in "$work"/*; do
        case ${file##*/} in begun.tsv | made_of.txt) ;; *) resume=--resume ;; esac
    done
    # $options is a list of words.
    # shellcheck disable=SC2086
    "$build/$1" train --data "$data" --epochs "$epochs" --seed "$2" --out "$work" $resume $options &&
        record "$1" "$2" "$work" && rm "$work/begun.tsv"
}

if [ "$mode" = --run ]; then
    trap leave EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    run "$2" "$3"
    exit
fi

# shellcheck disable=SC2086 # a list of words
steps=$("$build/pages" steps ${STEPS-}) || exit
steps=$(printf '%s\n' "$steps" | cut -f 1)
case ${SEEDS-} in *[![:space:]0-9]*) echo "train.sh: SEEDS: '$SEEDS' is no list of numbers" >&2; exit 2 ;; esac
list() {
    for seed in ${SEEDS:-1}; do
        for step in $steps; do
            DATA=$data EPOCHS=$epochs TRAIN=$options FOLDER=$folder "$build/pages" line "$PWD" DATA \
                EPOCHS TRAIN FOLDER OMP_NUM_THREADS FASHION_MNIST CIFAR10 CIFAR100 -- \
                results/train.sh --run "$build" "$step" "$seed" || exit
        done
    done
}
[ "$mode" != --list ] || { list; exit; }

# What ends this call ends what it started.
# shellcheck disable=SC2086 # a list of words
list | "$build/pages" launch ${LAUNCH:-sh -e} &
child=$!
trap 'kill "$child"; wait "$child"; exit 143' HUP INT TERM
wait "$child" || exit 1
trap - HUP INT TERM

# A run that is there but of another recipe is not what was asked for.
old=0
set --
for step in $steps; do
    made=$(made_of "$step" && printf '%s\n' "$made")
    for seed in ${SEEDS:-1}; do
        run=$folder/$step-$seed
        is_complete "$run" || continue
        set -- "$@" "$run/run.tsv"
        [ ! -f "$run/made_of.txt" ] || [ "$library" = "$(sed -n 2p "$run/made_of.txt")" ] ||
            old=$((old + 1))
    done
done
[ $# -eq 0 ] || {
    sed 1q "$1"
    for run; do sed 1d "$run"; done
} | "$build/pages" runs -
[ $old -eq 0 ] || echo "The library (common/) has changed since $old of these runs: to train one" \
    "again, remove its folder."
