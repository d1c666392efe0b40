#!/bin/sh
# shellcheck disable=SC2016 # what looks like `a command` is Markdown
# The pages: README and docs, in English, and their counterparts in Chinese.
#
#   pages.sh --write BUILD      writes again what stands between the markers
#                               <!-- begin generated: NAME WORD… --> and <!-- end generated -->,
#                               and copies every fence of an English page into the Chinese one
#   pages.sh --check BUILD      says which pages that would change
# Each of them ends with status 1 where something is wrong. Run it where steps/ stands.
set -eu
export LC_ALL=C.UTF-8

build=build
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# --- which pages there are ------------------------------------------------------------------------

english() {
    ls README.md docs/*.md
}

# other PAGE: the counterpart of an English page.
other() {
    case $1 in
    README.md) echo README.zh-CN.md ;;
    *) echo "docs/zh/${1#docs/}" ;;
    esac
}

pages() {
    for page in $(english); do
        echo "$page"
        [ ! -f "$(other "$page")" ] || other "$page"
    done
}

# --- what the programs and tables say -------------------------------------------------------------

# rows STEP PRESET: puts the step's report for programs into $tmp/STEP.PRESET. A step that has
# neither preset is a network of the paper's; one that has no such network leaves the file empty. A
# program is asked once.
rows() {
    file=$tmp/$1.$2
    [ ! -f "$file" ] || return 0
    "$build/$1" report --format tsv --preset "$2" > "$file" 2>/dev/null || [ $? -eq 2 ]
    if [ ! -s "$file" ] && [ "$2" = paper ]; then
        rows "$1" article
        file=$tmp/$1.$2
        [ -s "$tmp/$1.article" ] || "$build/$1" report --format tsv > "$file"
    fi
}

# The steps that have a lesson, in their order.
lessons() {
    for folder in steps/*/; do
        step=${folder#steps/}
        step=${step%/}
        [ ! -f "docs/$step.md" ] || echo "$step"
    done
}

# neighbours STEP: sets last and next to the lessons before and after it, empty where there is none.
neighbours() {
    last='' next='' seen=''
    [ -n "${order-}" ] || order=$(lessons)
    for step in $order; do
        if [ "$seen" ]; then
            next=$step
            return
        elif [ "$step" = "$1" ]; then
            seen=1
        else
            last=$step
        fi
    done
}

# --- the generated blocks -------------------------------------------------------------------------

# say ENGLISH CHINESE: the one of this page's language.
say() {
    if [ "$lang" = zh ]; then printf '%s' "$2"; else printf '%s' "$1"; fi
}

# up: what leads from this page to the folder where steps/ stands.
up() {
    case $page in docs/zh/*) printf ../../ ;; docs/*) printf ../ ;; esac
}

block_ladder() {
    results/ladder.sh --markdown results/ladder.tsv | chinese_head
}

# The head of the ladder's table, for a Chinese page.
chinese_head() {
    if [ "$lang" = zh ]; then
        sed '1s/.*/| 步 | 百万参数，文章 | G MACs，文章 | 百万参数，论文 | G MACs，论文 | encoder，文章 |/'
    else
        cat
    fi
}

# The tables of speed: a kernel's versions, all steps, and others' programs.
block_kernels() {
    results/kernels.sh --markdown results/kernels.tsv "$1"
}

block_speed() {
    results/speed.sh --markdown results/speed.tsv
}

block_peers() {
    results/peers.sh --markdown results/peers.tsv
}

# accuracies: of every step that was trained, between tabs, its name, test accuracy, seeds, millions of
# MACs, and the paper's accuracy.
accuracies() {
    awk -F '\t' -v OFS='\t' '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["seeds"] != "-" {
            test = sprintf("%.2f", $at["test_mean"])
            if ($at["test_std"] != "-")
                test = test sprintf(" ± %.2f", $at["test_std"])
            print $1, test, $at["seeds"], sprintf("%.1f", $at["small_macs"] / 1e6), $at["paper_top1"]
        }' "$build/ladder.tsv"
}

# accuracy: every step's runs beside the paper's.
block_accuracy() {
    head='| step | test accuracy, % | change | M MACs | ImageNet, the paper, % | change |'
    [ "$lang" = en ] ||
        head='| 步 | 测试准确率，% | 变化 | M MACs | 论文的 ImageNet，% | 变化 |'
    printf '%s\n|---|---:|---:|---:|---:|---:|\n' "$head"
    awk -F '\t' "$statistics"'
        FILENAME ~ /accuracy/ && FNR > 1 { add($1, $4); next }
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $1 in n {
            paper = $at["paper_top1"]
            printf "| %s | %s | %s | %.1f | %s | %s |\n", $1, spread($1),
                last == "" ? "" : difference($1, last), $at["small_macs"] / 1e6, paper,
                paper + 0 && before ? sprintf("%+.2f", paper - before) : ""
            last = $1
            before = paper + 0
        }' results/accuracy.tsv "$build/ladder.tsv"
}

