#!/bin/sh
# Builds variants of steps: each is a step's main.c with one more edit, to find what makes a difference.
# usage: results/variants.sh BUILD [make's variables]
# Reads results/variants.tsv (the variant's name, its step, the edit as sed takes it) and leaves a tree
# that make and the scripts of results work in as they do here: BUILD/variants, with its programs in
# BUILD/variants/build. Run it where steps/ stands.
set -eu
root=$(pwd -P) tree=$1/variants build=$(cd "$1" && pwd -P) tab=$(printf '\t')
shift
rm -rf "$tree/steps"
mkdir -p "$tree/steps" "$tree/build"
for shared in Makefile common results; do
    rm -f "$tree/$shared"
    ln -s "$root/$shared" "$tree/$shared"
done
rm -f "$tree/build/pages"
ln -s "$build/pages" "$tree/build/pages"
sed 1d results/variants.tsv | while IFS=$tab read -r variant step edit; do
    mkdir -p "$tree/steps/$variant"
    sed "$edit" "steps/$step/main.c" > "$tree/steps/$variant/main.c"
    ! cmp -s "steps/$step/main.c" "$tree/steps/$variant/main.c" || {
        echo "variants.sh: $variant: the edit changes nothing in steps/$step/main.c" >&2
        exit 1
    }
done
# shellcheck disable=SC2046 # a list of words
make -C "$tree" --no-print-directory BUILD=build "$@" \
    $(sed '1d; s,^,build/,' results/variants.tsv | cut -f 1)
