#!/bin/sh
# What a step changes against the step before it.
#
#   diffs.sh [--color] STEP [FROM]   shows it, or the change against FROM; both are beginnings of the
#                                    steps' names: 05
#   diffs.sh --write                 writes docs/diffs/NN_name.diff for every step and an index beside them
#
# Run it where steps/ stands.
set -eu

# Every step that is one network. A program that holds a road of them, row by row, is nobody's
# neighbour.
rungs() {
    grep -L '\.rows = ' steps/*/main.c | cut -d / -f 2
}

# before STEP: the step before it, empty for the first.
before() {
    rungs | awk -v step="$1" '$1 == step { print last } { last = $1 }'
}

# named STEP: the whole name.
named() {
    case $1 in [0-9]) set -- "0$1" ;; esac
    for folder in steps/"$1"*/; do
        [ -f "${folder}main.c" ] || { echo "$1: no such step in steps/" >&2; exit 2; }
        basename "$folder"
        return
    done
}

# show FROM STEP OPTION…: the diff; that there is one is no error.
show() {
    last=$1 now=$2
    shift 2
    diff -u "$@" --label "steps/$last/main.c" --label "steps/$now/main.c" \
        "steps/$last/main.c" "steps/$now/main.c" || [ $? -eq 1 ]
}

title() {
    sed -n 's/.*\.title = "\(.*\)",.*/\1/p' "steps/$1/main.c"
}

index() {
    printf '# What every step changes\n\n'
    printf 'Written by `make docs`; `make diff STEP=05` shows one in colour.\n\n'
    printf '| step | title | lines out | lines in |\n|---|---|---:|---:|\n'
    for diff in docs/diffs/*.diff; do
        step=$(basename "$diff" .diff)
        printf '| [%s](%s.diff) | %s | %s | %s |\n' "$step" "$step" "$(title "$step")" \
            $(($(grep -c '^-' "$diff") - 1)) $(($(grep -c '^+' "$diff") - 1))
    done
}

write() {
    mkdir -p docs/diffs
    rm -f docs/diffs/*.diff
    for step in $(rungs); do
        [ -f "docs/$step.md" ] || continue # a reader's own
        last=$(before "$step")
        [ -z "$last" ] || show "$last" "$step" > "docs/diffs/$step.diff"
    done
    index > docs/diffs/README.md
}

case ${1-} in
--write) write; exit ;;
--color) color=--color=always; shift ;;
*) color=--color=never ;;
esac
step=$(named "${1?which step?}")
if [ "${2-}" ]; then
    from=$(named "$2")
    show "$from" "$step" "$color"
elif ! rungs | grep -qx "$step"; then
    echo "$step holds a road of its own, row by row: no step is before it"
elif [ -z "$(before "$step")" ]; then
    echo "$step is the first step: nothing before it"
else
    show "$(before "$step")" "$step" "$color"
fi