# Functions for awk: values by name; their mean and standard deviation (of n - 1), and the difference
# of two means with its standard error, where there are enough for one.
statistics='
    function add(name, x) { value[name, ++n[name]] = x; sum[name] += x }
    function mean(name) { return sum[name] / n[name] }
    function variance(name,    i, square) {
        for (i = 1; i <= n[name]; i++)
            square += (value[name, i] - mean(name)) ^ 2
        return square / (n[name] - 1)
    }
    function spread(name) {
        return sprintf(n[name] > 1 ? "%.2f ± %.2f" : "%.2f", mean(name),
            n[name] > 1 ? sqrt(variance(name)) : 0)
    }
    function difference(name, other,    text) {
        text = sprintf("%+.2f", mean(name) - mean(other))
        if (n[name] > 1 && n[other] > 1)
            text = text sprintf(" ± %.2f", sqrt(variance(name) / n[name] + variance(other) / n[other]))
        return text
    }'

# variants: the steps with one more edit beside the steps as they are.
block_variants() {
    head="| variant | seeds | test accuracy, % | its step's, % | difference |"
    [ "$lang" = en ] || head='| 变体 | 种子数 | 测试准确率，% | 原步骤，% | 差 |'
    printf '%s\n|---|---:|---:|---:|---:|\n' "$head"
    awk -F '\t' "$statistics"'
        FNR == 1 { next }
        FILENAME ~ /accuracy/ { add($1, $4); next }
        $1 in n {
            printf "| `%s` | %d | %s | %s | %s |\n", $1, n[$1], spread($1), spread($2),
                difference($1, $2)
        }' results/accuracy.tsv results/variants_accuracy.tsv results/variants.tsv
}

# longer: twice the epochs, with the seed that these runs have.
block_longer() {
    head='| step | 10 epochs, % | 20 epochs, % | difference |'
    [ "$lang" = en ] || head='| 步 | 10 轮，% | 20 轮，% | 差 |'
    printf '%s\n|---|---:|---:|---:|\n' "$head"
    awk -F '\t' '
        FNR == 1 { next }
        FILENAME ~ /longer/ {
            printf "| %s | %.2f | %.2f | %+.2f |\n", $1, short[$1, $2], $4, $4 - short[$1, $2]
        }
        { short[$1, $2] = $4 }' results/accuracy.tsv results/longer_accuracy.tsv
}

# search: the held-out accuracy of the search for the learning rate.
block_search() {
    head='| step | learning rate | batch | held out, % |'
    [ "$lang" = en ] || head='| 步 | 学习率 | 批量 | 留出集，% |'
    printf '%s\n|---|---:|---:|---:|\n' "$head"
    awk -F '\t' 'NR > 1 { printf "| %s | %s | %s | %s |\n", $1, $2, $3, $6 }' results/search.tsv
}

# nav STEP [functions]: where to go from here, and into the code.
block_nav() {
    neighbours "$1"
    [ -z "$last" ] || printf '← [%s](%s.md) · ' "$last" "$last"
    printf '[%s](%ssteps/%s/main.c)' "$(say 'the code' 代码)" "$(up)" "$1"
    [ $# -eq 1 ] || { say ': ' ：; functions "$1"; }
    printf ' · '
    printf '[%s](README.md) · ' "$(say 'all lessons' 全部课程)"
    say "[中文](zh/$1.md)" "[English](../$1.md)"
    [ -z "$next" ] || printf ' · [%s](%s.md) →' "$next" "$next"
    echo
}

# functions STEP: links to the lines of each of its functions.
functions() {
    awk -v file="$(up)steps/$1/main.c" '
        /^(static|int) [^;=]*\(/ {
            name = $0
            sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name)
            first = NR
        }
        /^}$/ && name != "" {
            printf "%s[%s](%s#L%d-L%d)", comma, name, file, first, NR
            comma = ", "
            name = ""
        }' "steps/$1/main.c"
}

block_diff() {
    printf '```diff\n'
    docs/diffs.sh "$1"
    printf '```\n'
}

