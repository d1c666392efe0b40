#!/usr/bin/env bash
# run.sh TARGET…: builds those of tests/fuzz with AddressSanitizer and UndefinedBehaviorSanitizer in
# build-fuzz and runs each for FUZZ_SECONDS. What a run has found is kept in build-fuzz/corpus, an
# input that fails in build-fuzz/failed. Called by `make fuzz`.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-60} make=${MAKE:-make} folder=build-fuzz

works() {
    echo 'int LLVMFuzzerTestOneInput(const char *b, long n) { return (void)b, (void)n, 0; }' |
        clang -fsanitize=fuzzer,address,undefined -xc - -o /dev/null 2>/dev/null
}
if ! works; then
    echo 'no clang with libFuzzer: nothing is fuzzed (apt-get install clang libclang-rt-14-dev)'
    exit 0
fi

flags='-O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined'
"$make" --no-print-directory CC=clang BUILD=$folder QUIET=1 \
    EXTRA="$flags -fno-sanitize-recover=all" "${@/#/$folder/fuzz/}"

for target; do
    mkdir -p $folder/corpus/$target $folder/failed
    words=($folder/corpus/"$target" -max_total_time="$seconds" -print_final_stats=1
        -artifact_prefix=$folder/failed/"$target"-)
    [ -d tests/fuzz/seeds/"$target" ] && words+=(tests/fuzz/seeds/"$target")
    [ -f tests/fuzz/$target.dict ] && words+=(-dict=tests/fuzz/$target.dict)
    # What a program prints before it ends with an error is not of interest here.
    [ $target = network ] && words+=(-close_fd_mask=3 -detect_leaks=0)
    if ! $folder/fuzz/$target "${words[@]}" >$folder/$target.log 2>&1; then
        tail -n 40 $folder/$target.log
        echo "fuzz $target: failed; the input is in $folder/failed" >&2
        exit 1
    fi
    awk -v target="$target" '/^stat::number_of_executed_units/ { runs = $2 }
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        END { printf "fuzz %s: %d inputs, %d edges, nothing found\n", target, runs, edges }' \
        $folder/$target.log
done
