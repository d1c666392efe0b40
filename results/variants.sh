#!/bin/sh
# Builds variants of steps: each is a step's main.c with one more edit, to find what makes a difference.
# usage: results/variants.sh BUILD [make's variables]
# Reads results/variants.tsv (the variant's name, its step, the edit as sed takes it) and leaves a tree
# that make and the scripts of results work in as they do here: BUILD/variants, with its programs in
# BUILD/variants/build. Run it where steps/ stands.
set -eu
root=$(pwd -P)
tree=$1/variants
shift
rm -rf "$tree/steps"
mkdir -p "$tree/steps"
for shared in Makefile common results; do
    ln -sfn "$root/$shared" "$tree/$shared"
done
tab=$(printf '\t')
sed 1d results/variants.tsv | while IFS=$tab read -r variant step edit; do
    mkdir -p "$tree/steps/$variant"
    sed "$edit" "steps/$step/main.c" > "$tree/steps/$variant/main.c.new"
    if cmp -s "steps/$step/main.c" "$tree/steps/$variant/main.c.new"; then
        echo "variants.sh: $variant: the edit changes nothing in steps/$step/main.c" >&2
        exit 1
    fi
    mv "$tree/steps/$variant/main.c.new" "$tree/steps/$variant/main.c"
done
programs=$(sed 1d results/variants.tsv | cut -f 1 | sed 's,^,build/,')
# $programs is a list of words.
# shellcheck disable=SC2086
make -C "$tree" --no-print-directory BUILD=build "$@" $programs
