#!/bin/sh
# start.sh STEP [TO]: begins a step of one's own: the step before STEP, with STEP's task as comments
# ($TASKS, docs/tasks without it). TO is a new folder in steps/, the first free NN_mine without it. Run it where steps/
# stands.
set -eu
export LC_ALL=C
fail() {
    echo "start: $1" >&2
    exit 2
}

case $1 in [0-9]) step=0$1 ;; [0-9][0-9] | [0-9][0-9]_*) step=${1%%_*} ;; *) fail "STEP=$1: a step's number is wanted, 00 to 12" ;; esac
task=${TASKS:-docs/tasks}/$step.md
[ -f "$task" ] || fail "STEP=$1: there is no task $task"

to=${2-}
to=${to%/}
if [ ! "$to" ]; then
    number=14
    while ls steps/${number}_* >/dev/null 2>&1; do number=$((number + 1)); done
    to=steps/${number}_mine
fi
case $to in
*/main.c) fail "TO=$to: a folder is wanted: ${to%/main.c}" ;;
steps/[0-9][0-9]_?*) case ${to#steps/} in *[!A-Za-z0-9_.-]*) fail "TO=$to: letters, digits and _ make a step's name" ;; esac ;;
*) fail "TO=$to: a folder like steps/14_mine is wanted: two digits, _ and a name" ;;
esac
[ ! -e "$to/main.c" ] || fail "$to/main.c is there already; TO=steps/15_mine names another folder"

# What is begun from: the step before, or for the first the code that its task gives.
before=$(printf '%02d' $((1$step - 101)))
from=
if [ "$step" != 00 ]; then
    for page in docs/"${before}"_*.md; do
        from=steps/$(basename "$page" .md)/main.c
    done
    [ -f "$from" ] || fail "STEP=$1 begins from step $before, which is not here"
fi

# The task's text, then the code; in the Step, its title and what it was made from.
mkdir -p "$to"
partial=$to/main.c.$$
trap 'rm -f "$partial"' EXIT
awk -v step="$step" -v before="$before" -v from="$from" '
    function code(line) {
        if (from != "" && line ~ /^ *\.title = /) {
            print "        .title = \"My step " step "\","
            print "        .from = \"" before "\","
        } else if (line ~ /^ *\.title = /)
            print "        .title = \"My step " step "\","
        else
            print line
    }
    FNR == 1 { sub(/^# /, ""); print "// " $0; print "//"; next }
    /^\[/ || (FNR < 5 && $0 == "") { next }
    /^```/ { inside = !inside; next }
    inside { lines[++n] = $0; next }
    { text[++m] = $0 }
    END {
        while (m && text[m] == "") m--
        for (i = 1; i <= m; i++) { line = "// " text[i]; sub(/ +$/, "", line); print line }
        print ""
        if (from != "") while ((getline line < from) > 0) code(line)
        else for (i = 1; i <= n; i++) code(lines[i])
    }' "$task" >"$partial"
mv "$partial" "$to/main.c"
echo "$to/main.c is step ${from:+$before }with task $step as its first lines; then:" |
    sed 's/is step with/is the beginning, with/'
echo "  make grade STEP=$step MINE=$to"
