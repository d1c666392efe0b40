# The first convolution's filters after training: 16 of 7x7 in step 00, 16 of 4x4 in step 02.
# filters.tsv to filters.svg and filters.png.
#
# Every filter is divided by its largest weight: blue is negative, vermilion positive. A filter of
# several channels shows the first. Colours: Okabe and Ito's.

set datafile separator tab
set encoding utf8

PICTURE = "filters"
tall = 400 # pixels
letters = 22

names = system("awk -F '\t' 'NR > 1 && !seen[$1]++ { print $1 }' filters.tsv")
across = 8
# "filters size": how many filters a step has and how wide they are.
facts(name) = system("awk -F '\t' -v s=" . name . " '$1 == s { if ($2 > f) f = $2; \
    if ($5 > x) x = $5 } END { print f + 1, x + 1 }' filters.tsv")
largest(name) = system("awk -F '\t' -v s=" . name . " '$1 == s && $3 == 0 { w = $6 < 0 ? -$6 : $6; \
    if (w > m[$2]) m[$2] = w; if ($2 > n) n = $2 } END { for (i = 0; i <= n; i++) print m[i] }' \
    filters.tsv")

set border 0
set tics scale 0
unset xtics
unset ytics
unset colorbox
set key off
set palette defined (-1 "#0072B2", 0 "#FFFFFF", 1 "#D55E00")
set cbrange [-1:1]
set size ratio -1
set tmargin at screen 0.72
set bmargin at screen 0.05

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "What the stem looks for: its filters after training" at screen 0.03, 0.92 \
        left font ",28"
    do for [i = 1:words(names)] {
        name = word(names, i)
        fact = facts(name)
        most = largest(name)
        size = word(fact, 2) + 0
        rows = int(ceil((word(fact, 1) + 0.0) / across))
        step = size + 0.6 # a gap between the filters
        set lmargin at screen 0.03 + 0.49 * (i - 1)
        set rmargin at screen 0.48 + 0.49 * (i - 1)
        set xrange [-0.6:across * step - 0.5]
        set yrange [rows * step - 0.5:-0.6]
        set title name noenhanced
        set style fill solid 1 noborder
        # A square a weight: filter f is in row f / across.
        plot "filters.tsv" skip 1 using \
            (strcol(1) eq name && column(3) == 0 \
                 ? (int(column(2)) % across) * step + column(5) : NaN): \
            (floor(column(2) / across) * step + column(4)):(0.5):(0.5): \
            (column(6) / (word(most, int(column(2)) + 1) + 0)) with boxxyerror lc palette
        unset label
    }
    unset multiplot
    set output
}
