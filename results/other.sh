#!/bin/sh
# The experiments of docs/results.md on a data set of the reader's: other.sh BUILD DATA [INPUT…] trains, tests and
# draws with DATA enlarged to the preset's 64x64, then at each INPUT, such as the images' own 3x32x32. The tables
# and plots are in runs/altered-DATA-EPOCHS and runs/altered-DATA-INPUT-EPOCHS. SEEDS, EPOCHS and LAUNCH as for altered.sh.
set -eu
build=$1 data=$2 root=$(pwd -P) pages=$(cd "$1" && pwd -P)/pages
shift 2
"$build/00_resnet" data "$data"
for input in '' "$@"; do
    BUILD=$build DATA=$data INPUT=$input results/altered.sh altered rows norms
    folder=runs/altered-$data${input:+-$input}-${EPOCHS:-10}
    command -v "${GNUPLOT:-gnuplot}" > /dev/null || continue
    cp results/paper.tsv results/ladder.tsv results/table8.tsv tests/data/paper_roadmap.tsv "$folder"
    for plot in road rows kernel_size norms altered corruption; do
        (cd "$folder" && LC_ALL=C.UTF-8 "${GNUPLOT:-gnuplot}" \
            -e "STYLE = '$root/results/style.gp'; PAGES = '$pages'; KIND = 'svg'; DATA = '$data${input:+, $input}'" "$root/results/$plot.gp")
    done
    echo "$folder: tables and plots"
done
