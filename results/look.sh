#!/bin/sh
# What trained networks look at: look.sh BUILD RUNS FOLDER writes into FOLDER field_before.tsv and
# field_after.tsv, the effective receptive fields of stage 3 in steps 04 and 05, and filters.tsv, the
# stems' filters of steps 00 and 02, from the first seed's best weights in RUNS. Weights that are not
# there leave the table as it is.
set -eu

best() {
    printf '%s\n' "$2/$1"-*/best.safetensors | sed 1q
}

for pair in 04_inverted_bottleneck:before 05_large_kernel:after; do
    step=${pair%:*}
    weights=$(best "$step" "$2")
    if [ -f "$weights" ]; then
        "$1/$step" field --weights "$weights" --data fashion-mnist --stage 3 \
            --output "$3/field_${pair#*:}.tsv"
    else
        echo "look.sh: $weights: not there, so no field of $step" >&2
    fi
done

new=$3/filters.tsv.$$
trap 'rm -f "$new" "$new.one"' EXIT
printf 'step\tfilter\tchannel\ty\tx\tweight\n' > "$new"
for step in 00_resnet 02_patchify_stem; do
    weights=$(best "$step" "$2")
    if [ ! -f "$weights" ]; then
        echo "look.sh: $weights: not there, so no filters" >&2
        exit
    fi
    "$1/$step" filters --weights "$weights" --output "$new.one"
    awk -v OFS='\t' -v step="$step" 'NR > 1 { print step, $0 }' "$new.one" >> "$new"
done
mv "$new" "$3/filters.tsv"
