#!/bin/sh
# Writes the tables of docs/speed.md again, between its markers. Run it where steps/ stands.
set -eu

page=${1:-docs/speed.md}
new=$page.$$
trap 'rm -f "$new"' EXIT
while IFS= read -r line; do
    case $line in
    '<!-- end generated -->') inside= ;;
    esac
    [ "${inside-}" ] || printf '%s\n' "$line"
    case $line in
    '<!-- begin generated: kernels '*)
        name=${line#<!-- begin generated: kernels }
        results/kernels.sh --markdown results/kernels.tsv "${name% -->}"
        inside=1
        ;;
    '<!-- begin generated: speed -->')
        results/speed.sh --markdown results/speed.tsv
        inside=1
        ;;
    '<!-- begin generated: peers -->')
        results/peers.sh --markdown results/peers.tsv
        inside=1
        ;;
    esac
done < "$page" > "$new"
cmp -s "$new" "$page" || mv "$new" "$page"
