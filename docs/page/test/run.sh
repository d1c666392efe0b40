#!/bin/sh
# run.sh BUILD: the tests of the page in BUILD/page: its module under node, and itself in a headless
# Chromium. Called by `make page-test`, which has built both.
set -eu
build=$1 make=${MAKE:-make} status=0
if ! command -v node >/dev/null; then
    echo 'no node: the page is not tested (apt-get install nodejs)'
    exit 0
fi
"$make" --no-print-directory QUIET=1 BUILD="$build/portable" PLAIN= PORTABLE=1 built
steps=$(for main in steps/*/main.c; do basename "$(dirname "$main")"; done | grep -x '[0-9A-Za-z_]*')
# shellcheck disable=SC2086 # several words
node docs/page/test/module.mjs "$build/wasm/ladder.wasm" "$build/portable" $steps || status=1
if command -v "${CHROMIUM:-chromium}" >/dev/null; then
    for test in browser commands reader; do
        node "docs/page/test/$test.mjs" "$build/page" "$build/portable" || status=1
    done
else
    echo 'no chromium: the page is not opened (apt-get install chromium, CHROMIUM=program)'
fi
exit $status
