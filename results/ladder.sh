#!/bin/sh
# The ladder in figures: what every step's network costs at the article's widths and at the paper's.
#
#   ladder.sh BUILD                  asks the programs in BUILD, puts BUILD/ladder.tsv there
#   ladder.sh --write BUILD FOLDER   the same of our own steps alone: FOLDER/ladder.tsv and stages.tsv
#   ladder.sh --text|--markdown FILE prints a table as text or in Markdown
#
# Tables have tabs between their columns. ladder.tsv: step, title, parameters and MACs of the
# article's network and of the paper's, the article's encoder's output, parameters and MACs of the
# small network: all that is counted, and so the same everywhere. "-" stands for a network that a step
# does not have. BUILD/ladder.tsv has besides: the step it was made from; own, for a step that has no
# lesson in docs; what it came to in results/accuracy.tsv (mean and standard deviation of the test
# accuracy in per cent, seeds) and the accuracy that the paper has for its change.
# stages.tsv: step, part (stem, stage1 to stage4, head), parameters and MACs of the paper's network.
# Run it where steps/ stands.
set -eu
tab=$(printf '\t')

# total PROGRAM OPTION…: output, parameters and MACs of a network, or dashes: a program that has no
# such network ends with status 2.
total() {
    status=0
    rows=$("$@" 2>&1) || status=$?
    case $status in
    0) printf '%s\n' "$rows" | awk -F '\t' -v OFS='\t' '$1 == "total" { print $3, $4, $5 }' ;;
    2) printf -- '-\t-\t-\n' ;;
    *) printf '%s\n' "$rows" >&2; return 1 ;;
    esac
}

# count BUILD: a row for each line of results/steps.sh: what is counted, where it came from, own.
count() {
    printf 'step\ttitle\tarticle_parameters\tarticle_macs\tpaper_parameters\tpaper_macs\toutput'
    printf '\tsmall_parameters\tsmall_macs\tfrom\town\n'
    while IFS=$tab read -r step from whose paper title; do
        set -- "$1/$step" report --format tsv
        article=$(total "$@" --preset article)
        encoder=$(total "$@" --preset article --part encoder)
        small=$(total "$@" --preset small)
        [ "$paper" = - ] || set -- "$@" --preset "$paper"
        paper=$(total "$@")
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$step" "$title" "${article#*"$tab"}" \
            "${paper#*"$tab"}" "${encoder%%"$tab"*}" "${small#*"$tab"}" "$from" "${whose%ours}"
        set -- "${1%/*}"
    done
}

# join: the rows of count, and behind each what the tables in results/ know of the step.
join() {
    awk -F '\t' -v OFS='\t' "$(cat results/spread.awk)"'
        FNR == 1 { table++ }
        FNR == 1 && table == 3 { print $0, "test_mean", "test_std", "seeds", "paper_top1" }
        FNR == 1 { next }
        table == 1 { add($1, $4) }
        table == 2 { paper[$1] = $4 }
        table == 3 {
            print $0, ($1 in n ? mean($1) : "-"), (n[$1] > 1 ? root(variance($1)) : "-"),
                ($1 in n ? n[$1] : "-"), ($1 in paper ? paper[$1] : "-")
        }' results/accuracy.tsv results/paper.tsv -
}

# stages BUILD: the parts of the networks of the steps whose lines of results/steps.sh come in.
stages() {
    printf 'step\tpart\tparameters\tmacs\n'
    while IFS=$tab read -r step from whose paper title; do
        set -- "$1/$step" report --format json
        [ "$paper" = - ] || set -- "$@" --preset "$paper"
        "$@" | awk -v OFS='\t' -v step="$step" '
            /^ *[{]"part": / { split($0, word, /[":,{} ]+/); print step, word[3], word[7], word[9] }'
        set -- "${1%/*}"
    done
}

table() {
    awk -F '\t' -v markdown="$1" '
    function scaled(value, unit) { return value == "-" ? "-" : sprintf("%.2f", value / unit) }
    # Against the step it came from, or the one before; nothing where nothing changed.
    function change(column,    from, p, size) {
        from = value[$10 in seen ? $10 : last, column]
        if (NR == 2 || $column == "-" || from == "-" || $column == from)
            return ""
        p = 100 * ($column - from) / from
        size = p < 0 ? -p : p
        return sprintf(size < 0.1 ? "%+.2f%%" : size < 99.95 ? "%+.1f%%" : "%+.0f%%", p)
    }
    NR == 1 && markdown {
        print "| step | M parameters, article | G MACs, article | M parameters, paper |" \
            " G MACs, paper | encoder, article |"
        print "|---|---:|---:|---:|---:|---|"
    }
    NR == 1 && !markdown {
        printf "%-24s %31s %31s\n", "", "------ the article'\''s widths ---", \
            "-------- the paper'\''s widths ---"
        printf "%-24s %8s %15s %15s %15s         %s\n", "step", "M param.", "G MACs", "M param.",
            "G MACs", "encoder"
    }
    NR == 1 { next }
    {
        line = markdown ? "| [" $1 "](steps/" $1 "/main.c) |" : sprintf("%-24s", $1)
        for (i = 3; i <= 6; i++) {
            size = scaled($i, i % 2 ? 1e6 : 1e9)
            p = change(i)
            line = line (markdown ? " " size (p == "" ? "" : " (" p ")") " |" : \
                sprintf(" %8s %6s", size, p))
            value[$1, i] = $i
        }
        print line (markdown ? " " $7 " |" : "  " substr($7, 3))
        seen[$1] = 1
        last = $1
    }' "$2"
}

trap 'rm -f "${new-}" "${new-}.stages"' EXIT
case $1 in
--text) table '' "$2" ;;
--markdown) table 1 "$2" ;;
--write)
    new=$3/ladder.tsv.$$
    steps=$(OURS=1 results/steps.sh "$2" ladder.sh)
    # A program that failed has said why.
    ! printf '%s\n' "$steps" | grep -q "$tab-\$" || exit 1
    printf '%s\n' "$steps" | count "$2" | cut -f 1-9 > "$new"
    printf '%s\n' "$steps" | stages "$2" > "$new.stages"
    mv "$new" "$3/ladder.tsv"
    mv "$new.stages" "$3/stages.tsv"
    ;;
*)
    new=$1/ladder.tsv.$$
    results/steps.sh "$1" ladder.sh | count "$1" | join > "$new"
    mv "$new" "$1/ladder.tsv"
    ;;
esac
