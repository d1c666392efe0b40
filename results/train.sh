#!/bin/sh
# Trains the ladder, a step after the other, and prints a table of what came out.
# usage: results/train.sh BUILD, with what is not the default in the environment:
# SEEDS="1 2 3" EPOCHS=10 STEPS="00 05" DATA=fashion-mnist TRAIN="--lr 4e-3 --layer-scale 0.1"
# FOLDER=runs/fashion-mnist-10
# A run that is complete is left alone, one that is not goes on where it stopped. What a complete run
# came to, and on what, is in its run.tsv; its time is that of all its epochs. On what is written down
# in begun.tsv when it begins; one that went on with other programs has its commit marked as changed.
set -u
build=$1
seeds=${SEEDS:-1}
epochs=${EPOCHS:-10}
data=${DATA:-fashion-mnist}
options=${TRAIN:---lr 4e-3 --layer-scale 0.1}
folder=${FOLDER:-runs/$data-$epochs}

tab=$(printf '\t')
programs=$(results/programs.sh "$build" train.sh) || exit

# The commit that is built, marked where files differ from it; the compiler; the processor and its
# widest vectors, which the order of sums and so the bits depend on.
commit() {
    git rev-parse --short=12 HEAD 2> /dev/null || { echo unknown; return; }
    git diff --quiet HEAD -- :/common :/steps :/Makefile || echo changed
}
machine() {
    compiler=$(sed 's/ .*//' "$build/flags" 2> /dev/null)
    commit | paste -s -d + | tr '\n' '\t'
    ${compiler:-cc} --version 2> /dev/null | sed -n '1{s/ *(.*)//;p;}' | tr '\n' '\t'
    sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2> /dev/null | sed 1q | tr '\n' ' '
    for vectors in avx512f avx2 asimd; do
        grep -qw "$vectors" /proc/cpuinfo 2> /dev/null && { echo "$vectors"; return; }
    done
    uname -m
}
# Of the programs as they are now: the commit may move on while they train.
machine=$(machine)

begin() {
    mkdir -p "$1"
    [ -f "$1/begun.tsv" ] && [ -f "$1/last.safetensors" ] ||
        printf '%s\n' "$machine" > "$1/begun.tsv"
    begun=$(cat "$1/begun.tsv")
    case $begun in
        "$machine" | *+changed"$tab"*) ;;
        *) printf '%s\n' "${begun%%"$tab"*}+changed$tab${begun#*"$tab"}" > "$1/begun.tsv" ;;
    esac
}

record() {
    awk -F '\t' -v OFS='\t' -v step="$1" -v seed="$2" -v machine="$(cat "$3/begun.tsv")" \
        -v threads="${OMP_NUM_THREADS:-$(nproc)}" '
        FILENAME ~ /log.tsv$/ && FNR > 1 { seconds += $7 }
        FILENAME ~ /result.tsv$/ && FNR == 2 {
            print "step", "seed", "held_out_top1", "test_top1", "test_loss", "epochs", "seconds",
                "threads", "commit", "compiler", "cpu"
            print step, seed, $3, $4, $6, $1, sprintf("%.0f", seconds), threads, machine
        }' "$3/log.tsv" "$3/result.tsv" > "$3/run.tsv.new" && mv "$3/run.tsv.new" "$3/run.tsv"
}

for seed in $seeds; do
    for program in $programs; do
        step=$(basename "$program")
        out=$folder/$step-$seed
        [ -f "$out/run.tsv" ] && continue
        echo "$step, seed $seed: $out"
        begin "$out"
        # $options is a list of words.
        # shellcheck disable=SC2086
        "$program" train --data "$data" --epochs "$epochs" --seed "$seed" --out "$out" --resume \
            $options && record "$step" "$seed" "$out" && rm "$out/begun.tsv" || exit 1
    done
done

for program in $programs; do
    for seed in $seeds; do
        out=$folder/$(basename "$program")-$seed
        awk -F '\t' -v OFS='\t' 'NR == 2 { print $1, $3, $4, $5 }' "$out/run.tsv"
    done
done | awk -F '\t' '
    # Mean and standard deviation (of n - 1) of what was added under one name.
    function spread(name, n,    mean) {
        mean = sum[name] / n
        return sprintf("%6.2f ± %.2f", mean, n > 1 ? sqrt((square[name] - n * mean * mean) / (n - 1) + 1e-12) : 0)
    }
    function add(name, value) { sum[name] += value; square[name] += value * value }
    BEGIN { printf "%-28s %5s  %-14s %-14s %s\n", "step", "seeds", "held out, %", "test, %", "test loss" }
    $1 != step && step != "" { show() }
    function show() {
        printf "%-28s %5d  %s  %s  %.4f\n", step, n, spread("held", n), spread("test", n), sum["loss"] / n
        n = 0; split("", sum); split("", square)
    }
    { step = $1; n++; add("held", $2); add("test", $3); add("loss", $4) }
    END { if (n) show() }'
