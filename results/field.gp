# The effective receptive field before and after the large kernel: how much each pixel of the image
# moves the pixel in the middle of stage 3's output, steps 04 and 05, trained. field_before.tsv and
# field_after.tsv to field.svg and field.png.
#
# Each is divided by its largest; the shade is its square root, so that the far is seen beside the
# near. On the right: how much of the whole lies within a distance of its centre.

set datafile separator tab
set encoding utf8

PICTURE = "field"
tall = 700 # pixels
letters = 22

BEFORE = 0xE69F00 # orange
AFTER = 0x0072B2  # blue

file(i) = i ? "field_after.tsv" : "field_before.tsv"
said(i) = i ? "05: 7x7 depthwise convolution" : "04: 3x3 depthwise convolution"
array LARGEST[2]
array WHOLE[2]
array AT_Y[2]
array AT_X[2]
do for [i = 0:1] {
    stats file(i) skip 1 using 3 name "F" nooutput
    LARGEST[i + 1] = F_max
    WHOLE[i + 1] = F_sum
    stats file(i) skip 1 using ($1 * $3) name "Y" nooutput
    stats file(i) skip 1 using ($2 * $3) name "X" nooutput
    AT_Y[i + 1] = Y_sum / F_sum
    AT_X[i + 1] = X_sum / F_sum
}
stats file(0) skip 1 using 1 name "SIDE" nooutput
# Distance in the largest direction, so that a square counts as one.
far(i, y, x) = abs(y - AT_Y[i + 1]) > abs(x - AT_X[i + 1]) ? abs(y - AT_Y[i + 1]) : \
               abs(x - AT_X[i + 1])

set border 0
set tics scale 0
set key off
unset colorbox
set palette defined (0 "#FFFFFF", 0.25 "#CDE3F2", 0.5 "#56A5D4", 0.75 "#0072B2", 1 "#00263B")
set cbrange [0:1]

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "What the middle of stage 3 sees, before and after the large kernel" \
        at screen 0.03, 0.94 left font ",28"
    set tmargin at screen 0.80
    set bmargin at screen 0.09
    set size ratio -1
    set xrange [-0.5:SIDE_max + 0.5]
    set yrange [SIDE_max + 0.5:-0.5]
    unset xtics
    unset ytics
    do for [i = 0:1] {
        set lmargin at screen 0.03 + 0.32 * i
        set rmargin at screen 0.33 + 0.32 * i
        set title said(i) tc rgb (i ? AFTER : BEFORE)
        plot file(i) skip 1 using 2:1:(sqrt(column(3) / LARGEST[i + 1])) with image pixels
        unset label
    }
    set size noratio
    set lmargin at screen 0.73
    set rmargin at screen 0.97
    set title "share within so many pixels, %" tc rgb "black"
    set xtics 8
    set ytics 25
    set grid lt 1 lw 1 lc rgb 0xDDDDDD
    set xrange [0:SIDE_max / 2 + 1]
    set yrange [0:100]
    plot for [i = 0:1] file(i) skip 1 using (floor(1 + far(i, column(1), column(2)))): \
             (100 * column(3) / WHOLE[i + 1]) smooth cumulative lw 4 lc rgb (i ? AFTER : BEFORE)
    unset grid
    unset multiplot
    set output
}
