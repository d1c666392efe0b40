#!/bin/sh
# Trains the ladder, a step after the other, and prints a table of what came out.
# usage: results/train.sh BUILD, with what is not the default in the environment:
# SEEDS="1 2 3" EPOCHS=10 STEPS="00 05" DATA=fashion-mnist TRAIN="--lr 4e-3 --layer-scale 0.1" RUNS=runs
# A run that is complete is left alone, one that is not goes on where it stopped.
set -u
build=$1
seeds=${SEEDS:-1}
epochs=${EPOCHS:-10}
data=${DATA:-fashion-mnist}
options=${TRAIN:---lr 4e-3 --layer-scale 0.1}
folder=${RUNS:-runs}/$data-$epochs

programs=
for number in ${STEPS:-$(ls steps | cut -c 1-2)}; do
    found=
    for program in "$build/${number}_"*; do
        [ -x "$program" ] && [ -f "$program" ] && found=$program
    done
    [ -n "$found" ] || { echo "train.sh: STEPS: there is no step $number in $build" >&2; exit 2; }
    programs="$programs $found"
done

for seed in $seeds; do
    for program in $programs; do
        out=$folder/$(basename "$program")-$seed
        [ -f "$out/result.tsv" ] && continue
        echo "$(basename "$program"), seed $seed: $out"
        # $options is a list of words.
        # shellcheck disable=SC2086
        "$program" train --data "$data" --epochs "$epochs" --seed "$seed" --out "$out" --resume \
            $options || exit 1
    done
done

for program in $programs; do
    for seed in $seeds; do
        out=$folder/$(basename "$program")-$seed
        awk -F '\t' -v OFS='\t' -v step="$(basename "$program")" \
            'NR == 2 { print step, $3, $4, $6 }' "$out/result.tsv"
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
