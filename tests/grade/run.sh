#!/bin/sh
# run.sh BUILD [NUMBER…]: steps with a usual mistake (tests/grade/mistakes), or those of these lines:
# each must be found, and told in words of its own. $GRADE_COMPILE and $GRADE_WITH as make grade has
# them. Run it where steps/ stands.
set -u
build=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
: >"$folder/told"
wrong=0 number=0 tried=0
tab=$(printf '\t')

# check: the mistake of this line.
check() {
    mkdir -p "$folder/$number"
    sed "$edit" steps/"$step"_*/main.c >"$folder/$number/main.c"
    if cmp -s steps/"$step"_*/main.c "$folder/$number/main.c"; then
        echo "$number: $edit: changes nothing in step $step"
        return 1
    fi
    "$build/grade" "$step" "$folder/$number" >"$folder/out" 2>"$folder/err"
    status=$?
    told=$(sed -n "s|^    ||; s|$folder/[0-9]*/main.c:[0-9]*|main.c|; /^  /d; 2,\$p" "$folder/out" | sed '$d')
    [ $status -eq 1 ] || { echo "$number: $edit: status $status"; cat "$folder/out" "$folder/err"; return 1; }
    echo "$words" | tr '|' '\n' >"$folder/words"
    while read -r word; do
        case $told in
        *"$word"*) ;;
        *) echo "$number: step $step, $edit: should tell '$word', tells:"
            echo "$told"
            return 1 ;;
        esac
    done <"$folder/words"
    told=$(echo "$told" | tr '\n' ' ')
    if grep -qxF "$told" "$folder/told"; then
        echo "$number: $edit: told as another was: $told"
        return 1
    fi
    echo "$told" >>"$folder/told"
}

while IFS=$tab read -r step edit words; do
    number=$((number + 1))
    case " $* " in "  " | *" $number "*) ;; *) continue ;; esac
    tried=$((tried + 1))
    check || wrong=$((wrong + 1))
done <tests/grade/mistakes
echo "$tried steps with a mistake, $wrong not told as they should"
[ $wrong -eq 0 ] && [ $tried -gt 0 ]
