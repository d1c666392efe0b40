#!/bin/sh
# c_code.sh BUILD FOLDER NETWORK…: exports networks as C into FOLDER, compiles them with CC (cc) and
# EXTRA, where a warning is an error, runs them with RUN (empty), and compares their logits with those of
# the plain engine. NETWORK: a step's name; row-N, a row of step 13; either with -beside, its weights in
# a file of their own. Prints a line per network and ends with 1 where a logit differs by more than
# 1e-6 of the largest.
set -u
build=$1 folder=$2 failed=0
shift 2

data() { # FILE: a safetensors file's data
    tail -c +$(($(od -A n -t u4 -N 4 "$1") + 9)) "$1"
}

compare() { # OURS THEIRS
    if [ "$(wc -c <"$1")" -gt 0 ] && cmp -s "$1" "$2"; then
        echo 'the same bits'
        return
    fi
    for file in "$1" "$2"; do od -A n -v -t f4 "$file" | tr -s ' ' '\n' | grep . >"$file.txt"; done
    paste "$1.txt" "$2.txt" | awk '
        NF != 2 { bad = 1 }
        { d = $1 - $2; if (d < 0) d = -d; if (!(d <= most)) most = d }
        { y = $2 < 0 ? -$2 : $2; if (y > largest) largest = y }
        END { print "differs by " most " of " largest; exit bad || !NR || !(most <= 1e-6 * largest) }'
}

network() { # NAME BESIDE
    case $1 in
        row-*)
            step=13_paper_roadmap batch=tests/data/road/batch.safetensors images=3
            config="--row ${1#row-} --stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --classes 10 --input 3x64x64"
            [ "$1" != row-15 ] || config="$config --layer-scale 0.5" # its usual 1e-6 would hide a wrong block
            weights=$folder/weights.safetensors
            # shellcheck disable=SC2086 # several words
            "$build/$step" init $config --seed 3 --output "$weights" || return 1
            ;;
        *)
            step=$1 case=tests/data/steps/$1 images=4
            config=$(cat "$case/config.txt") weights=$case/weights.safetensors
            batch=$case/batch.safetensors
            ;;
    esac
    beside=${2:+"$folder/net.weights"}
    # shellcheck disable=SC2086
    "$build/$step" export $config --weights "$weights" --c "$folder/net.c" \
        ${beside:+--c-weights "$beside"} &&
        "$build/$step" forward $config --engine plain --weights "$weights" --batch "$batch" \
            --output "$folder/logits" || return 1
    name=$(sed -n 's/^void \(step_[a-z0-9_]*\)(.*;/\1/p' "$folder/net.c")
    count=${beside:+$(($(wc -c <"$beside") / 4))}
    # shellcheck disable=SC2086
    ${CC:-cc} -std=c11 -O1 -Wall -Wextra -pedantic -Werror ${EXTRA:-} -DNETWORK="$name" \
        -DIMAGE=$((3 * 64 * 64)) -DCLASSES=10 ${count:+-DBESIDE=$count} -o "$folder/net" \
        tests/c_code/main.c "$folder/net.c" -lm || return 1
    # shellcheck disable=SC2086
    data "$batch" | head -c $((images * 3 * 64 * 64 * 4)) | ${RUN:-} "$folder/net" $beside \
        >"$folder/ours" && data "$folder/logits" >"$folder/theirs" &&
        compare "$folder/ours" "$folder/theirs"
}

mkdir -p "$folder"
for what in "$@"; do
    result=$(network "${what%-beside}" "$(expr "$what" : '.*\(-beside\)$')") || failed=1
    echo "$what: $result"
done
exit $failed
