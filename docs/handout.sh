#!/bin/sh
# handout.sh STEP ARCHIVE: what a student of STEP's task is given, as a .tar.gz: the library, the
# steps, lessons and tests before STEP, the tasks up to it; no later step, no answer, nothing that
# quotes one. The same tree gives the same bytes. Run it where steps/ stands.
set -eu
export LC_ALL=C TZ=UTC0
fail() {
    echo "handout: $1" >&2
    exit 2
}

case $1 in [0-9]) step=0$1 ;; [0-9][0-9] | [0-9][0-9]_*) step=${1%%_*} ;; *) fail "STEP=$1: a step's number is wanted, 01 to 12" ;; esac
[ -f "docs/tasks/$step.md" ] || fail "STEP=$1: there is no task docs/tasks/$step.md"
[ "$step" != 00 ] || fail "STEP=$1: a tree without any step has nothing to build"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
name=convnext-steps-$step
to=$folder/$name
mkdir "$to"
give() { # FILE…: those of them that are there, under their names
    for file in "$@"; do
        [ -e "$file" ] || continue
        mkdir -p "$to/$(dirname "$file")"
        cp -R "$file" "$to/$(dirname "$file")"
    done
}
teach() { # a page, without the answers that are folded into it
    mkdir -p "$to/$(dirname "$1")"
    awk '/^<details>/ { inside = 1 } !inside { print } /^<\/details>/ { inside = 0 }' "$1" >"$to/$1"
}

# For all: the library, and what makes and draws.
give LICENSE common docs/*.sh docs/pages docs/grade docs/examples docs/speed \
    results/ladder.gp results/style.gp results/cpu.sh results/train.sh \
    docs/glossary.md docs/zh/glossary.md docs/setup.md docs/zh/setup.md
sed "s/^STEP ?= .*/STEP ?= $step/" Makefile >"$to/Makefile"
tables="ladder accuracy paper"
for table in $tables; do head -n 1 results/$table.tsv >"$to/results/$table.tsv"; done

# Of the steps before: code, lesson, what PyTorch says of them.
give "docs/tasks/$step.md" "docs/zh/tasks/$step.md"
mkdir -p "$to/tests/data"
head -n 1 tests/data/steps.tsv >"$to/tests/data/steps.tsv"
for page in docs/[0-9]*.md; do
    before=$(basename "$page" .md)
    number=${before%%_*}
    [ "$number" -lt "$step" ] || continue
    teach "$page"
    teach "docs/zh/$before.md"
    give "steps/$before/main.c" "docs/tasks/$number.md" "docs/zh/tasks/$number.md" \
        "docs/diffs/$before.diff" "docs/drawings/$before.svg" "docs/drawings/zh/$before.svg" "tests/data/steps/$before" \
        "tests/data/keys/$before.tsv"
    for table in $tables; do
        awk -v name="$before" '$1 == name' results/$table.tsv >>"$to/results/$table.tsv"
    done
    awk -v number="$number" '$1 + 0 == number + 0 && NR > 1' tests/data/steps.tsv \
        >>"$to/tests/data/steps.tsv"
done

# The tests that speak of no step: the library's; and those of the steps that are there.
for file in $(grep -LE '"?(0[0-9]|1[0-3])_[a-z]|RUNGS|LADDER|step_name|step_count|tree_copy|README|docs/|mutants|tests/data/steps|results/' \
    tests/*.c) tests/run.c tests/test_steps.c; do
    give "$file"
done
give tests/*.h tests/portable tests/faults
for file in tests/data/*; do
    case $file in
    *.py | */steps | */steps.tsv | */keys | */official | */road | */paper_roadmap.tsv | */*.svg | */activations* | */plan_block.txt) ;;
    *) give "$file" ;;
    esac
done

cat >"$to/README.md" <<END
# From ResNet to ConvNeXt: step $step is yours

The steps before $step are here, each a whole network in one file, with their
[lessons](docs) and the library that runs them. [docs/tasks/$step.md](docs/tasks/$step.md) says what
step $step is to be ([中文](docs/zh/tasks/$step.md)).

    make
    make test
    make start STEP=$step TO=steps/14_mine
    make diff STEP=14_mine

\`make start\` writes the step before with the task as comments; \`make diff\` shows what you changed;
\`build/14_mine\` shows the network. \`make grade\` holds a step to one that is here; for step $step your
teacher has it.

Left out against the whole repository: the steps from $step on, answers and errata, trained weights
and results, and those tests that need them. The tests here are the library's, and those that hold
the steps to PyTorch.
END

rm -rf "$to"/tests/data/__pycache__
chmod -R u=rwX,go=rX "$to"
find "$to" -exec touch -h -t 202601010000 {} + 2>/dev/null || find "$to" -exec touch -t 202601010000 {} +
case $(tar --version 2>/dev/null) in
*GNU*) owner='--owner=0 --group=0 --numeric-owner --format=ustar' ;;
*bsdtar*) owner='--uid 0 --gid 0 --format=ustar' ;;
*) owner= ;;
esac
(cd "$folder" && find "$name" ! -type d | sort >list && tar -cf - $owner -T list | gzip -n9) >"$2.$$"
mv "$2.$$" "$2"
echo "$2"
