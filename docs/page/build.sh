#!/bin/sh
# build.sh BUILD: the ladder in one page, and the lessons around it, in BUILD/page. Called by `make page`.
set -eu
build=$1 page=$1/page make=${MAKE:-make} here=docs/page tab=$(printf '\t')

missing=
lacks() { # TOOL PACKAGE WHAT
    echo "no $1: the page needs it ($3; apt-get install $2)" >&2
    missing=yes
}
command -v clang >/dev/null || lacks clang clang 'compiles for WebAssembly'
command -v wasm-ld >/dev/null || lacks wasm-ld lld 'links the module'
command -v cmark-gfm >/dev/null || lacks cmark-gfm cmark-gfm 'makes the lessons'
[ -n "$missing" ] || echo '#include <stdio.h>' | clang --target=wasm32-wasi -E -x c - >/dev/null 2>&1 ||
    lacks wasi-libc wasi-libc 'the C library of WebAssembly'
[ -z "$missing" ] || exit 1

# The edits in the answers to the lessons' first exercises: the answer's number, the step, sed's command.
edits() {
    for answers in docs/answers/[0-9]*.md; do
        [ -f "$answers" ] || continue
        number=${answers##*/}
        awk -v number="${number%%_*}" -v OFS='\t' '/^(#+ )?2[.] / { exit }
            /sed \047.*\047/ { sub(/^.*sed \047/, ""); sub(/\047.*$/, ""); edit = $0 }
            edit && /steps\/[^ ]*\/main.c >/ { sub(/^.*steps\//, "", $1); sub(/\/main.c$/, "", $1); print number, $1, edit; exit }' "$answers"
    done
}

tries() { # FOLDER: writes the steps with these edits, as the answers have them
    edits | while IFS=$tab read -r number step edit; do
        try=$1/try_$number/main.c
        [ -f "steps/$step/main.c" ] || continue
        mkdir -p "${try%/*}"
        { echo '#line 1 "steps/14_try/main.c"' && sed "$edit" "steps/$step/main.c"; } >"$try.new"
        if cmp -s "$try.new" "$try"; then rm "$try.new"; else mv "$try.new" "$try"; fi
    done
}

# NAME EXTRA: the module in BUILD/NAME, whose results are those of make PORTABLE=1.
module() {
    tries "$build/$1/tries"
    "$make" --no-print-directory QUIET=1 BUILD="$build/$1" CC='clang --target=wasm32-wasi' PLAIN= PORTABLE=1 MARCH= \
        AR="$(clang -print-prog-name=llvm-ar)" EXTRA="$2" "$build/$1/ladder.wasm"
}
module wasm -msimd128
module wasm-scalar ''

in_page() { # of the steps whose name is one in C, as in the module
    for main in steps/*/main.c; do
        name=${main#steps/}
        name=${name%/main.c}
        case $name in *[!0-9A-Za-z_]*) ;; *) echo "$name" ;; esac
    done
}

heading() { # FILE: its title, without the number
    [ -f "$1" ] && sed -n 's/^# [0-9]* *//p; /^# /q' "$1"
}

exercise() { # FILE: its first exercise in one line, as a list's item or below a heading
    [ ! -f "$1" ] || awk '/^#+ (Exercises|练习)/ { inside = 1 }
        !inside || /^(#+ )?2[.] / || /^```/ { if (text) exit; next }
        /^#+ 1[.] / { on = 1; next }
        /^1[.] / { on = 1; sub(/^1[.] +/, "") }
        on && NF { sub(/^ +/, ""); text = text (text && !/^[^ -~]/ ? " " : "") $0 }
        END { print text }' "$1" | sed 's/^● *([^)]*minutes[^)]*) *//; s/^● *（[^）]*分钟[^）]*）//'
}

# A line per step, tabs between: name, title in English and Chinese, the article's section, accuracy, the
# lesson's first exercise in English and Chinese.
steps() {
    in_page | while read -r name; do
        en=$(heading "docs/$name.md" || sed -n 's/.*\.title = "\(.*\)".*/\1/p' "steps/$name/main.c")
        zh=$(heading "docs/zh/$name.md" || echo "$en")
        section=$(awk -F ' *[|] *' -v name="$name" 'index($2, "(steps/" name "/") && $5 ~ /lesson/ { print $3; exit }' README.md)
        accuracy=$(awk -F '\t' -v name="$name" '$1 == name { sum += $4; n++ } END { if (n) printf "%.4f", sum / n }' results/accuracy.tsv)
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$en" "$zh" "$section" "$accuracy" \
            "$(exercise "docs/$name.md")" "$(exercise "docs/zh/$name.md")"
    done
}

trained() { # the steps that have weights, as JSON
    for file in results/weights/*.safetensors; do
        name=${file##*/}
        [ ! -f "steps/${name%.safetensors}/main.c" ] || printf '"%s"\n' "${name%.safetensors}"
    done | paste -s -d , | sed 's/.*/[&]/'
}

# Accuracy on altered images: alteration, step, mean over the seeds.
altered() {
    awk -F '\t' -v OFS='\t' 'NR > 1 && $2 == "-" { key = $5 OFS $1; if (!n[key]++) order[++keys] = key; sum[key] += $6 }
        END { for (i = 1; i <= keys; i++) printf "%s\t%.4f\n", order[i], sum[order[i]] / n[order[i]] }' results/altered.tsv
}

data() { # ID COMMAND…: what it prints, for the page's scripts to read
    printf '<script type="text/plain" id="%s">\n' "$1"
    shift
    "$@"
    echo '</script>'
}

script() { # FILE [ID]
    printf '<script%s>\n' "${2:+ id=\"$2\"}"
    cat "$here/$1"
    echo '</script>'
}

encoded() { base64 <"$1" | tr -d '\n'; }

index() {
    cat "$here/head.html"
    echo '<style>'
    cat "$here/page.css"
    echo '</style>'
    cat "$here/body.html"
    data steps steps
    data trained trained
    data altered altered
    data edits edits
    in_page | while read -r name; do data "code-$name" cat "steps/$name/main.c"; done
    data images encoded "$here/t10k-images-idx3-ubyte"
    data labels encoded "$here/t10k-labels-idx1-ubyte"
    data module encoded "$build/wasm/ladder.wasm"
    script wasi.js wasi
    script desk.js desk
    for file in programs words app road compare size look train predict; do script $file.js; done
    echo '<script>begin();</script></body></html>'
}

# A script that sets FILES[PATH], which a page on file:// may load, where it may not read the file itself.
beside() { # PATH SCRIPT
    { printf 'FILES["%s"] = "' "$1"; encoded "$1"; echo '";'; } >"$page/weights/$2"
}

rm -rf "$page/weights" # of a step that has none any more
mkdir -p "$page/weights"
index >"$page/index.html.new"
mv "$page/index.html.new" "$page/index.html"
{ printf 'SCALAR_MODULE = "'; encoded "$build/wasm-scalar/ladder.wasm"; echo '";'; } >"$page/scalar.js"
for file in results/weights/*.safetensors; do
    name=${file##*/}
    [ ! -f "$file" ] || { cp "$file" "$page/weights/$name" && beside "$file" "${name%.safetensors}.js"; }
done
for name in 06_gelu 07_fewer_activations; do # exercise 1 of lesson 07
    for file in weights batch; do
        [ ! -d "tests/data/steps/$name" ] || beside "tests/data/steps/$name/$file.safetensors" "test_${name}_$file.js"
    done
done
cp "$here/page.css" "$here/search.js" "$page"
"$build/site" "$page"
echo "$page/index.html: $(($(wc -c <"$page/index.html") / 1024)) KiB; $(find "$page" -name '*.html' | wc -l | tr -d ' ') pages"
