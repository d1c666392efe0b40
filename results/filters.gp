# The first convolution's filters after training: 16 of 7x7 in step 00, 16 of 4x4 in step 02.
# filters.tsv to filters.svg and filters.png.
#
# Every filter is divided by its largest weight. A filter of several channels shows the first.

PICTURE = "filters"
tall = 660 # pixels
load STYLE

names = first_of("filters.tsv")
across = 4
# "filters size": how many filters a step has and how wide they are.
facts(name) = system("awk -F '\t' -v s=" . name . " '$1 == s { if ($2 > f) f = $2; \
    if ($5 > x) x = $5 } END { print f + 1, x + 1 }' filters.tsv")
largest(name) = system("awk -F '\t' -v s=" . name . " '$1 == s && $3 == 0 { w = $6 < 0 ? -$6 : $6; \
    if (w > m[$2]) m[$2] = w; if ($2 > n) n = $2 } END { for (i = 0; i <= n; i++) print m[i] }' \
    filters.tsv")
biggest = 0
do for [i = 1:words(names)] {
    size = word(facts(word(names, i)), 2) + 0
    if (size > biggest) { biggest = size }
}

set label 1 say("What the stem looks for: its filters after training", "stem 在找什么：训练后的滤波器") @HEADING
set label 2 say("blue: negative weights, orange: positive; a square is one pixel of the image, in both", \
    "蓝：负权重，橙：正权重；两边的一个小格都是图像的一个像素") @NOTE
unset grid
unset xtics
unset ytics
unset colorbox
set palette defined (-1 "#0072B2", 0 "#FFFFFF", 1 "#D55E00")
set cbrange [-1:1]
set size ratio -1
set tmargin at screen 1 - 200.0 / tall
set bmargin at screen 20.0 / tall
side = across * (biggest + 1.2)
set multiplot
do for [i = 1:words(names)] {
    name = word(names, i)
    fact = facts(name)
    most = largest(name)
    size = word(fact, 2) + 0
    step = size + 1.2 # a gap between the filters
    set lmargin at screen 0.09 + 0.46 * (i - 1)
    set rmargin at screen 0.45 + 0.46 * (i - 1)
    set xrange [-1:side]
    set yrange [side:-1]
    set title sprintf("%s, %dx%d", name, size, size) noenhanced
    # Filter f is in row f / across.
    from = (side - across * step) / 2.0
    set style fill solid 1 noborder
    plot "filters.tsv" skip 1 using \
        (strcol(1) eq name && column(3) == 0 \
             ? from + (int(column(2)) % across) * step + column(5) : NaN): \
        (from + floor(column(2) / across) * step + column(4)):(0.48):(0.48): \
        (column(6) / (word(most, int(column(2)) + 1) + 0)) with boxxyerror lc palette
    unset label
}
unset multiplot
