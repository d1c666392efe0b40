#!/bin/sh
# shellcheck disable=SC2016,SC2317 # `…` is Markdown; blocks are called by name
# What stands in the pages between <!-- begin generated: NAME WORD… --> and <!-- end generated -->,
# from the programs in BUILD and the tables in results/; a Chinese page also gets its English page's
# fences. And docs/diffs.
#
#   blocks.sh --write BUILD   writes it again: all pages, or none where something fails
#   blocks.sh --check BUILD   says what that would change
#
# Run it where steps/ stands.
set -eu
export LC_ALL=C.UTF-8

command=${1-} build=${2:-build}
case $command in
--write | --check) ;;
*) echo 'usage: blocks.sh --write|--check BUILD' >&2; exit 2 ;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"; [ -z "${files-}" ] || for file in $files; do rm -f "$file.$$"; done' EXIT

# The steps that have a lesson: a reader's own are in no page.
lessons=$(find docs -name '[0-9][0-9]_*.md' -path 'docs/[0-9]*' | sed 's|docs/\(.*\).md|\1|' | sort)

# --- what the programs say ------------------------------------------------------------------------

# ask STEP PRESET: what the report says, as lines of $tmp/STEP.PRESET with tabs: title; each part
# with output, parameters and MACs; the figures of the whole network by number, as block_numbers
# names them. A step that has neither preset is a network of the paper's; without such a network
# the file is empty.
ask() {
    facts=$tmp/$1.$2 status=0
    [ ! -f "$facts" ] || return 0
    "$build/$1" report --format json --preset "$2" > "$tmp/json" 2> "$tmp/error" || status=$?
    if [ $status -eq 2 ] && [ "$2" = paper ]; then
        ask "$1" article
        facts=$tmp/$1.paper
        if [ -s "$tmp/$1.article" ]; then
            status=2
        else
            status=0
            "$build/$1" report --format json > "$tmp/json" 2> "$tmp/error" || status=$?
        fi
    fi
    [ $status -ne 2 ] || : > "$tmp/json"
    case $status in 0 | 2) ;; *) cat "$tmp/error" >&2; exit 1 ;; esac
    awk -v OFS='\t' '
        function field(name,    text) {
            if (!match($0, "\"" name "\": (\"[^\"]*\"|[^,}]*)"))
                return ""
            text = substr($0, RSTART, RLENGTH)
            sub(/^"[a-z]*": "?/, "", text)
            sub(/"$/, "", text)
            return text
        }
        function grouped(text,    i, s) {
            for (i = length(text); i > 3; i -= 3)
                s = "," substr(text, i - 2, 3) s
            return substr(text, 1, i) s
        }
        # 100352 for "1x32x56x56", the product of what is between the x.
        function elements(shape,    n, part, i, product) {
            n = split(shape, part, "x")
            for (product = i = 1; i <= n; i++)
                product *= part[i]
            return product
        }
        /^ "title": / { print "title", field("title") }
        /^ *[{]"name": / {
            size = elements(field("output"))
            if (size > largest)
                largest = size
        }
        /^ *[{]"part": / {
            print "part", field("part"), field("output"), grouped(field("parameters")),
                grouped(field("macs"))
            if (field("part") != "head")
                encoder = field("output")
        }
        /^ "parameters": / {
            print 1, grouped(field("parameters"))
            print 2, grouped(field("macs"))
            print 3, encoder
            print 4, sprintf("%.1f + %.2f", field("parameters") / 262144, largest / 262144)
        }' "$tmp/json" > "$facts"
}

title_of() {
    ask "$1" paper
    awk -F '\t' '$1 == "title" { print $2 }' "$tmp/$1.paper"
}

# neighbours STEP: sets last and next to the lessons before and after it, empty where there is none.
neighbours() {
    last=$(echo "$lessons" | sed -n "/^$1\$/{ x; p; }; h")
    next=$(echo "$lessons" | sed -n "/^$1\$/{ n; p; }")
}

# --- the blocks -----------------------------------------------------------------------------------

# say ENGLISH CHINESE: the one of this page's language.
say() {
    if [ "$lang" = zh ]; then printf '%s' "$2"; else printf '%s' "$1"; fi
}

# table_head ENGLISH CHINESE LINE: a table's first two lines.
table_head() {
    say "$1" "$2"
    printf '\n%s\n' "$3"
}

# up: what leads from this page to the folder where steps/ stands.
up() {
    case $page in docs/zh/*) printf ../../ ;; docs/*) printf ../ ;; esac
}

block_ladder() {
    results/ladder.sh --markdown results/ladder.tsv > "$tmp/table"
    if [ "$lang" = zh ]; then
        echo '| 步 | 百万参数，文章 | G MACs，文章 | 百万参数，论文 | G MACs，论文 | encoder，文章 |'
        sed 1d "$tmp/table"
    else
        cat "$tmp/table"
    fi
}

# The tables of speed: a kernel's versions, all steps, and others' programs.
block_kernels() { results/kernels.sh --markdown results/kernels.tsv "$1"; }
block_speed() { results/speed.sh --markdown results/speed.tsv; }
block_peers() { results/peers.sh --markdown results/peers.tsv; }

# runs: the runs of every step that was trained, as lines with tabs: step, accuracy, seeds, change
# against the step trained before, millions of MACs, the paper's accuracy and its change.
runs() {
    awk -F '\t' -v OFS='\t' "$(cat results/spread.awk)"'
        FNR == 1 { file++; for (i = 1; i <= NF; i++) at[$i] = i; next }
        file == 1 { add($1, $4) }
        file == 2 { paper[$1] = $4 }
        file == 3 && $1 in n {
            now = $1 in paper ? paper[$1] : "-"
            print $1, spread($1), n[$1], (last == "" ? "" : difference($1, last)),
                sprintf("%.1f", $at["small_macs"] / 1e6), now,
                (now + 0 && before ? sprintf("%+.2f", now - before) : "")
            last = $1
            before = now + 0
        }' results/accuracy.tsv results/paper.tsv results/ladder.tsv
}

block_accuracy() {
    table_head '| step | test accuracy, % | change | M MACs | ImageNet, the paper, % | change |' \
        '| 步 | 测试准确率，% | 变化 | M MACs | 论文的 ImageNet，% | 变化 |' \
        '|---|---:|---:|---:|---:|---:|'
    runs > "$tmp/runs"
    awk -F '\t' '{ printf "| %s | %s | %s | %s | %s | %s |\n", $1, $2, $4, $5, $6, $7 }' "$tmp/runs"
}

# measured STEP: what its runs came to, beside the step before.
block_measured() {
    neighbours "$1"
    table_head '| Fashion-MNIST, preset `small` | seeds | M MACs | test accuracy, % |' \
        '| Fashion-MNIST，preset `small` | 种子数 | M MACs | 测试准确率，% |' '|---|---:|---:|---:|'
    runs > "$tmp/runs"
    awk -F '\t' -v steps=" $last $1 " 'index(steps, " " $1 " ") {
        printf "| %s | %s | %s | %s |\n", $1, $3, $5, $2
    }' "$tmp/runs"
}

# variants: the steps with one more edit beside the steps as they are.
block_variants() {
    table_head '| variant | seeds | test accuracy, % | its step'\''s, % | difference |' \
        '| 变体 | 种子数 | 测试准确率，% | 原步骤，% | 差 |' '|---|---:|---:|---:|---:|'
    awk -F '\t' "$(cat results/spread.awk)"'
        FNR == 1 { next }
        FILENAME ~ /accuracy/ { add($1, $4); next }
        $1 in n {
            printf "| `%s` | %d | %s | %s | %s |\n", $1, n[$1], spread($1), spread($2),
                difference($1, $2)
        }' results/accuracy.tsv results/variants_accuracy.tsv results/variants.tsv
}

# longer: twice the epochs, with the seed that these runs have.
block_longer() {
    table_head '| step | 10 epochs, % | 20 epochs, % | difference |' '| 步 | 10 轮，% | 20 轮，% | 差 |' \
        '|---|---:|---:|---:|'
    awk -F '\t' '
        FNR == 1 { next }
        FILENAME ~ /longer/ {
            printf "| %s | %.2f | %.2f | %+.2f |\n", $1, short[$1, $2], $4, $4 - short[$1, $2]
        }
        { short[$1, $2] = $4 }' results/accuracy.tsv results/longer_accuracy.tsv
}

# search: the held-out accuracy of the search for the learning rate.
block_search() {
    table_head '| step | learning rate | batch | held out, % |' '| 步 | 学习率 | 批量 | 留出集，% |' \
        '|---|---:|---:|---:|'
    awk -F '\t' 'NR > 1 { printf "| %s | %s | %s | %s |\n", $1, $2, $3, $6 }' results/search.tsv
}

# paper ROW…: rows of the paper's Table 10.
block_paper() {
    table_head \
        '| row | the paper'\''s network | top-1, % | its GFLOPs | MACs here | parameters here |' \
        '| 行 | 论文的网络 | top-1，% | 论文的 GFLOPs | 实际 MACs | 实际参数 |' \
        '|---:|---|---:|---:|---:|---:|'
    awk -F '\t' -v wanted=" $* " 'index(wanted, " " $1 " ") {
        printf "| %s | %s | %s ± %s | %s | %.3f G | %.3f M |\n", $1, $2, $3, $4, $5, $6 / 1e9,
            $7 / 1e6
    }' tests/data/paper_roadmap.tsv
}

# nav STEP: where to go from here.
block_nav() {
    neighbours "$1"
    [ -z "$last" ] || printf '← [%s](%s.md) · ' "$last" "$last"
    printf '[%s](%ssteps/%s/main.c) · ' "$(say 'the code' 代码)" "$(up)" "$1"
    printf '[%s](README.md) · ' "$(say 'all lessons' 全部课程)"
    say "[中文](zh/$1.md)" "[English](../$1.md)"
    [ -z "$next" ] || printf ' · [%s](%s.md) →' "$next" "$next"
    echo
}

block_diff() {
    docs/diffs.sh "$build" "$1" > "$tmp/diff"
    printf '```diff\n'
    cat "$tmp/diff"
    printf '```\n'
}

# lessons: the table of all of them.
block_lessons() {
    table_head '| step | what changes | lesson | diff |' '| 步 | 改了什么 | 课程 | diff |' \
        '|---|---|---|---|'
    for step in $lessons; do
        title=$(title_of "$step")
        heading=$(sed -n '1s/^# [0-9]* *//p' "${page%/*}/$step.md")
        printf '| [%s](%ssteps/%s/main.c) | %s | [%s](%s.md) | ' "${step%%_*}" "$(up)" "$step" \
            "$title" "${heading:-$step}" "$step"
        [ ! -f "$tmp/new/docs/diffs/$step.diff" ] ||
            printf '[diff](%sdocs/diffs/%s.diff)' "$(up)" "$step"
        printf ' |\n'
    done
}

# numbers STEP: the whole network in figures, beside the step before.
block_numbers() {
    neighbours "$1"
    steps="$last $1"
    table_head "| | ${last:+$last | }$1 |" "| | ${last:+$last | }$1 |" "|---|${last:+---:|}---:|"
    set --
    for preset in article paper small; do
        for step in $steps; do
            ask "$step" "$preset"
            set -- "$@" "$facts"
        done
    done
    names=$(say 'parameters|MACs|encoder gives|weights + largest output, MiB' \
        '参数|MACs|encoder 输出|权重 + 最大的一层输出，MiB')
    awk -F '\t' -v names="$names" -v steps="$steps" '
        NF == 2 {
            n = split(FILENAME, part, /[\/.]/)
            value[part[n - 1], part[n], $1] = $2
        }
        END {
            count = split(steps, step, " ")
            split(names, name, "|")
            split("article paper small", preset, " ")
            for (row = 0; row < 10; row++) {
                p = preset[int(row / 4) + 1]
                text = "| `" p "`: " name[row % 4 + 1] " |"
                for (i = 1; i <= count; i++) {
                    cell = value[step[i], p, row % 4 + 1]
                    text = text " " (cell == "" ? "-" : cell) " |"
                }
                if (cell != "") # the step has such a network
                    print text
            }
        }' "$@"
    awk -F '\t' -v steps="$steps" -v unknown="$(say 'not measured yet' 尚未测量)" \
        -v what="$(say '`paper`: ms per image' '`paper`：每张图片毫秒数')" '
        FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $at["mode"] == "infer" && $at["batch"] == 1 { ms[$at["network"]] = $at["median_ms"] }
        END {
            n = split(steps, step, " ")
            for (i = 1; i <= n; i++)
                what = what " | " (step[i] in ms ? ms[step[i]] : unknown)
            print "| " what " |"
        }' results/speed.tsv
}

# parts STEP PRESET: shape, parameters and MACs of stem, stages and head; beside the step before,
# where its parts are called the same.
block_parts() {
    neighbours "$1"
    set -- "$1" "$2" "$(say 'output | parameters | MACs |' '输出 | 参数 | MACs |')"
    ask "$1" "$2"
    now=$facts before=/dev/null
    [ -z "$last" ] || { ask "$last" "$2"; before=$facts; }
    awk -F '\t' -v preset="$2" -v head="$3" '
        $1 != "part" { next }
        { cells = " " $3 " | " $4 " | " $5 " |" }
        FILENAME != ARGV[2] { old[$2] = cells; olds++; next }
        { name[++n] = $2; new[$2] = cells; same += $2 in old }
        END {
            both = n == olds && n == same
            print "| `" preset "` | " (both ? head " " : "") head
            print "|---|" (both ? "---|---:|---:|" : "") "---|---:|---:|"
            for (i = 1; i <= n; i++)
                print "| " name[i] " |" (both ? old[name[i]] : "") new[name[i]]
        }' "$before" "$now"
}

# --- the pages ------------------------------------------------------------------------------------

# other PAGE: the Chinese counterpart of an English page.
other() {
    case $1 in
    README.md) echo README.zh-CN.md ;;
    *) echo "docs/zh/${1#docs/}" ;;
    esac
}

# expand PAGE LANGUAGE: the page with its blocks made anew, as $tmp/new/PAGE.
expand() {
    page=$1 lang=$2 number=0
    sed -n 's/^<!-- begin generated: \(.*\) -->$/\1/p' "$page" > "$tmp/names"
    while read -r words; do
        number=$((number + 1))
        # shellcheck disable=SC2086
        block_$words > "$tmp/block.$number" < /dev/null
    done < "$tmp/names"
    mkdir -p "$tmp/new/$(dirname "$page")"
    awk -v at="$tmp/block." '
        /^<!-- end generated -->$/ { inside = 0 }
        !inside
        /^<!-- begin generated: .* -->$/ {
            inside = 1
            file = at (++n)
            while ((getline line < file) > 0)
                print line
        }
        END { exit inside }' "$page" > "$tmp/new/$page"
}

# copy_fences FROM TO: TO gets the fences of FROM, the first for the first, and so on, but for those
# in generated blocks. It must have as many.
copy_fences() {
    awk '
        FNR == 1 { file++; wanted = count; inside = generated = count = 0 }
        /^<!-- begin generated/ { generated = 1 }
        /^<!-- end generated/ { generated = 0 }
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
        END { exit count != wanted }' "$1" "$2" > "$tmp/copied" || {
        echo "$1 and ${2#"$tmp/new/"} do not have as many fences" >&2
        exit 1
    }
    mv "$tmp/copied" "$2"
}

