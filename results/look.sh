#!/bin/sh
# What trained networks look at: look.sh BUILD RUNS FOLDER writes into FOLDER field_before.tsv and
# field_after.tsv, the effective receptive fields of stage 3 in steps 04 and 05, and filters.tsv, the
# stems' filters of steps 00 and 02, from the first seed's best weights in RUNS. Where weights are not
# there it says so and leaves the table as it is.
set -eu

# weights STEP RUNS FOLDER: sets best to the first seed's.
weights() {
    best=$(printf '%s\n' "$2/$1"-*/best.safetensors | sed 1q)
    [ -f "$best" ] || { echo "look.sh: $best: not there (make results trains them): what $3 has of $1 stays as it is" >&2; return 1; }
}

for pair in 04_inverted_bottleneck:before 05_large_kernel:after; do
    ! weights "${pair%:*}" "$2" "$3" || "$1/${pair%:*}" field --weights "$best" --data fashion-mnist \
        --stage 3 --output "$3/field_${pair#*:}.tsv"
done

new=$3/filters.tsv.$$
trap 'rm -f "$new" "$new.one"' EXIT
printf 'step\tfilter\tchannel\ty\tx\tweight\n' > "$new"
for step in 00_resnet 02_patchify_stem; do
    weights "$step" "$2" "$3" || exit 0
    "$1/$step" show --weights "$best" --format tsv > "$new.one"
    awk -v OFS='\t' -v step="$step" 'NR > 1 { print step, $0 }' "$new.one" >> "$new"
done
mv "$new" "$3/filters.tsv"
