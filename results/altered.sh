#!/bin/sh
# Trains networks and tests each on clean and on altered images; of every run the tables keep a row per
# alteration, as evaluate prints it. On Fashion-MNIST the tables are in results/ and the weights in
# runs/altered/; DATA=cifar10 has both in runs/altered-cifar10-10/ (10 epochs), and INPUT=3x32x32, at which the
# images are not enlarged, in runs/altered-cifar10-3x32x32-10/. A network for which an input is too small is
# left out.
#
#   altered.sh [--list] [TABLE…]   altered: the ladder; rows: the paper's road; norms: batch and layer
#                                  norm at four batch sizes (these three); noise: some of the road's
#                                  rows, trained on noisy images; trainings: some steps by other
#                                  recipes, for longer, and on fewer images; variants_altered: step 12
#                                  with other norms, in the tree that variants.sh leaves
#
# BUILD=build SEEDS="1 2 3" EPOCHS=10, and --list and LAUNCH as for train.sh, which trains. A run whose rows are in
# its table is left alone. Run it where steps/ stands.
# shellcheck disable=SC2317 # functions are called by what is in $command or $table
set -u
mode=
case ${1-} in --run | --list) mode=$1 && shift ;; esac
build=${BUILD:-build} data=${DATA:-fashion-mnist} input=${INPUT-} epochs=${EPOCHS:-10}
runs=runs/altered tables=results tab=$(printf '\t')
[ "$data $input $epochs" = 'fashion-mnist  10' ] || runs=runs/altered-$data${input:+-$input}-$epochs tables=$runs
header='network row batch seed alteration top1 top5 loss held_out_top1 commit compiler cpu'

# The runs, a line each: network, row (15-std0.04: with that standard deviation of its first weights; a step
# has none, which is - or options of its training, joined by commas), batch, learning rate (the paper's by
# batch: 4e-3·√(B/64); -: its recipe's), other options of train.
altered() {
    "$build/pages" steps ours | sed "s/$tab.*/ - 64 4e-3/"
}

rows() {
    for row in 6 7 8 9 10 0 1 2 3 4 5 11 12 13 14 15 15-std0.04; do
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

noise() {
    for row in 0 5 6 8 14; do
        echo "13_paper_roadmap $row 64 4e-3 --alter noise:64"
    done
}

# Few images are seen as often in all as many are, and the rate rises as long: a tenth is held out, so that 1,000,
# 5,400 and by default 54,000 images remain for training.
trainings() {
    while read -r lr training steps; do
        # shellcheck disable=SC2086 # a list of words
        "$build/pages" steps $steps | sed "s/$tab.*/ $training 64 $lr/"
    done << 'end'
- --recipe=classic 00 12
- --recipe=paper 00 12
4e-3 --epochs=40 00 04 12
4e-3 --epochs=40,--mixup,--cutmix 00 04 12
4e-3 --limit=1111,--epochs=540,--warmup=54 00 05 09 12
4e-3 --limit=6000,--epochs=100,--warmup=10 00 05 09 12
end
}

variants_altered() {
    sed -n "s/^\(12_[^$tab]*norm[^$tab]*\).*/\1 - 64 4e-3/p" results/variants.tsv
}

# fits NETWORK ROW: the network takes images of this size.
fits() {
    of=
    case $2 in [0-9]*) of=--row=${2%-std*} ;; esac
    # shellcheck disable=SC2086 # a word or none
    [ ! "$input" ] || "$build/$1" report --preset small --input "$input" $of > /dev/null 2>&1
}

# each COMMAND TABLE…: calls it with TABLE SEED NETWORK ROW BATCH LR OPTIONS for every run.
each() {
    command=$1
    shift
    for seed in ${SEEDS:-1 2 3}; do
        for table; do
            "$table" | while read -r network row batch lr options; do
                fits "$network" "$row" || continue
                "$command" "$table" "$seed" "$network" "$row" "$batch" "$lr" "$options" || exit
            done || exit
        done
    done
}

line() {
    BUILD=$build "$build/pages" line "$PWD" BUILD DATA INPUT EPOCHS FASHION_MNIST CIFAR10 CIFAR100 -- results/altered.sh --run "$@"
}

