#!/bin/sh
# Trains the ladder, a step after the other, and prints a table of what came out.
#
# usage: results/train.sh BUILD, with what is not the default in the environment:
# SEEDS="1 2 3" EPOCHS=10 STEPS="00 05" DATA=fashion-mnist TRAIN="--lr 4e-3 --layer-scale 0.1"
# FOLDER=runs/fashion-mnist-10 LAUNCH="parallel -j 4"
# LAUNCH gets a line for the shell for each run on its standard input; `tee jobs` and an array of jobs
# that take a line each run them elsewhere. Run it where steps/ stands.
#
# A run that is complete is left alone, one that is not goes on where it stopped. Where the network,
# the data or the recipe have changed since (made_of.txt), the run moves to FOLDER/old and is trained
# again; the library alone may change, which is said. What a complete run came to, and on what, is in
# its run.tsv; its time is that of all its epochs. On what is written down in begun.tsv when it begins;
# one that went on with other programs, or of files that are in no commit, has its commit marked.
set -u
one=
if [ "$1" = --run ]; then
    one=1
    shift
fi
build=$1
data=${DATA:-fashion-mnist} epochs=${EPOCHS:-10} options=${TRAIN:---lr 4e-3 --layer-scale 0.1}
folder=${FOLDER:-runs/$data-$epochs}
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
    report=$("$build/$1" report --format json --preset small) || exit 1
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

# run STEP SEED
run() {
    out=$folder/$1-$2
    made_of "$1"
    if [ -f "$out/made_of.txt" ] && [ "$made" != "$(sed 1q "$out/made_of.txt")" ]; then
        echo "$1, seed $2: network, data or recipe have changed: trained again, the run before is" \
            "in $folder/old"
        rm -rf "$folder/old/$1-$2"
        mkdir -p "$folder/old"
        mv "$out" "$folder/old" || exit 1
    fi
    [ ! -f "$out/run.tsv" ] || return 0
    echo "$1, seed $2: $out"
    mkdir -p "$out" || exit 1
    now=$(machine "$1")
    if [ ! -f "$out/begun.tsv" ] || [ ! -f "$out/last.safetensors" ]; then
        printf '%s\n' "$now" > "$out/begun.tsv"
        printf '%s\n' "$made" "$library" > "$out/made_of.txt"
    fi
    begun=$(cat "$out/begun.tsv")
    case $begun in
    "$now" | *+changed"$tab"*) ;;
    *) printf '%s\n' "${begun%%"$tab"*}+changed$tab${begun#*"$tab"}" > "$out/begun.tsv" ;;
    esac
    # $options is a list of words.
    # shellcheck disable=SC2086
    "$build/$1" train --data "$data" --epochs "$epochs" --seed "$2" --out "$out" --resume $options &&
        record "$1" "$2" "$out" && rm "$out/begun.tsv"
}

if [ "$one" ]; then
    run "$2" "$3"
    exit
fi

# quoted TEXT…: as the shell reads it back.
quoted() {
    for word; do
        printf "'%s' " "$(printf '%s\n' "$word" | sed "s/'/'\\\\''/g")"
    done
}

steps=$(results/steps.sh "$build" train.sh) || exit
steps=$(printf '%s\n' "$steps" | cut -f 1)
for seed in ${SEEDS:-1}; do
    for step in $steps; do
        printf '%s\n' "cd $(quoted "$PWD")&& env $(quoted DATA="$data" EPOCHS="$epochs" \
            TRAIN="$options" FOLDER="$folder" results/train.sh --run "$build" "$step" "$seed")< /dev/null"
    done
done | ${LAUNCH:-sh -e} || exit 1

for step in $steps; do
    for seed in ${SEEDS:-1}; do
        [ ! -f "$folder/$step-$seed/run.tsv" ] || sed -n 2p "$folder/$step-$seed/run.tsv"
        [ ! -f "$folder/$step-$seed/made_of.txt" ] ||
            [ "$library" = "$(sed -n 2p "$folder/$step-$seed/made_of.txt")" ] || echo old
    done
done | awk -F '\t' "$(cat results/spread.awk)"'
    function cell(name) {
        return sprintf("%6.2f", mean(name)) \
            (n[name] > 1 ? sprintf(" ± %.2f", root(variance(name))) : "       ")
    }
    /^old$/ { old++; next }
    !($1 in n) { step[++steps] = $1; n[$1] = 0 }
    { add($1 " held", $3); add($1 " test", $4); add($1, $5) }
    END {
        printf "%-28s %5s  %-14s %-14s %s\n", "step", "seeds", "held out, %", "test, %", "test loss"
        for (i = 1; i <= steps; i++)
            printf "%-28s %5d  %s  %s  %.4f\n", step[i], n[step[i]], cell(step[i] " held"),
                cell(step[i] " test"), mean(step[i])
        if (old)
            print "The library (common/) has changed since " old " of these runs: to train one again," \
                " remove its folder."
    }'
