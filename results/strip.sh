#!/bin/sh
# One test image under every alteration, and what trained networks take it for: strip.sh BUILD IMAGE writes
# results/strip.tsv (alteration, y, x, value) and results/strip_answers.tsv (alteration, step, class, per cent).
#
# IMAGE is its place, from 0 to 15, among the first sixteen images of Fashion-MNIST's test set; the networks are
# those of results/weights. What is drawn at random differs from evaluate's, which has the test set's own numbers.
set -eu
build=$1 image=$2 tab=$(printf '\t')
for from in "${FASHION_MNIST:-data/fashion-mnist}" /usr/share/datasets/fashion-mnist; do
    [ ! -d "$from" ] || break
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM
# A data set whose training images are the test images, so that data shows these.
for kind in images-idx3 labels-idx1; do
    for end in ubyte ubyte.gz; do
        [ ! -f "$from/t10k-$kind-$end" ] || for part in train t10k; do
            ln -s "$(cd "$from" && pwd)/t10k-$kind-$end" "$work/$part-$kind-$end"
        done
    done
done
printf 'alteration\ty\tx\tvalue\n' > "$work/strip.tsv"
printf 'alteration\tstep\tclass\tpercent\n' > "$work/answers.tsv"
for alteration in clean noise:16 noise:32 noise:64 blur:3 bright:64 dark:0.5 dark:0.25 grey:0.5 gamma:0.5 gamma:2 \
    invert box:10 shift:4 shift:6; do
    alter="--alter $alteration" row=1
    [ "$alteration" != clean ] || alter='' row=0
    # shellcheck disable=SC2086 # two words or none
    FASHION_MNIST=$work "$build/00_resnet" data fashion-mnist $alter --output "$work/sheet.pgm" > /dev/null
    # A tile of 28x28 between gaps of 2, behind a header of three lines.
    od -An -v -tu1 "$work/sheet.pgm" | tr -s ' ' '\n' | sed '/^$/d' | awk -v image="$image" -v row="$row" '
        lines < 3 { if ($1 == 10) lines++; else if (lines == 1) size = size sprintf("%c", $1); next }
        at == 0 { split(size, side, " ") }
        {
            y = int(at / side[1]) - 2 - 30 * row
            x = at % side[1] - 2 - 30 * image
            if (y >= 0 && y < 28 && x >= 0 && x < 28)
                print y "\t" x "\t" $1
            at++
        }' > "$work/tile"
    sed "s/^/$alteration$tab/" "$work/tile" >> "$work/strip.tsv"
    { printf 'P2\n28 28\n255\n'; cut -f 3 "$work/tile"; } > "$work/tile.pgm"
    for weights in results/weights/*.safetensors; do
        step=$(basename "$weights" .safetensors)
        "$build/$step" classify "$work/tile.pgm" --weights "$weights" --top 1 --format tsv > "$work/answer"
        awk -F '\t' -v OFS='\t' -v alteration="$alteration" -v step="$step" \
            'NR == 2 { print alteration, step, $5, 100 * $3 }' "$work/answer" >> "$work/answers.tsv"
    done
done
mv "$work/strip.tsv" results/strip.tsv
mv "$work/answers.tsv" results/strip_answers.tsv
