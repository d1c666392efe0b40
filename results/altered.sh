#!/bin/sh
# Trains networks on Fashion-MNIST and tests each on clean and on altered images; of every run the
# tables keep a row per alteration, as evaluate prints it, and the weights stay in runs/.
#
#   altered.sh [TABLE…]   altered: the ladder; rows: the paper's road; norms: batch and layer norm at
#                         four batch sizes (all three)
#
# A run whose rows are in its table is left alone, one that was stopped goes on; several calls beside
# each other train different runs. BUILD=build SEEDS="1 2 3". Run it where steps/ stands.
set -u
build=${BUILD:-build} header='network row batch seed alteration top1 top5 loss held_out_top1 commit compiler cpu'
tab=$(printf '\t')

# The runs, a line each: network, row, batch, learning rate (the paper's by batch: 4e-3·√(B/64)).
altered() {
    for main in docs/0[0-9]_*.md docs/1[0-2]_*.md; do
        echo "$(basename "$main" .md) - 64 4e-3"
    done
}

rows() {
    for row in 6 7 8 9 10 0 1 2 3 4 5 11 12 13 14 15; do
        echo "13_paper_roadmap $row 64 4e-3"
    done
}

norms() {
    for batch in '256 8e-3' '64 4e-3' '16 2e-3' '4 1e-3'; do
        for row in 13 14; do
            echo "13_paper_roadmap $row $batch"
        done
    done
}

# train TABLE SEED NETWORK ROW BATCH LR
train() {
    rows=results/$1.tsv seed=$2 network=$3 row=$4 batch=$5 lr=$6
    key="$network$tab$row$tab$batch$tab$seed$tab"
    ! grep -q "^$key" "$rows" 2> /dev/null || return 0
    out=runs/altered/$network-$row-$batch-$seed
    mkdir -p runs/altered && mkdir "$out.lock" 2> /dev/null || return 0
    trap 'rmdir "$out.lock"' EXIT
    trap 'exit 1' HUP INT TERM
    set -- --preset small
    [ "$row" = - ] || set -- "$@" --row "$row"
    case $("$build/$network" report --format json "$@") in
    *'"op": "layer_scale"'*) layer_scale='--layer-scale 0.1' ;;
    *) layer_scale= ;;
    esac
    echo "$network, row $row, batch $batch, seed $seed: $out"
    resume=
    [ ! -e "$out/last.safetensors" ] || resume=--resume
    # shellcheck disable=SC2086 # two words, one or none
    "$build/$network" train --data fashion-mnist --threads 1 --epochs 10 --batch-size "$batch" \
        --lr "$lr" --seed "$seed" --out "$out" $resume $layer_scale "$@" > "$out.log" 2>&1 || {
        tail -n 1 "$out.log" >&2
        exit 1
    }
    # shellcheck disable=SC2086
    "$build/$network" evaluate --weights "$out/best.safetensors" --alter all --threads 1 --format tsv \
        $layer_scale "$@" > "$out.tsv" || exit
    compiler=$(sed 's/ .*//' "$build/flags")
    awk -F '\t' -v OFS='\t' -v key="$key" -v commit="$(git rev-parse --short=12 HEAD)" \
        -v compiler="$($compiler --version | sed -n '1{s/ *(.*)//;p;}')" -v cpu="$(results/cpu.sh)" '
        FILENAME ~ /result.tsv$/ { held = $3; next }
        FNR > 1 { print key $1, $2, $3, $4, held, commit, compiler, cpu }' \
        "$out/result.tsv" "$out.tsv" > "$out.rows"
    keep "$rows" "$out.rows"
    rmdir "$out.lock"
    trap - EXIT HUP INT TERM
}

# keep TABLE ROWS: adds them where they belong; one call at a time.
keep() {
    until mkdir "$1.lock" 2> /dev/null; do sleep 1; done
    { echo "$header" | tr ' ' '\t'
      { [ ! -f "$1" ] || sed 1d "$1"; cat "$2"; } |
          LC_ALL=C sort -s -t "$tab" -k 1,1 -k 2,2n -k 3,3nr -k 4,4n
    } > "$1.new" && mv "$1.new" "$1"
    rmdir "$1.lock"
}

[ $# -gt 0 ] || set -- altered rows norms
for seed in ${SEEDS:-1 2 3}; do
    for table; do
        "$table" | while read -r network row batch lr; do
            train "$table" "$seed" "$network" "$row" "$batch" "$lr" || exit
        done || exit
    done
done
