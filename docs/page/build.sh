#!/bin/sh
# build.sh BUILD: the ladder in one page, and the lessons around it, in BUILD/page. Called by `make page`.
set -eu
build=$1 page=$1/page make=${MAKE:-make} here=docs/page

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

# NAME EXTRA: the module in BUILD/NAME, whose results are those of make PORTABLE=1.
module() {
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

# A line per step, tabs between: name, title in English and Chinese, the article's section, accuracy.
steps() {
    in_page | while read -r name; do
        en=$(heading "docs/$name.md" || sed -n 's/.*\.title = "\(.*\)".*/\1/p' "steps/$name/main.c")
        zh=$(heading "docs/zh/$name.md" || echo "$en")
        section=$(awk -F ' *[|] *' -v name="$name" 'index($2, "(steps/" name "/") && $5 ~ /lesson/ { print $3; exit }' README.md)
        accuracy=$(awk -F '\t' -v name="$name" '$1 == name { sum += $4; n++ } END { if (n) printf "%.4f", sum / n }' results/accuracy.tsv)
        printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$en" "$zh" "$section" "$accuracy"
    done
}

trained() { # the steps that have weights, as JSON
    for file in results/weights/*.safetensors; do
        name=${file##*/}
        [ ! -f "steps/${name%.safetensors}/main.c" ] || printf '"%s"\n' "${name%.safetensors}"
    done | paste -s -d , | sed 's/.*/[&]/'
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
    in_page | while read -r name; do data "code-$name" cat "steps/$name/main.c"; done
    data images encoded "$here/t10k-images-idx3-ubyte"
    data labels encoded "$here/t10k-labels-idx1-ubyte"
    data module encoded "$build/wasm/ladder.wasm"
    script wasi.js wasi
    script desk.js desk
    for file in programs words app road compare size look train predict; do script $file.js; done
    echo '<script>begin();</script></body></html>'
}

mkdir -p "$page/weights"
index >"$page/index.html.new"
mv "$page/index.html.new" "$page/index.html"
{ printf 'SCALAR_MODULE = "'; encoded "$build/wasm-scalar/ladder.wasm"; echo '";'; } >"$page/scalar.js"
for file in results/weights/*.safetensors; do
    name=${file##*/}
    cp "$file" "$page/weights/$name"
    { printf 'WEIGHTS["%s"] = "' "${name%.safetensors}"; encoded "$file"; echo '";'; } >"$page/weights/${name%.safetensors}.js"
done
cp "$here/page.css" "$here/search.js" "$page"
"$build/site" "$page"
echo "$page/index.html: $(($(wc -c <"$page/index.html") / 1024)) KiB; $(find "$page" -name '*.html' | wc -l | tr -d ' ') pages"
