#!/bin/sh
# The ladder in figures: what every step's network costs at the article's widths and at the paper's.
#
#   ladder.sh BUILD FILE        asks the programs in BUILD, brings FILE up to date, prints it
#   ladder.sh --markdown FILE   prints FILE as a table in Markdown
#
# FILE has tabs between its columns: step, title, parameters and MACs of the article's network, the
# same of the paper's, and the article's encoder's output; parameters and MACs of the small network, and
# MiB that training it on 64 pictures takes beside its weights; milliseconds of the paper's network, for
# inference on a picture and for a training step on 8 (speed.tsv); mean and standard deviation of the
# small network's test accuracy, in per cent, over so many seeds (accuracy.tsv); the accuracy that the
# paper has for this change (paper.tsv). These tables are looked for beside FILE. What is not there gets
# "-"; so does a network that a step does not have, but one without either preset is the paper's. Programs that hold a road of their own, row by
# row, are left out. Run it where steps/ stands.
set -eu

# fill PROGRAM OPTION…: sets output, parameters and macs to those of the whole network. A program
# that has no such network says so by its exit status 2.
fill() {
    status=0
    program=$1
    shift
    text=$("$program" report --format tsv "$@" 2>&1) || status=$?
    case $status in
    0) row=$(printf '%s\n' "$text" | awk -F '\t' '$1 == "total" { print $3, $4, $5 }') ;;
    2) row='- - -' ;;
    *) printf '%s\n' "$text" >&2; exit 1 ;;
    esac
    read -r output parameters macs <<END
$row
END
}

# memory PROGRAM OPTION…: MiB that a training plan takes.
memory() {
    program=$1
    shift
    "$program" report --format json "$@" |
        sed -n 's/.*"training_bytes": \([0-9]*\).*/\1/p' | awk '{ printf "%.1f", $1 / 1048576 }'
}

# measured STEP FOLDER: what the tables in FOLDER know of a step.
measured() {
    infer=- train=- mean=- std=- seeds=- paper=-
    if [ -f "$2/speed.tsv" ]; then
        read -r infer train <<FOUND
$(awk -F '\t' -v step="$1" 'BEGIN { infer = train = "-" }
    $1 == step && $2 == "infer" && $3 == 1 { infer = $5 }
    $1 == step && $2 == "train" && $3 == 8 { train = $5 }
    END { print infer, train }' "$2/speed.tsv")
FOUND
    fi
    if [ -f "$2/accuracy.tsv" ]; then
        read -r mean std seeds <<FOUND
$(awk -F '\t' -v step="$1" '
    $1 == step { n++; sum += $4; value[n] = $4 }
    END {
        if (!n) { print "- - -"; exit }
        for (i = 1; i <= n; i++)
            square += (value[i] - sum / n) ^ 2
        printf "%.4f %s %d\n", sum / n, (n > 1 ? sprintf("%.4f", sqrt(square / (n - 1))) : "-"), n
    }' "$2/accuracy.tsv")
FOUND
    fi
    if [ -f "$2/paper.tsv" ]; then
        paper=$(awk -F '\t' -v step="$1" '$1 == step { found = $4 } END { print found ? found : "-" }' \
            "$2/paper.tsv")
    fi
}

ask() {
    printf 'step\ttitle\tarticle_parameters\tarticle_macs\tpaper_parameters\tpaper_macs\toutput'
    printf '\tsmall_parameters\tsmall_macs\tsmall_training_mb_batch64\tinfer_ms\ttrain_ms'
    printf '\ttest_mean\ttest_std\tseeds\tpaper_top1\n'
    for main in $(grep -L '\.rows = ' steps/*/main.c); do
        step=$(basename "$(dirname "$main")")
        title=$(sed -n 's/.*\.title = "\(.*\)",.*/\1/p' "$main")
        printf '%s\t%s' "$step" "$title"
        fill "$1/$step" --preset article
        printf '\t%s\t%s' "$parameters" "$macs"
        article=$parameters
        fill "$1/$step" --preset paper
        if [ "$article $parameters" = "- -" ]; then fill "$1/$step"; fi
        printf '\t%s\t%s' "$parameters" "$macs"
        fill "$1/$step" --preset article --part encoder
        printf '\t%s' "$output"
        fill "$1/$step" --preset small
        printf '\t%s\t%s\t%s' "$parameters" "$macs" \
            "$(memory "$1/$step" --preset small --batch-size 64 --threads 2)"
        measured "$step" "$2"
        printf '\t%s\t%s\t%s\t%s\t%s\t%s\n' "$infer" "$train" "$mean" "$std" "$seeds" "$paper"
    done
}

table() {
    awk -F '\t' -v markdown="$1" '
    function scaled(value, unit) {
        return value == "-" ? "-" : sprintf("%.2f", value / unit)
    }
    # Against the step before; nothing where nothing changed.
    function change(column,    p, size) {
        if (NR == 2 || $column == "-" || before[column] == "-" || $column == before[column])
            return ""
        p = 100 * ($column - before[column]) / before[column]
        size = p < 0 ? -p : p
        return sprintf(size < 0.1 ? "%+.2f%%" : size < 99.95 ? "%+.1f%%" : "%+.0f%%", p)
    }
    function remember(    i) {
        for (i = 3; i <= 6; i++)
            before[i] = $i
    }
    function both(column, unit) {
        return scaled($column, unit) (change(column) == "" ? "" : " (" change(column) ")")
    }
    function row_of_markdown() {
        printf "| [%s](steps/%s/main.c) | %s | %s | %s | %s | %s |\n", $1, $1, both(3, 1e6),
            both(4, 1e9), both(5, 1e6), both(6, 1e9), $7
    }
    function row() {
        printf "%-24s %8s %6s %8s %6s %8s %6s %8s %6s  %s\n", $1, scaled($3, 1e6), change(3),
            scaled($4, 1e9), change(4), scaled($5, 1e6), change(5), scaled($6, 1e9), change(6),
            substr($7, 3)
    }
    NR == 1 && markdown {
        print "| step | M parameters, article | G MACs, article | M parameters, paper |" \
            " G MACs, paper | encoder, article |"
        print "|---|---:|---:|---:|---:|---|"
    }
    NR == 1 && !markdown {
        printf "%-24s %31s %31s\n", "", "------ the article'\''s widths ---", \
            "-------- the paper'\''s widths ---"
        printf "%-24s %8s %6s %8s %6s %8s %6s %8s %6s  %s\n", "step", "M param.", "", "G MACs", "",
            "M param.", "", "G MACs", "", "encoder"
    }
    NR > 1 {
        if (markdown) row_of_markdown(); else row()
        remember()
    }' "$2"
}

if [ "$1" = --markdown ]; then
    table 1 "$2"
    exit
fi
new=$2.$$
trap 'rm -f "$new"' EXIT
ask "$1" "$(dirname "$2")" > "$new"
if ! cmp -s "$new" "$2"; then
    mv "$new" "$2"
fi
table '' "$2"
