#!/bin/sh
# The kernels' versions in figures, for docs/speed.md.
#
#   kernels.sh BUILD FILE             asks BUILD/speed, writes FILE, prints it
#   kernels.sh --markdown FILE NAME   prints the part of gemm or depthwise as a table in Markdown
#
# FILE has tabs between its columns: kernel, version, change, threads, ms, gflops, peak_gflops (of so
# many threads), compiler, cpu. COMPILER in the environment says what to write into that column.
set -eu
markdown() {
    awk -F '\t' -v kernel="$2" '
    NR == 1 {
        print "| version | what is new | threads | ms | GFLOP/s | of FMA peak |"
        print "|---|---|---:|---:|---:|---:|"
    }
    $1 == kernel {
        printf "| `%s` | %s | %d | %.3f | %.1f | %.1f %% |\n", $2, $3, $4, $5, $6, 100 * $6 / $7
    }' "$1"
}
if [ "$1" = --markdown ]; then
    markdown "$2" "$3"
    exit
fi
trap 'rm -f "$2.$$" "$2.$$.rows"' EXIT
"$1/speed" --format tsv > "$2.$$.rows"
awk -F '\t' -v OFS='\t' -v compiler="${COMPILER:-unknown}" -v cpu="$(results/cpu.sh)" \
    '{ print $0, (NR == 1 ? "compiler" OFS "cpu" : compiler OFS cpu) }' "$2.$$.rows" > "$2.$$"
mv "$2.$$" "$2"
markdown "$2" gemm
markdown "$2" depthwise
