#!/bin/sh
# peers.sh --markdown FILE: what others need for the same work, as a table in Markdown.
#
# FILE has tabs between its columns: work, batch, threads, ours_gflops, peer, peer_gflops, ratio
# (ours to theirs), ours_mb, peer_mb (the most memory held, MiB), cpu, compiler. "-": not measured.
[ "${1-}" = --markdown ] || { echo 'usage: peers.sh --markdown FILE' >&2; exit 2; }
echo '| work | batch | threads | GFLOP/s here | the peer | its GFLOP/s | times as fast | MiB here | its MiB |'
echo '|---|---:|---:|---:|---|---:|---:|---:|---:|'
sed 1d "$2" | cut -f 1-9 | sed "s/$(printf '\t')/ | /g; s/^/| /; s/\$/ |/"
