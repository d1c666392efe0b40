#!/bin/sh
# How fast every step runs: forward for one picture and for eight, and a training step of eight.
#
#   speed.sh BUILD FILE        asks the programs in BUILD to measure themselves, puts what they say
#                              into FILE and prints it; other rows of FILE stay
#   speed.sh --markdown FILE   prints FILE as a table in Markdown
#
# In the environment: BENCH="--preset paper" (options of bench), STEPS="00 05" (empty: all),
# WORK="infer:1 infer:8 train:8", COMPILER (what to write into that column).
#
# FILE has the columns of `bench --format tsv`, then options, compiler, cpu; a row for each network,
# mode and batch. Run it where steps/ stands.
set -eu

# ask PROGRAM MODE BATCH: sets row, and said to the options. A published network refuses the presets
# and has its own size, the paper's. Fails where a program has no such network, and has said so.
ask() {
    said=$options
    status=0
    while :; do
        # $said is a list of words.
        # shellcheck disable=SC2086
        row=$("$1" bench --format tsv $said --mode "$2" --batch-size "$3" 2> "$new.refused") ||
            status=$?
        plain=$(printf '%s\n' "$said" | sed 's/--preset [a-z]*//')
        [ $status -eq 2 ] && [ "$plain" != "$said" ] || break
        said=$plain
        status=0
    done
    [ $status -eq 0 ] || cat "$new.refused" >&2
    case $status in
    0) return 0 ;;
    2) return 1 ;;
    esac
    exit 1
}

# measure PROGRAM…: all that was asked for, as rows of the file.
measure() {
    for program in "$@"; do
        for work in ${WORK:-infer:1 infer:8 train:8}; do
            ask "$program" "${work%:*}" "${work#*:}" || continue
            printf '%s\t%s\t%s\t%s\n' "$(printf '%s\n' "$row" | tail -n 1)" "$said" \
                "${COMPILER:-unknown}" "${cpu:-unknown}" | tee -a "$new.rows" |
                awk -F '\t' '{ printf "%-28s %s %s: %s ms, %s GFLOP/s\n", $1, $2, $3, $5, $8 }'
        done
    done
}

# merge FILE: its rows and the new ones, which win, sorted.
merge() {
    printf 'network\tmode\tbatch\tthreads\tmedian_ms\tmin_ms\tmax_ms\tgflops\timages_per_s\tpeak_mb'
    printf '\toptions\tcompiler\tcpu\n'
    {
        cat "$new.rows"
        [ ! -f "$1" ] || tail -n +2 "$1"
    } | awk -F '\t' '!seen[$1, $2, $3]++' | LC_ALL=C sort -t "$(printf '\t')" -k 1,2 -k 3,3n
}

markdown() {
    awk -F '\t' '
    NR == 1 {
        print "| step | ms a picture, batch 1 | GFLOP/s | ms a picture, batch 8 | GFLOP/s |" \
            " ms a picture, training, batch 8 | GFLOP/s | MiB, training |"
        print "|---|---:|---:|---:|---:|---:|---:|---:|"
        next
    }
    {
        if (!($1 in known)) {
            known[$1] = 1
            name[++n] = $1
        }
        kind = $2 $3
        ms[$1, kind] = sprintf("%.1f", $5 / $3)
        gflops[$1, kind] = sprintf("%.0f", $8)
        mib[$1, kind] = sprintf("%.0f", $10)
    }
    function cell(value) { return " " (value == "" ? "-" : value) " |" }
    END {
        for (i = 1; i <= n; i++) {
            line = "| " name[i] " |"
            split("infer1 infer8 train8", kinds, " ")
            for (k = 1; k <= 3; k++)
                line = line cell(ms[name[i], kinds[k]]) cell(gflops[name[i], kinds[k]])
            print line cell(mib[name[i], "train8"])
        }
    }' "$1"
}

if [ "$1" = --markdown ]; then
    markdown "$2"
    exit
fi

programs=$(results/programs.sh "$1" speed.sh) || exit
options=${BENCH:---preset paper}
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1) || cpu=
new=$2.$$
trap 'rm -f "$new" "$new.rows" "$new.refused"' EXIT
# shellcheck disable=SC2086
measure $programs
[ -s "$new.rows" ] || exit 2
merge "$2" > "$new"
mv "$new" "$2"
