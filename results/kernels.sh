#!/bin/sh
# The kernels' versions in figures, for docs/speed.md.
#
#   kernels.sh BUILD FILE             asks BUILD/speed, writes FILE, prints it
#   kernels.sh --markdown FILE NAME   prints the part of gemm or depthwise as a table in Markdown
#
# FILE has tabs between its columns: kernel, version, change, threads, ms, gflops, peak_gflops (of so
# many threads), compiler, cpu. COMPILER in the environment says what to write into that column.
set -eu

if [ "$1" = --markdown ]; then
    awk -F '\t' -v kernel="$3" '
    NR == 1 {
        print "| version | what is new | threads | ms | GFLOP/s | of FMA peak |"
        print "|---|---|---:|---:|---:|---:|"
    }
    $1 == kernel {
        printf "| `%s` | %s | %d | %.3f | %.1f | %.1f %% |\n", $2, $3, $4, $5, $6, 100 * $6 / $7
    }' "$2"
    exit
fi
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1) || cpu=
new=$2.$$
trap 'rm -f "$new" "$new.rows"' EXIT
"$1/speed" --format tsv > "$new.rows"
awk -F '\t' -v OFS='\t' -v compiler="${COMPILER:-unknown}" -v cpu="${cpu:-unknown}" \
    '{ print $0, NR == 1 ? "compiler" OFS "cpu" : compiler OFS cpu }' "$new.rows" > "$new"
mv "$new" "$2"
awk -F '\t' '
NR == 1 {
    printf "%-10s %-10s %-46s %7s %9s %8s %7s\n", "kernel", "version", "what is new", "threads", "ms",
        "GFLOP/s", "of peak"
    next
}
{ printf "%-10s %-10s %-46s %7d %9.3f %8.1f %6.1f%%\n", $1, $2, $3, $4, $5, $6, 100 * $6 / $7 }' "$2"
