#!/bin/sh
# What a step changes against the step before it.
#
#   diffs.sh [--color] STEP   shows it; STEP: the beginning of the step's name, 05
#   diffs.sh --write          writes docs/diffs/NN_name.diff for every step, an index beside them,
#                             and the ladder's table in README.md from results/ladder.tsv
#
# Run it where steps/ stands.
set -eu

# before STEP: the step before it, empty for the first.
before() {
    printf '%s\n' steps/*/ | awk -F / -v step="$1" '$2 == step { print last } { last = $2 }'
}

# show STEP OPTION…: the diff; that there is one is no error.
show() {
    now=$1
    last=$(before "$now")
    shift
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

# Puts what stands in file $2 between the markers <!-- $1 --> and <!-- /$1 --> of README.md.
between() {
    awk -v name="$1" -v file="$2" '
        $0 == "<!-- /" name " -->" { inside = 0 }
        !inside
        $0 == "<!-- " name " -->" {
            inside = 1
            while ((getline line < file) > 0)
                print line
        }' README.md > README.md.$$
    mv README.md.$$ README.md
}

write() {
    mkdir -p docs/diffs
    rm -f docs/diffs/*.diff
    for folder in steps/*/; do
        step=$(basename "$folder")
        [ -z "$(before "$step")" ] || show "$step" > "docs/diffs/$step.diff"
    done
    index > docs/diffs/README.md
    table=$(mktemp)
    trap 'rm -f "$table"' EXIT
    results/ladder.sh --markdown results/ladder.tsv > "$table"
    between ladder "$table"
}

case ${1-} in
--write) write; exit ;;
--color) color=--color=always; shift ;;
*) color=--color=never ;;
esac
for folder in steps/"${1?which step?}"*/; do
    step=$(basename "$folder")
    if [ ! -f "steps/$step/main.c" ]; then
        echo "STEP=$1: no such step in steps/" >&2
        exit 2
    elif [ -z "$(before "$step")" ]; then
        echo "$step is the first step: nothing before it"
    else
        show "$step" "$color"
    fi
    exit
done
