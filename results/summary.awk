# The means of a table of altered runs (altered.tsv, rows.tsv, norms.tsv): a line per network, row and batch
# size, with tabs: network, row, batch, seeds, then two columns, mean and standard deviation over the
# seeds, of each of
#
#   5 clean   7 noise:16   9 noise:32   11 noise:64   13 blur:3   15 noise and blur, the mean of these four
#   17 all fourteen alterations' mean   19 their error relative to the table's first network's, as ImageNet-C
#   has it: the mean over the alterations of error / error of that network, in per cent   21 of these four
BEGIN {
    FS = OFS = "\t"
    split("clean noise:16 noise:32 noise:64 blur:3", single, " ")
}

NR > 1 {
    key = $1 FS $2 FS $3
    if (!(key in known)) {
        known[key] = 1
        keys[++count] = key
    }
    if (!((key, $4) in place)) {
        place[key, $4] = ++seeds[key]
    }
    top[key, place[key, $4], $5] = $6
    if ($5 != "clean" && !($5 in index_of)) {
        index_of[$5] = ++kinds
        kind[kinds] = $5
    }
    sum[key, $5] += $6
}

# The mean over the alterations (few: noise and blur alone); relative: of the error against the first's.
function over(key, seed, few, relative,    i, n, total, value) {
    for (i = 1; i <= kinds; i++)
        if (!few || kind[i] ~ /^(noise|blur)/) {
            value = top[key, seed, kind[i]]
            if (relative)
                value = 100 * (100 - value) / (100 - sum[keys[1], kind[i]] / seeds[keys[1]])
            total += value
            n++
        }
    return n ? total / n : 0
}

# Some awks have no sqrt.
function root(x,    r, i) {
    r = x > 1 ? x : 1
    for (i = 0; i < 60; i++)
        r = (r + x / r) / 2
    return r
}

function measure(key, seed, which) {
    return which <= 5 ? top[key, seed, single[which]] : over(key, seed, which == 6 || which == 9, which > 7)
}

END {
    for (k = 1; k <= count; k++) {
        line = keys[k] OFS seeds[keys[k]]
        for (which = 1; which <= 9; which++) {
            total = squares = 0
            n = seeds[keys[k]]
            for (s = 1; s <= n; s++)
                total += measure(keys[k], s, which)
            for (s = 1; s <= n; s++)
                squares += (measure(keys[k], s, which) - total / n) * (measure(keys[k], s, which) - total / n)
            line = line sprintf(OFS "%.6f" OFS "%.6f", total / n, n > 1 ? root(squares / (n - 1)) : 0)
        }
        print line
    }
}