# lessons: the table of all of them.
block_lessons() {
    say '| step | what changes | lesson | diff |
|---|---|---|---|
' '| 步 | 改了什么 | 课程 | diff |
|---|---|---|---|
'
    for step in $(lessons); do
        title=$(sed -n 's/.*\.title = "\(.*\)",.*/\1/p' "steps/$step/main.c")
        heading=$(sed -n '1s/^# [0-9]* *//p' "${page%/*}/$step.md" 2>/dev/null || true)
        printf '| [%s](%ssteps/%s/main.c) | %s | [%s](%s.md) | ' "${step%%_*}" "$(up)" "$step" \
            "$title" "${heading:-$step}" "$step"
        [ ! -f "docs/diffs/$step.diff" ] || printf '[diff](%sdocs/diffs/%s.diff)' "$(up)" "$step"
        printf ' |\n'
    done
}

# numbers STEP: the whole network in figures, beside the step before.
block_numbers() {
    now=$1
    neighbours "$now"
    set --
    for preset in article paper small; do
        for step in $last $now; do
            rows "$step" "$preset"
            set -- "$@" "$tmp/$step.$preset"
        done
    done
    printf '| | %s%s |\n|---|%s---:|\n' "${last:+$last | }" "$now" "${last:+---:|}"
    names='parameters|MACs|encoder gives|weights + largest output, MiB'
    [ "$lang" = en ] || names='参数|MACs|encoder 输出|权重 + 最大的一层输出，MiB'
    awk -F '\t' -v names="$names" -v steps="$last $now" -v tmp="$tmp" '
        function grouped(text,    i, s) {
            for (i = length(text); i > 3; i -= 3)
                s = "," substr(text, i - 2, 3) s
            return substr(text, 1, i) s
        }
        # 2 for "1x64x56x56 …": the product of what is between the x.
        function elements(shape,    n, part, i, product) {
            n = split(shape, part, "x")
            for (product = i = 1; i <= n; i++)
                product *= part[i]
            return product
        }
        # A row of the table, if the last step has such a network; a dash where another has not.
        function line(preset, which,    i, text, cell) {
            for (i = 1; i <= count; i++) {
                cell = value[step[i], preset, which]
                text = text " " (cell == "" ? "-" : cell) " |"
            }
            if (cell != "")
                printf "| `%s`: %s |%s\n", preset, name[which], text
        }
        FNR == 1 {
            at = substr(FILENAME, length(tmp) + 2)
            preset = at
            sub(/.*\./, "", preset)
            sub(/\.[a-z]*$/, "", at)
            largest = 0
            next
        }
        $1 == "total" {
            value[at, preset, 1] = grouped($4)
            value[at, preset, 2] = grouped($5)
            value[at, preset, 3] = before_head
            value[at, preset, 4] = sprintf("%.1f + %.2f", $4 * 4 / 1048576, largest * 4 / 1048576)
        }
        { if (elements($3) > largest) largest = elements($3) }
        $2 == "global_avg_pool" { before_head = encoder }
        { encoder = $3 }
        END {
            count = split(steps, step, " ")
            split(names, name, "|")
            for (p = 1; p <= 3; p++)
                for (i = 1; i <= (p == 3 ? 2 : 4); i++)
                    line(p == 1 ? "article" : p == 2 ? "paper" : "small", i)
        }' "$@"
    time_row
}

# time_row: ms a picture, where results/speed.tsv (rows of `bench --format tsv`) has them.
time_row() {
    unknown='not measured yet' what='`paper`: ms a picture'
    [ "$lang" = en ] || { unknown=尚未测量; what='`paper`：每张图片毫秒数'; }
    speed=results/speed.tsv
    [ -f "$speed" ] || speed=/dev/null
    awk -F '\t' -v steps="$last $now" -v unknown="$unknown" -v what="$what" '
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["mode"] == "infer" && $at["batch"] == 1 { ms[$at["network"]] = $at["median_ms"] }
        END {
            printf "| %s |", what
            n = split(steps, step, " ")
            for (i = 1; i <= n; i++)
                printf " %s |", step[i] in ms ? ms[step[i]] : unknown
            print ""
        }' "$speed"
}

# parts STEP PRESET: shape, parameters and MACs of stem, stages and head; beside the step before,
# where its parts are called the same.
block_parts() {
    now=$1 preset=$2
    neighbours "$now"
    for step in $last $now; do
        rows "$step" "$preset"
        part_sums < "$tmp/$step.$preset" > "$tmp/parts.$step"
    done
    head='output | parameters | MACs |' line='---|---:|---:|'
    [ "$lang" = en ] || head='输出 | 参数 | MACs |'
    if [ -z "$last" ] || [ "$(cut -f 1 "$tmp/parts.$last")" != "$(cut -f 1 "$tmp/parts.$now")" ]; then
        printf '| `%s` | %s\n|---|%s\n' "$preset" "$head" "$line"
        awk -F '\t' '{ print "| " $1 " |" $2 }' "$tmp/parts.$now"
    else
        printf '| `%s` | %s %s\n|---|%s%s\n' "$preset" "$head" "$head" "$line" "$line"
        awk -F '\t' 'NR == FNR { old[$1] = $2; next } { print "| " $1 " |" old[$1] $2 }' \
            "$tmp/parts.$last" "$tmp/parts.$now"
    fi
}

