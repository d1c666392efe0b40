#!/bin/sh
# make check-setup: what is here, what is missing, and what works without it. Ends with status 1 where
# there is no compiler, the only thing that is needed. CC and GNUPLOT in the environment: those of make.
set -u

# What this system installs packages with, and which of the names in a line of the table is its own.
at=5 install=
for manager in 'apt-get install:5' 'apk add:6' 'brew install:7' 'dnf install:8'; do
    command -v "${manager%% *}" > /dev/null && at=${manager##*:} install=${manager%:*} && break
done

# is TOOL: sets found to what is said of it, or fails.
is() {
    case $1 in
    cc) found=$("${CC:-cc}" --version 2> /dev/null | sed 1q) && [ "$found" ] ;;
    criterion)
        for found in /usr /usr/local /opt/homebrew; do
            [ ! -f "$found/include/criterion/criterion.h" ] || return 0
        done
        return 1
        ;;
    fashion-mnist)
        # The programs look nowhere else where the variable names a folder.
        if [ "${FASHION_MNIST:-}" ]; then
            set -- "$FASHION_MNIST"
        else
            set -- data/fashion-mnist /usr/share/datasets/fashion-mnist
        fi
        for folder; do
            for found in "$folder" "$folder/FashionMNIST/raw" "$folder/fashion-mnist"; do
                for file in "$found"/train-images[-.]idx3-ubyte "$found"/train-images[-.]idx3-ubyte.gz; do
                    [ ! -f "$file" ] || return 0
                done
            done
        done
        return 1
        ;;
    clang-format) found=$(command -v clang-format-14 || command -v clang-format) ;;
    chromium) found=$(command -v "${CHROMIUM:-chromium}") ;;
    gnuplot) found=$("${GNUPLOT:-gnuplot}" --version 2> /dev/null) ;;
    *) found=$(command -v "$1") ;;
    esac
}

status=0
while IFS='|' read -r tool name serves without deb apk brew dnf; do
    if is "$tool"; then
        printf '  %-14s %s: %s\n' "$name" "$serves" "$found"
        continue
    fi
    hint=$(printf '%s|%s|%s|%s\n' "$deb" "$apk" "$brew" "$dnf" | cut -d '|' -f $((at - 4)))
    [ "$install" ] || hint=
    where=
    [ "$tool" != fashion-mnist ] || where=${FASHION_MNIST:+" in \$FASHION_MNIST ($FASHION_MNIST)"}
    printf -- '- %-14s %s: missing%s; %s%s\n' "$name" "$serves" "$where" "$without" \
        "${hint:+ ($install $hint)}"
    [ "$tool" != cc ] || status=1
done << 'TABLE'
cc|compiler|builds everything|nothing works without it|build-essential|build-base|gcc|gcc make
gnuplot|gnuplot|draws the plots|tables only|gnuplot-nox|gnuplot|gnuplot|gnuplot
criterion|Criterion|make test|make test runs with what tests/portable has of it|libcriterion-dev||criterion|
git|git|says of which commit a run is|runs are of an unknown commit|git|git|git|git
gzip|gzip|unpacks data sets|data sets must be unpacked already|gzip|gzip|gzip|gzip
anytopnm|netpbm|reads JPEG, PNG and others|images must be PNM|netpbm|netpbm|netpbm|netpbm-progs
fashion-mnist|Fashion-MNIST|make train|DATA=shapes is drawn by the programs; other data: docs/setup.md|dataset-fashion-mnist|||
parallel|GNU parallel|make train LAUNCH="parallel -j 4"|runs come one after the other|parallel|parallel|parallel|parallel
clang|clang|make check, make fuzz|gcc alone checks|clang|clang|llvm|clang
wasm-ld|lld|make page|no page for a browser|lld wasi-libc|lld wasi-libc|lld|lld wasi-libc-devel
cmark-gfm|cmark-gfm|make page|no page for a browser|cmark-gfm|cmark|cmark-gfm|cmark
node|node|make page-test|the page is not tested|nodejs|nodejs|node|nodejs
chromium|Chromium|make page-test|the page is not opened, only its module tested|chromium|chromium|--cask chromium|chromium
clang-format|clang-format|make check|the format is not checked|clang-format-14|clang-extra-tools|clang-format|clang-tools-extra
cppcheck|cppcheck|make check|its part is not checked|cppcheck|cppcheck|cppcheck|cppcheck
TABLE
printf '  %-14s %s, %s\n' machine "$(nproc 2> /dev/null || getconf _NPROCESSORS_ONLN) processors" \
    "$(results/cpu.sh)"
exit $status
