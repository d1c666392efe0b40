#!/bin/sh
# diffs.sh [--color] BUILD STEP [FROM]: what a step changes against the step that it came from, or
# against FROM. Both are beginnings of the steps' names: 05. Run it where steps/ stands.
set -eu
colour="cat"
if [ "$1" = --color ]; then
    colour=colour
    shift
fi
build=$1

# named STEP: the whole name.
named() {
    case $1 in [0-9]) set -- "0$1" ;; esac
    for folder in steps/"$1"*/; do
        [ -f "${folder}main.c" ] || { echo "$1: no such step in steps/" >&2; exit 2; }
        basename "$folder"
        return
    done
}

colour() {
    awk '{ printf "\033[%dm%s\033[0m\n", (/^-/ ? 31 : /^\+/ ? 32 : /^@/ ? 36 : 0), $0 }'
}

step=$(named "${2?which step?}")
if [ "${3-}" ]; then
    from=$(named "$3")
else
    [ -x "$build/$step" ] || { echo "no $build/$step: make builds it" >&2; exit 1; }
    report=$("$build/$step" report --format json)
    case $report in
    *' "rows": '*) echo "$step holds a road of its own, row by row: no step is before it"; exit ;;
    esac
    from=$(printf '%s\n' "$report" | sed -n 's/^ "from": "\(.*\)",$/\1/p')
    [ "$from" ] || { echo "$step is the first step: nothing before it"; exit; }
fi
text=$(diff -u -L "steps/$from/main.c" -L "steps/$step/main.c" \
    "steps/$from/main.c" "steps/$step/main.c") || [ $? -eq 1 ]
printf '%s\n' "$text" | $colour