part_sums() {
    awk -F '\t' '
        function grouped(n,    text, i, s) {
            text = sprintf("%.0f", n)
            for (i = length(text); i > 3; i -= 3)
                s = "," substr(text, i - 2, 3) s
            return substr(text, 1, i) s
        }
        NR == 1 || $1 == "total" { next }
        {
            name = $1
            sub(/^encoder\./, "", name)
            match(name, /^(stages\.[0-9]+|[a-z_]+)/)
            name = substr(name, 1, RLENGTH)
            if (!(name in parameters))
                order[++n] = name
            shape[name] = $3
            parameters[name] += $4
            macs[name] += $5
        }
        END {
            for (i = 1; i <= n; i++)
                printf "%s\t %s | %s | %s |\n", order[i], shape[order[i]],
                    grouped(parameters[order[i]]), grouped(macs[order[i]])
        }'
}

# paper ROW…: rows of the paper's Table 10.
block_paper() {
    head="| row | the paper's network | top-1, % | its GFLOPs | MACs here | parameters here |"
    [ "$lang" = en ] || head='| 行 | 论文的网络 | top-1，% | 论文的 GFLOPs | 实际 MACs | 实际参数 |'
    printf '%s\n|---:|---|---:|---:|---:|---:|\n' "$head"
    awk -F '\t' -v wanted=" $* " 'index(wanted, " " $1 " ") {
        printf "| %s | %s | %s ± %s | %s | %.3f G | %.3f M |\n", $1, $2, $3, $4, $5, $6 / 1e9, $7 / 1e6
    }' tests/data/paper_roadmap.tsv
}

# measured STEP: what its runs came to, beside the step before.
block_measured() {
    neighbours "$1"
    head='| Fashion-MNIST, preset `small` | seeds | M MACs | test accuracy, % |'
    [ "$lang" = en ] || head='| Fashion-MNIST，preset `small` | 种子数 | M MACs | 测试准确率，% |'
    printf '%s\n|---|---:|---:|---:|\n' "$head"
    accuracies | awk -F '\t' -v steps=" $last $1 " 'index(steps, " " $1 " ") {
        printf "| %s | %s | %s | %s |\n", $1, $3, $4, $2
    }'
}

# diagram FUNCTION STEP…: the calls of a step's function as boxes, a row a step. FUNCTION: block,
# stage, or stem (what stands in the encoder's scope of that name).
block_diagram() {
    function=$1
    shift
    printf '```mermaid\nflowchart LR\n'
    for step in "$@"; do
        boxes "$function" "$step"
    done
    printf '```\n'
}

