#!/bin/sh
# peers.sh --markdown FILE: what others need for the same work, as a table in Markdown.
#
# FILE has tabs between its columns: work, batch, threads, ours_gflops, peer, peer_gflops, ratio
# (ours to theirs), ours_mb, peer_mb (the most memory held, MiB), cpu, compiler. "-": not measured.
set -eu

[ "${1-}" = --markdown ] || { echo 'usage: peers.sh --markdown FILE' >&2; exit 2; }
awk -F '\t' '
NR == 1 {
    print "| work | batch | threads | GFLOP/s here | the peer | its GFLOP/s | times as fast |" \
        " MiB here | its MiB |"
    print "|---|---:|---:|---:|---|---:|---:|---:|---:|"
    next
}
{ printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", $1, $2, $3, $4, $5, $6, $7, $8, $9 }' "$2"
