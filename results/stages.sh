#!/bin/sh
# Where a network's parameters and multiply-accumulates are: stages.sh BUILD FILE writes a line a
# step and part (stem, stage1 to stage4, head) of the paper's network, tabs between the columns. What
# stands between two stages belongs to the later one. Run it where steps/ stands.
set -eu
new=$2.$$
trap 'rm -f "$new"' EXIT
{
    printf 'step\tpart\tparameters\tmacs\n'
    for main in $(grep -L '\.rows = ' steps/*/main.c); do
        step=$(basename "$(dirname "$main")")
        preset='--preset paper'
        # A published network has no presets: it is the paper's as it is.
        # shellcheck disable=SC2086
        "$1/$step" report $preset > /dev/null 2>&1 || preset=
        # shellcheck disable=SC2086
        "$1/$step" report --format tsv $preset | awk -F '\t' -v step="$step" '
            NR == 1 || $1 == "total" { next }
            {
                part = "head"
                if (match($1, /stages\.[0-3]\./) || match($1, /downsample_layers\.[1-3]\./))
                    part = "stage" substr($1, RSTART + RLENGTH - 2, 1) + 1
                else if ($1 ~ /stem|downsample_layers/)
                    part = "stem"
                parameters[part] += $4
                macs[part] += $5
            }
            END {
                n = split("stem stage1 stage2 stage3 stage4 head", parts, " ")
                for (i = 1; i <= n; i++)
                    printf "%s\t%s\t%.0f\t%.0f\n", step, parts[i], parameters[parts[i]], macs[parts[i]]
            }'
    done
} > "$new"
mv "$new" "$2"
