#!/bin/sh
# Collects what the complete runs of the ladder came to.
#
#   accuracy.sh [--data NAME] FOLDER ACCURACY [CURVES]
#
# Reads FOLDER/STEP-SEED/run.tsv and log.tsv, as train.sh leaves them, and writes two tables, tabs
# between their columns. ACCURACY: a line a run, sorted by step and seed; accuracies in per cent.
# CURVES: a line a step and epoch: the held-out accuracy's mean, least and most over the seeds. Where
# there is no complete run it writes nothing and says so. The variants of steps, and runs of another
# length, have a FOLDER of their own. With --data it refuses runs on other data, and on altered ones.
set -eu
data=
if [ "$1" = --data ]; then
    data=$2
    shift 2
fi
folder=$1 accuracy=$2 curves=${3-}
tab=$(printf '\t')
header='step seed held_out_top1 test_top1 test_loss epochs seconds threads commit compiler cpu'
trap 'rm -f "$accuracy.$$" "$accuracy.$$.curves"' EXIT
set -- "$folder"/*/run.tsv
if [ ! -f "$1" ]; then
    echo "accuracy.sh: $folder: there is no complete run (make train FOLDER=$folder)" >&2
    exit 1
fi
for run; do
    made=${run%run.tsv}made_of.txt
    [ "$data" ] && [ -f "$made" ] || continue
    case $(sed 1q "$made") in
    *--alter*) ;;
    *", data $data, "*) continue ;;
    esac
    echo "accuracy.sh: ${run%/run.tsv}: was not trained on $data as it is: $(sed 1q "$made")" >&2
    exit 1
done
awk -v header="$header" '
    BEGIN { gsub(" ", "\t", header) }
    FNR == 1 && $0 != header {
        print "accuracy.sh: " FILENAME ": its columns are not those of a run" > "/dev/stderr"
        exit bad = 1
    }
    FNR == 2 { print }
    END { exit bad }' "$@" > "$accuracy.$$.curves"
{
    echo "$header" | tr ' ' '\t'
    sort -t "$tab" -k 1,1 -k 2,2n "$accuracy.$$.curves"
} > "$accuracy.$$"
if [ "$curves" ]; then
    for run; do
        awk -F '\t' -v OFS='\t' '
            FILENAME ~ /run.tsv$/ { step = $1; next }
            FNR > 1 { print step, $1, $5 }' "$run" "${run%run.tsv}log.tsv"
    done | sort -t "$tab" -k 1,1 -k 2,2n | awk -F '\t' '
        function show() {
            if (n)
                printf "%s\t%.3f\t%s\t%s\t%d\n", key, sum / n, least, most, n
            n = sum = 0
        }
        NR == 1 { print "step\tepoch\theld_out_mean\theld_out_min\theld_out_max\tseeds" }
        $1 "\t" $2 != key { show(); key = $1 "\t" $2; least = most = $3 }
        { n++; sum += $3; least = $3 < least ? $3 : least; most = $3 > most ? $3 : most }
        END { show() }' > "$accuracy.$$.curves"
    mv "$accuracy.$$.curves" "$curves"
fi
mv "$accuracy.$$" "$accuracy"
