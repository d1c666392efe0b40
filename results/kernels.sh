#!/bin/sh
# kernels.sh BUILD: asks BUILD/speed for the kernels' versions in figures, writes results/kernels.tsv
# and prints it as docs/speed.md has it.
#
# Columns, with tabs between them: kernel, version, change, threads, ms, gflops, peak_gflops (of so
# many threads), compiler, cpu. COMPILER in the environment says what to write into that column.
set -eu
new=results/kernels.tsv.$$
trap 'rm -f "$new" "$new.rows"' EXIT
"$1/speed" --format tsv > "$new.rows"
awk -F '\t' -v OFS='\t' -v compiler="${COMPILER:-unknown}" -v cpu="$(results/cpu.sh)" \
    '{ print $0, (NR == 1 ? "compiler" OFS "cpu" : compiler OFS cpu) }' "$new.rows" > "$new"
mv "$new" results/kernels.tsv
"$1/pages" block kernels gemm
"$1/pages" block kernels depthwise
