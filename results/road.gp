# The road: what every step's small network came to on Fashion-MNIST, what the paper's network with
# the same change came to on ImageNet, and what the small network costs. accuracy.tsv, paper.tsv and
# ladder.tsv to road.svg and road.png. Where there is a runs.tsv, its runs are green.
#
# A small dot is a seed, the large one their mean. Bars at the paper's: a standard deviation of three
# seeds. Colours: Okabe and Ito's.

set datafile separator tab
set datafile missing "-"
set encoding utf8

PICTURE = "road"
tall = 900 # pixels
letters = 22

OURS = 0xD55E00  # vermilion
PAPER = 0x0072B2 # blue
RUNS = 0x009E73  # bluish green
COST = 0xBBBBBB

runs = system("ls runs.tsv 2>/dev/null")

names = system("awk -F '\t' 'NR > 1 { print $1 }' ladder.tsv")
steps = words(names)
# The row of a step; a run of one that is not there gets no dot.
place(name) = (row = sum [i = 1:steps] (word(names, i) eq name ? i : 0), row ? row - 1 : NaN)
of(name, c) = place(name) >= 0 ? column(c) : NaN
# A line joins our own steps; a reader's stand beside it.
ours(value) = strcol(11) eq "own" ? NaN : value

set yrange [steps - 0.3:-0.7]
set border 0
set grid xtics lt 1 lw 1 lc rgb 0xDDDDDD
set grid ytics
set style fill solid 1 noborder
set style textbox opaque noborder fillcolor rgb "white" margins 0.2, 0
set tics scale 0
set key off
set tmargin at screen 0.82
set bmargin at screen 0.08

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "The road, step by step" at screen 0.03, 0.95 left font ",28"
    if (runs ne "") {
        set label 2 "● your runs" at screen 0.56, 0.95 right tc rgb RUNS
    }
    set ytics left offset screen -0.255, 0 noenhanced
    set ytics ("" -1)
    do for [i = 1:steps] {
        set ytics add (word(names, i) i - 1)
    }
    set title "here, Fashion-MNIST\nsmall networks, test accuracy, %" tc rgb OURS
    set xtics 1
    set lmargin at screen 0.28
    set rmargin at screen 0.56
    set xrange [*:*]
    plot "accuracy.tsv" skip 1 using (of(strcol(1), 4)):(place(strcol(1))) \
             with points lc rgb OURS pt 7 ps 0.9 * dot, \
         "ladder.tsv" skip 1 using (ours(column(12))):0 with lines lw 3 lc rgb OURS, \
         "" skip 1 using 12:0 with points lc rgb OURS pt 7 ps 2.2 * dot, \
         "" skip 1 using 12:0:(sprintf("%.1f", column(12))) \
             with labels boxed offset 0, 0.95 tc rgb OURS, \
         (runs eq "" ? "accuracy.tsv" : runs) skip 1 \
             using (runs eq "" ? NaN : of(strcol(1), 4)):(place(strcol(1))) \
             with points lc rgb RUNS pt 7 ps 1.6 * dot
    unset label
    set ytics ("" -1)
    do for [i = 1:steps] {
        set ytics add ("" i - 1)
    }
    set title "the paper, ImageNet\ntop-1 accuracy, %" tc rgb PAPER
    set lmargin at screen 0.60
    set rmargin at screen 0.80
    plot "paper.tsv" skip 1 using (of(strcol(1), 4)):(place(strcol(1))):5 \
             with xerrorbars lw 2 lc rgb PAPER pt 0, \
         "" skip 1 using (of(strcol(1), 4)):(place(strcol(1))) \
             with linespoints lw 3 lc rgb PAPER pt 7 ps 2.2 * dot, \
         "" skip 1 using (of(strcol(1), 4)):(place(strcol(1))):(sprintf("%.1f", column(4))) \
             with labels boxed offset 0, 0.95 tc rgb PAPER
    set title "small networks\nmillion MACs" tc rgb 0x606060
    set xtics 5
    set lmargin at screen 0.84
    set rmargin at screen 0.98
    set xrange [0:*]
    plot "ladder.tsv" skip 1 using (0):0:(0):(column(9) / 1e6):($0 - 0.34):($0 + 0.34) \
             with boxxyerror lc rgb COST, \
         "" skip 1 using (0.3):0:(sprintf("%.1f", column(9) / 1e6)) with labels left tc rgb "black"
    unset multiplot
    set output
}
