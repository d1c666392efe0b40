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

# named STEP [WHERE]: the whole name. WHERE stands before what is said of one that is not there.
named() {
    case $1 in [0-9]) set -- "0$1" "${2-}" ;; esac
    [ ! -f "steps/$1/main.c" ] || { echo "$1"; return; }
    set -- "$1" "${2-}" steps/"$1"*/main.c
    [ -f "$3" ] || { echo "$2$1: no such step in steps/" >&2; exit 2; }
    [ $# -eq 3 ] || { echo "$2$1: which of $(shift 2; echo "$@")?" >&2; exit 2; }
    basename "${3%/main.c}"
}

# ask: sets `from` to what the program of $step says that it was made from; empty: it says nothing.
ask() {
    report=$("$build/$step" report --format json) || report=
    case $report in
    *' "rows": '*) echo "$step holds a road of its own, row by row: no step is before it"; exit ;;
    esac
    from=$(printf '%s\n' "$report" | sed -n 's/^ "from": "\(.*\)",$/\1/p')
}

# origin: sets `from`. What main.c names counts where the program is older, and what a program says
# that is older where main.c names nothing: a step that does not build has an origin too.
origin() {
    from='' program=$build/$step
    [ ! -x "$program" ] || [ "$(find "$main" -newer "$program")" ] || ask
    [ ! "$from" ] || return 0
    from=$(sed -n 's|//.*||; s|/\*.*\*/||g; s/.*\.from *= *"\([^"]*\)".*/\1/p' "$main" | sed 1q)
    if [ "$from" ]; then
        from=$(named "$from" "$main: .from: ")
    elif [ -x "$program" ]; then
        ask
    fi
}

# is_first: no step of a lower number stands in steps/.
is_first() {
    set -- steps/[0-9]*/main.c
    first=${1#steps/}
    [ "${first%%_*}" = "${step%%_*}" ]
}

colour() {
    awk '{ printf "\033[%dm%s\033[0m\n", (/^-/ ? 31 : /^\+/ ? 32 : /^@/ ? 36 : 0), $0 }'
}

step=$(named "${2?which step?}")
main=steps/$step/main.c
if [ "${3-}" ]; then
    from=$(named "$3")
else
    origin
fi
if [ ! "$from" ]; then
    ! is_first || { echo "$step is the first step: nothing before it"; exit; }
    echo "$step: neither its program nor .from in $main says what it was made from:" \
        "FROM=11 compares it with step 11" >&2
    exit 1
fi
text=$(diff -u -L "steps/$from/main.c" -L "steps/$step/main.c" \
    "steps/$from/main.c" "steps/$step/main.c") || [ $? -eq 1 ]
printf '%s\n' "$text" | $colour
