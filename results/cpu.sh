#!/bin/sh
# The processor and its widest vectors, on which the order of sums and so the bits depend.
cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo 2> /dev/null | sed 1q)
[ "$cpu" ] || cpu=$(sysctl -n machdep.cpu.brand_string 2> /dev/null) || cpu=
for vectors in avx512f avx2 asimd; do
    grep -qw "$vectors" /proc/cpuinfo 2> /dev/null && break || vectors=
done
echo "${cpu:-unknown} ${vectors:-$(uname -m)}"
