# Held-out accuracy after every epoch, a small plot per step: curves.tsv to curves.svg and
# curves.png.
#
# The line is the mean over the seeds, the band reaches from the least to the most; the other steps
# are grey behind it. Colours: Okabe and Ito's.

set datafile separator tab
set encoding utf8

PICTURE = "curves"
letters = 20

OURS = 0x0072B2 # blue

names = system("awk -F '\t' 'NR > 1 && !seen[$1]++ { print $1 }' curves.tsv")
steps = words(names)
across = 4
down = int(ceil(steps / 4.0))
tall = 300 * down + 110 # pixels
stats "curves.tsv" skip 1 using 2 name "EPOCH" nooutput
stats "curves.tsv" skip 1 using 3 name "TOP" nooutput
low = floor(TOP_min) > 70 ? floor(TOP_min) : 70 # a first epoch may lie below
set xrange [1:EPOCH_max]
set yrange [low:ceil(TOP_max) + 1]
of(name, c) = strcol(1) eq name ? column(c) : NaN

set border 0
set grid ytics lt 1 lw 1 lc rgb 0xDDDDDD
set tics scale 0
set xtics 1, 1
set ytics 4
set key off
set style fill transparent solid 0.25 noborder

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "Held-out accuracy after every epoch, %" at screen 0.03, 1 - 45.0 / tall left font ",28"
    high = 300.0 / tall
    top = 1 - 130.0 / tall
    do for [i = 1:steps] {
        name = word(names, i)
        row = (i - 1) / across
        set lmargin at screen 0.045 + 0.24 * ((i - 1) % across)
        set rmargin at screen 0.045 + 0.24 * ((i - 1) % across) + 0.215
        set tmargin at screen top - high * row
        set bmargin at screen top - high * row - 0.74 * high
        set format x (i + across > steps ? "%g" : "")
        set title name noenhanced offset 0, -0.5
        plot for [k = 1:steps] "curves.tsv" skip 1 using (of(word(names, k), 2)):3 \
                 with lines lw 1.2 lc rgb 0xCCCCCC, \
             "" skip 1 using (of(name, 2)):4:5 with filledcurves lc rgb OURS, \
             "" skip 1 using (of(name, 2)):3 with linespoints lw 4 lc rgb OURS pt 7 ps 0.5
        unset label
    }
    unset multiplot
    set output
}
