#!/usr/bin/env bash
# kill.sh BUILD KILLS: kills short training runs at random moments, KILLS times in all, starts each
# again with --resume, and compares what they end with with an undisturbed run's: the same bytes.
# Called by `make kill`. SEED in the environment repeats a sequence of moments.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$1 kills=$2 seed=${SEED:-$RANDOM}
case $kills in '' | *[!0-9]*) echo "kill.sh: KILLS: '$kills' is no whole number" >&2; exit 2 ;; esac
step=11_drop_path_layer_scale
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
RANDOM=$seed

words=(train --data shapes --limit 400 --epochs 3 --batch-size 20 --stem 8 --widths 8,8,16,16
    --depths 1,1,1,1 --drop-path 0.5 --layer-scale 0.1 --mixup --ema 0.9 --seed 4)

milliseconds() {
    echo $(($(date +%s%N) / 1000000))
}

same() { # what a run leaves, seconds aside
    local name
    for name in best.safetensors last.safetensors; do
        cmp "$folder/whole/$name" "$folder/$1/$name"
    done
    cmp <(cut -f 1-11 "$folder/whole/result.tsv") <(cut -f 1-11 "$folder/$1/result.tsv")
    cmp <(cut -f 1-6 "$folder/whole/log.tsv") <(cut -f 1-6 "$folder/$1/log.tsv")
}

# A run of the folder `killed`, killed after so many milliseconds; fails if it ended before.
run_and_kill() {
    "$build/$step" "${words[@]}" --resume --out "$folder/killed" >/dev/null 2>&1 &
    sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
    kill -KILL $! 2>/dev/null || true
    local status=0
    wait $! 2>/dev/null || status=$?
    [ "$status" -eq 137 ]
}

start=$(milliseconds)
"$build/$step" "${words[@]}" --out "$folder/whole" >/dev/null
took=$(($(milliseconds) - start))
killed=0 runs=0
while [ "$killed" -lt "$kills" ]; do
    # Up to five kills per run, then it may end.
    for ((i = 0; i < 5 && killed < kills; i++)); do
        if run_and_kill $((RANDOM * took / 32768)); then
            killed=$((killed + 1))
        fi
    done
    "$build/$step" "${words[@]}" --resume --out "$folder/killed" >/dev/null
    same killed
    rm -r "$folder/killed"
    runs=$((runs + 1))
done
echo "kill: $killed kills in $runs runs of $took ms, the same bytes each time (SEED=$seed)"
