#!/bin/sh
# How fast every step runs: forward for one image and for eight, and a training step of eight.
#
# speed.sh BUILD FILE: asks the programs in BUILD to measure themselves, puts what they say into FILE
# and prints it; other rows of FILE stay.
#
# In the environment: BENCH="--preset paper" (options of bench), STEPS="00 05" (empty: all of ours),
# WORK="infer:1 infer:8 train:8", COMPILER (what to write into that column).
#
# FILE has the columns of `bench --format tsv`, then options, compiler, cpu; a row for each network,
# mode and batch. Run it where steps/ stands.
set -eu
tab=$(printf '\t')

# shellcheck disable=SC2086 # a list of words
steps=$("$1/pages" steps ${STEPS:-ours})
new=$2.$$
trap 'rm -f "$new" "$new.rows"' EXIT
# Of bench's options a published network takes no preset but small: it is the paper's without one.
# A network that refuses them with status 2 is left out, and has said why.
printf '%s\n' "$steps" | while IFS=$tab read -r step published; do
    options=${BENCH:---preset paper}
    [ ! "$published" ] ||
        options=$(printf '%s\n' "$options" | sed 's/--preset[ =]paper//; s/--preset[ =]article//')
    for work in ${WORK:-infer:1 infer:8 train:8}; do
        status=0
        # shellcheck disable=SC2086 # a list of words
        row=$("$1/$step" bench --format tsv $options --mode "${work%:*}" \
            --batch-size "${work#*:}" < /dev/null) || status=$?
        case $status in 0) ;; 2) continue ;; *) exit $status ;; esac
        printf '%s\t%s\t%s\t%s\n' "$(printf '%s\n' "$row" | tail -n 1)" "$options" \
            "${COMPILER:-unknown}" "$(results/cpu.sh)" | tee -a "$new.rows" |
            awk -F '\t' '{ printf "%-28s %s %s: %s ms, %s GFLOP/s\n", $1, $2, $3, $5, $8 }'
    done
done
[ -s "$new.rows" ] || exit 2
# The new rows, which win, and the file's.
{
    printf 'network\tmode\tbatch\tthreads\tmedian_ms\tmin_ms\tmax_ms\tgflops\timages_per_s\tpeak_mb'
    printf '\toptions\tcompiler\tcpu\n'
    { cat "$new.rows"; [ ! -f "$2" ] || sed 1d "$2"; } | awk -F '\t' '!seen[$1, $2, $3]++' |
        LC_ALL=C sort -t "$tab" -k 1,2 -k 3,3n
} > "$new"
mv "$new" "$2"