# place TABLE SEED NETWORK ROW BATCH LR OPTIONS: sets the run's folder, and how its rows begin.
place() {
    folder=$runs/$4-$5$(printf '%s' "$7" | tr ' :' '--')
    out=$folder/$3-$2 key=$3$tab$4$tab$5$tab$2$tab
}

run() {
    place "$@"
    ! grep -qs "^$key" "$tables/$1.tsv" && [ ! -f "$out/altered.tsv" ] || return 0
    row=${4%-std*} lr=${6#-}
    case $4 in
    -) ;;
    --*) set -- "$1" "$2" "$3" "$4" "$5" "$6" "$(echo "$4" | tr , ' ') $7" ;;
    *-std*)
        first=$folder/first-$2.safetensors
        # The first weights fit the data: "cifar10: images of 3x32x32, 10 classes, …"
        fits=$("$build/$3" data "$data" | sed -n 's/.* images of \([0-9]*\)x[^ ]* \([0-9]*\) classes.*/\1 \2/p')
        mkdir -p "$folder" && "$build/$3" init --preset small --row "$row" --std "${4#*-std}" \
            --input "${input:-${fits% *}x64x64}" --classes "${fits#* }" --seed "$2" --output "$first" || exit
        set -- "$1" "$2" "$3" "$4" "$5" "$6" "--row $row --weights $first $7"
        ;;
    *) set -- "$1" "$2" "$3" "$4" "$5" "$6" "--row $row $7" ;;
    esac
    DATA=$data EPOCHS=$epochs FOLDER=$folder OMP_NUM_THREADS=1 \
        TRAIN="--batch-size $5 ${lr:+--lr $lr }${input:+--input $input }--layer-scale 0.1 $7" \
        results/train.sh --run "$build" "$3" "$2" || exit
    new=$out/altered.tsv.$$
    trap 'rm -f "$new" "$new.rows"' EXIT
    trap 'exit 143' HUP INT TERM
    "$build/$3" evaluate --weights "$out/best.safetensors" --alter all --threads 1 --format tsv \
        > "$new" && awk -F '\t' -v OFS='\t' -v key="$key" '
        FILENAME ~ /run.tsv$/ { held = $3; machine = $9 OFS $10 OFS $11; next }
        FNR > 1 { print key $1, $2, $3, $4, held, machine }' "$out/run.tsv" "$new" > "$new.rows" &&
        mv "$new.rows" "$out/altered.tsv"
}

found() {
    place "$@"
    [ ! -f "$out/altered.tsv" ] || cat "$out/altered.tsv"
}

# keep TABLE: adds rows where they belong.
keep() {
    each found "$1" > "$tables/$1.tsv.$$"
    if [ -s "$tables/$1.tsv.$$" ]; then
        {
            echo "$header" | tr ' ' '\t'
            { [ ! -f "$tables/$1.tsv" ] || sed 1d "$tables/$1.tsv"; cat "$tables/$1.tsv.$$"; } |
                awk -F '\t' '!seen[$1, $2, $3, $4, $5]++' |
                LC_ALL=C sort -s -t "$tab" -k 1,1 -k 2,2n -k 2,2 -k 3,3nr -k 4,4n
        } > "$tables/$1.tsv.$$.new" && mv "$tables/$1.tsv.$$.new" "$tables/$1.tsv"
    fi
    rm -f "$tables/$1.tsv.$$"
}

if [ "$mode" = --run ]; then
    run "$@"
    exit
fi
[ $# -gt 0 ] || set -- altered rows norms
for table; do
    case $table in
    altered | rows | norms | noise | trainings | variants_altered) ;;
    *)
        echo "altered.sh: $table: no table of altered, rows, norms, noise, trainings, variants_altered" >&2
        exit 2
        ;;
    esac
done
[ "$mode" != --list ] || { each line "$@"; exit; }

status=0
# shellcheck disable=SC2086 # a list of words
each line "$@" | "$build/pages" launch ${LAUNCH:-sh} &
child=$!
trap 'kill "$child"; wait "$child"; exit 143' HUP INT TERM
wait "$child" || status=1
mkdir -p "$tables"
for table; do keep "$table"; done
exit $status
