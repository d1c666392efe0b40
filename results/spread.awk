# Mean and spread of named values, for the scripts that tell of several runs:
#   awk "$(cat results/spread.awk)"'{ add($1, $4) } END { print spread("a"), difference("a", "b") }'
# The standard deviation is that of a sample (n - 1).
function add(name, x) { value[name, ++n[name]] = x; sum[name] += x }
function mean(name) { return sum[name] / n[name] }
function variance(name,    i, squares, off) {
    for (i = 1; i <= n[name]; i++) {
        off = value[name, i] - mean(name)
        squares += off * off
    }
    return squares / (n[name] - 1)
}
# The square root: not every awk has one.
function root(x,    r, i) {
    for (r = x > 1 ? x : 1; i < 60; i++)
        r = (r + x / r) / 2
    return r
}
# "92.10 ± 0.19", of one value "92.10".
function spread(name) {
    if (n[name] < 2)
        return sprintf("%.2f", mean(name))
    return sprintf("%.2f ± %.2f", mean(name), root(variance(name)))
}
# Of two means, with its standard error.
function difference(name, other,    text) {
    text = sprintf("%+.2f", mean(name) - mean(other))
    if (n[name] < 2 || n[other] < 2)
        return text
    return text sprintf(" ± %.2f", root(variance(name) / n[name] + variance(other) / n[other]))
}
