#!/bin/sh
# The steps that are one network each, a line a step, tabs between the columns: name; the step it was
# made from, or "-"; "ours" where docs has its lesson, else "own"; "paper", or "-" for a published
# network, which is the paper's without that preset; title, "-" where the program fails and has said
# why.
# usage: results/steps.sh BUILD CALLER, and in the environment STEPS="00 05" for those alone, be they
# one network or not, or OURS=1. CALLER is who complains of a step that is not there. Run it where
# steps/ stands.
set -eu
build=$1 caller=$2
for number in ${STEPS:-''}; do
    set -- steps/"$number"*/main.c
    [ -f "$1" ] || { echo "$caller: STEPS: there is no step $number in steps/" >&2; exit 2; }
    for main; do
        step=$(basename "$(dirname "$main")")
        "$build/$step" report --format json --preset small | awk -v OFS='\t' -v step="$step" \
            -v whose="$([ -f "docs/$step.md" ] && echo ours || echo own)" -v asked="$number" \
            -v ours="${OURS-}" '
            function text() { sub(/^[^:]*: "/, ""); sub(/",$/, ""); gsub(/\\"/, "\""); return $0 }
            BEGIN { from = title = "-"; paper = "paper" }
            /^ "title": "/ { title = text() }
            /^ "from": "/ { from = text() }
            /^ "published": true/ { paper = "-" }
            /^ "rows": / { road = 1 }
            END {
                if (ours ? whose == "ours" && !road : asked || !road)
                    print step, from, whose, paper, title
            }'
    done
done