# diffs: docs/diffs, what each step changes, and their index.
diffs() {
    mkdir -p "$tmp/new/docs/diffs"
    {
        printf '# What every step changes\n\n'
        printf 'Written by `make docs`; `make diff STEP=05` shows one in colour.\n\n'
        printf '| step | title | lines out | lines in |\n|---|---|---:|---:|\n'
    } > "$tmp/new/docs/diffs/README.md"
    for step in $lessons; do
        docs/diffs.sh "$build" "$step" > "$tmp/diff"
        title=$(title_of "$step")
        [ "$(sed -n '1s/^--- .*/diff/p' "$tmp/diff")" ] || continue
        mv "$tmp/diff" "$tmp/new/docs/diffs/$step.diff"
        awk -v step="$step" -v title="$title" '/^-/ { out++ } /^\+/ { in_++ } END {
            printf "| [%s](%s.diff) | %s | %d | %d |\n", step, step, title, out - 1, in_ - 1
        }' "$tmp/new/docs/diffs/$step.diff" >> "$tmp/new/docs/diffs/README.md"
    done
}

# All that is generated, as it should be.
diffs
for english in README.md docs/*.md; do
    expand "$english" en
    chinese=$(other "$english")
    [ -f "$chinese" ] || continue
    expand "$chinese" zh
    copy_fences "$english" "$tmp/new/$chinese"
done

cd "$tmp/new"
files=$(find README* docs -type f | sort)
cd "$OLDPWD"
status=0
for file in $files; do
    case $command in
    --check)
        diff -u "$file" "$tmp/new/$file" > "$tmp/diff" || {
            echo "$file, by make docs:"
            cat "$tmp/diff"
            status=1
        }
        ;;
    --write) cmp -s "$tmp/new/$file" "$file" || cp "$tmp/new/$file" "$file.$$" ;;
    esac
done
[ "$command" = --check ] || for file in $files; do
    [ ! -f "$file.$$" ] || mv "$file.$$" "$file"
done
exit $status