boxes() {
    awk -v wanted="$1" -v step="$2" '
        function word(name,    text) {
            if (!match(line, "\\." name " = [^,)]*"))
                return ""
            text = substr(line, RSTART, RLENGTH)
            sub(/.* = /, "", text)
            return text
        }
        function width(value) { return value == "" ? "" : " to " value }
        function act(    a) {
            a = word("act")
            return a == "IDENTITY" ? "" : ", " (a == "" ? "ReLU" : a)
        }
        function conv(    k, g, text) {
            k = word("kernel")
            g = word("groups")
            text = "conv " k "x" k width(word("out"))
            if (g != "")
                text = text (g == word("out") ? ", depthwise" : ", " g " groups")
            if (word("stride") != "")
                text = text ", stride " word("stride")
            return text
        }
        function label(op) {
            if (op == "conv_norm_act") return conv() ", BN" act()
            if (op == "conv2d") return conv()
            if (op == "max_pool") return "max pool " word("kernel") "x" word("kernel") ", stride " word("stride")
            if (op == "group_norm") return "group norm, 1 group"
            if (op == "layer_norm") return "layer norm"
            if (op == "batch_norm") return "BN"
            if (op == "linear") return "linear" width(word("out"))
            if (op == "relu") return "ReLU"
            if (op == "gelu") return "GELU"
            if (op == "layer_scale") return "layer scale"
            if (op == "drop_path") return "drop path"
            if (op == "block") return "block, depth times"
            return op
        }
        function box(text) {
            n++
            printf "    %s%d%s --> %s%d[\"%s\"]\n", id, n - 1, n == 1 ? "[\"x\"]" : "", id, n, text
        }
        BEGIN {
            id = "s" substr(step, 1, 2)
            printf "  subgraph %s [\"%s\"]\n    direction TB\n", id, step
        }
        /^static|^int/ { inside = $0 ~ ("\\*" (wanted == "stem" ? "encoder" : wanted) "\\(") }
        wanted == "stem" && /SCOPE/ { inside = inside && /"stem"/ }
        !inside { next }
        pending { line = line " " $0; pending = 0 }
        !pending && !/^ *(x|res) = .*\(|return .*\(/ && line == "" { next }
        line == "" { line = $0 }
        line !~ /;/ { pending = 1; next }
        {
            sub(/^ *(x|res) = /, "", line)
            op = line
            sub(/\(.*/, "", op)
            if (line ~ /^conv_norm_act\(res/)
                shortcut = label(op)
            else if (line ~ /return/) {
                from = n
                box("add")
                # The other summand: the input, through the projection where there is one.
                printf shortcut == "" ? "    %s0 --> %s%d\n" : "    %s0 -- \"%s\" --> %s%d\n", id,
                    shortcut == "" ? id : shortcut, shortcut == "" ? n : id, n
                if (line ~ /relu\(/) box("ReLU")
                if (line ~ /gelu\(/) box("GELU")
            } else
                box(label(op))
            line = ""
        }
        END { print "  end" }' "steps/$2/main.c"
}

# --- writing a page -------------------------------------------------------------------------------

# expanded PAGE: the page with its blocks made anew.
expanded() {
    page=$1
    case $page in *zh*) lang=zh ;; *) lang=en ;; esac
    number=0
    sed -n 's/^<!-- begin generated: \(.*\) -->$/\1/p' "$page" > "$tmp/names"
    while read -r words; do
        number=$((number + 1))
        case $words in
        diff* | diagram*) # the same in every language
            cached=$tmp/$words
            # shellcheck disable=SC2086
            [ -f "$cached" ] || block_$words > "$cached" < /dev/null
            cp "$cached" "$tmp/block.$number"
            ;;
        *)
            # shellcheck disable=SC2086
            block_$words > "$tmp/block.$number" < /dev/null
            ;;
        esac
    done < "$tmp/names"
    awk -v at="$tmp/block." '
        /^<!-- end generated -->$/ { inside = 0 }
        !inside
        /^<!-- begin generated: .* -->$/ {
            inside = 1
            file = at (++n)
            while ((getline line < file) > 0)
                print line
        }
        END { exit inside }' "$page" > "$tmp/page"
    if [ "$lang" = zh ]; then
        copy_fences "$(original "$page")" "$tmp/page"
    else
        cat "$tmp/page"
    fi
}

original() {
    case $1 in
    README.zh-CN.md) echo README.md ;;
    *) echo "docs/${1#docs/zh/}" ;;
    esac
}

# copy_fences FROM TO: TO with the fences of FROM, the first for the first, and so on, but for those
# in generated blocks. Both must have as many, which --pairs sees to.
copy_fences() {
    awk '
        /^<!-- begin generated/ { generated = 1 }
        /^<!-- end generated/ { generated = 0 }
        FNR == 1 { file++; inside = count = 0 }
        !generated && /^```/ {
            if (!inside)
                count++
            inside = !inside
            if (file == 1)
                text[count] = text[count] $0 "\n"
            else if (inside)
                printf "%s", text[count]
            next
        }
        file == 1 && inside { text[count] = text[count] $0 "\n" }
        file == 2 && !(inside && !generated)
        ' "$1" "$2"
}

write() {
    for page in $(pages); do
        expanded "$page" > "$tmp/new"
        cmp -s "$tmp/new" "$page" || cp "$tmp/new" "$page"
    done
}

check() {
    status=0
    for page in $(pages); do
        expanded "$page" > "$tmp/new"
        diff -u --label "$page" --label "$page, by make docs" "$page" "$tmp/new" || status=1
    done
    for file in docs/diffs/*.diff; do
        docs/diffs.sh "$(basename "$file" .diff)" > "$tmp/new"
        diff -u --label "$file" --label "$file, by make docs" "$file" "$tmp/new" || status=1
    done
    return $status
}

# --------------------------------------------------------------------------------------------------

command=${1?what? see the head of this file}
build=${2:-build}
case $command in
--write | --check) ${command#--} ;;
*)
    echo "pages.sh: $command: what is that?" >&2
    exit 2
    ;;
esac
