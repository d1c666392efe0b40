#!/bin/sh
# The programs in a folder that measure or train the ladder, a line each: those of $STEPS ("00 05"),
# else of every step that is one network.
# usage: results/programs.sh BUILD CALLER; CALLER is who complains of a step that is not there. Run it
# where steps/ stands.
set -u
for number in ${STEPS:-$(grep -L '\.rows = ' steps/*/main.c | cut -c 7-8 | sort -u)}; do
    found=
    for program in "$1/${number}_"*; do
        [ -x "$program" ] && [ -f "$program" ] && echo "$program" && found=yes
    done
    [ -n "$found" ] || { echo "$2: STEPS: there is no step $number in $1" >&2; exit 2; }
done
