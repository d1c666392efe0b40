#!/usr/bin/env bash
# run.sh BUILD [NUMBER...]: plants the faults of tests/mutants/list, or those numbers, one after the
# other in a copy of this tree that starts from what BUILD holds, and says which test kills each: it
# fails twice with the fault and passes without. Status 1 where one survives. Called by `make mutants`.
# run.sh --check: only whether each fault's text still stands once in common/.
set -euo pipefail
cd "$(dirname "$0")/../.."

numbers=() heads=() olds=() news=()
while IFS= read -r line; do
    case $line in
    [0-9]*) numbers+=("${line%% *}") heads+=("${line#* }") ;;
    '- '*) olds+=("${line#- }") ;;
    '+'*) line=${line#+} && news+=("${line# }") ;;
    esac
done <tests/mutants/list

bad=0
for i in "${!numbers[@]}"; do
    found=$({ grep -rhoF --include='*.[ch]' -e "${olds[i]}" common || true; } | wc -l)
    [ "$found" -eq 1 ] && continue
    echo "fault ${numbers[i]}: its text stands $((found)) times in common/, not once: ${olds[i]}" >&2
    bad=1
done
[ "$bad" = 0 ] || exit 1
[ "$1" != --check ] || exit 0

build=$1 make=${MAKE:-make} copy=$(mktemp -d)
shift
trap 'rm -rf "$copy"' EXIT
cp -rp Makefile README*.md LICENSE common docs results steps tests "$copy"
cp -rp "$build" "$copy/build"
: >"$copy/tests/mutants/list" # that each fault is still there is checked here

# Runs the copy's tests of a name; prints those that fail, or what else it ends with.
failing() {
    local status=0
    (cd "$copy" && BUILD=build timeout 1800 build/tests --filter "$1") >"$copy/log" 2>&1 </dev/null ||
        status=$?
    [ $status = 0 ] || sed -n 's/.*\[FAIL\] *\([a-z_0-9]*\)::\([a-z_0-9]*\).*/\1\/\2/p' "$copy/log" |
        grep . || echo "status $status"
}

# Builds the copy, and prints a test that fails, fails again, and passes without the fault.
killer() {
    local name test
    "$make" -C "$copy" --no-print-directory BUILD=build QUIET=1 tests build/faults.so \
        >"$copy/log" 2>&1 || { echo 'SURVIVED: does not build' && return; }
    for name in $1 '*'; do
        for test in $(failing "$name/*"); do
            if [ -n "$(failing "$test")" ] && BUILD=$build "$build/tests" --filter "$test" \
                >/dev/null 2>&1 </dev/null; then
                echo "$test" && return
            fi
        done
    done
    echo SURVIVED
}

survived=0
for i in "${!numbers[@]}"; do
    [ $# = 0 ] || [[ " $* " = *" ${numbers[i]} "* ]] || continue
    file=$(grep -rlF --include='*.[ch]' -e "${olds[i]}" common)
    text=$(cat "$file")
    printf '%s%s%s\n' "${text%%"${olds[i]}"*}" "${news[i]}" "${text#*"${olds[i]}"}" >"$copy/$file"
    by=$(killer "${heads[i]%%:*}")
    cp "$file" "$copy/$file" # younger than what was made from the fault
    [[ $by != SURVIVED* ]] || survived=$((survived + 1))
    printf '%2s %-62s %s\n' "${numbers[i]}" "$by" "${heads[i]#*: }"
done
[ $survived = 0 ] || { echo "$survived survived" >&2 && exit 1; }
