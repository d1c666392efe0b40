# Accuracy against cost: the small networks' test accuracy (mean over the seeds, and a standard
# deviation where there are several) and multiply-accumulates: ladder.tsv to cost.svg and cost.png.
# Colours: Okabe and Ito's.

set datafile separator tab
set datafile missing "-"
set encoding utf8

PICTURE = "cost"
tall = 900 # pixels
letters = 22

OURS = 0xD55E00 # vermilion
RUNS = 0x009E73 # bluish green

# Runs of a reader's, where there are some, and what their steps cost.
runs = system("ls runs.tsv 2>/dev/null")
names = system("awk -F '\t' 'NR > 1 { print $1 }' ladder.tsv")
costs = system("awk -F '\t' 'NR > 1 { print $9 }' ladder.tsv")
cost(name) = sum [i = 1:words(names)] (word(names, i) eq name ? word(costs, i) / 1e6 : 0)

set border 0
set grid lt 1 lw 1 lc rgb 0xDDDDDD
set tics scale 0
set key off
set offsets graph 0.05, graph 0.08, graph 0.05, graph 0.05
set xlabel "multiply-accumulates per image, millions"
set ylabel "test accuracy, %"
set lmargin at screen 0.09
set rmargin at screen 0.96
set tmargin at screen 0.86
set bmargin at screen 0.13
# A line joins our own steps; a reader's stand beside it.
ours(value) = strcol(11) eq "own" ? NaN : value
# Numbers of steps that cost the same and are as good stand above each other.
stats "ladder.tsv" skip 1 using 12 name "TOP" nooutput
gap = 0.04 * (ceil(TOP_max) - floor(TOP_min))
numbers = "< awk -F '\t' 'NR > 1 && $12 != \"-\" { print $9, $12, substr($1, 1, 2) }' ladder.tsv |" . \
    "sort -k 1,1n -k 2,2n | awk -v OFS='\t' -v gap=" . sprintf("%g", gap) . \
    " '{ y = $1 == macs && $2 < last + gap ? last + gap : $2; macs = $1; last = y; print $1, y, $3 }'"

do for [kind in KINDS] {
    load STYLE
    set label 1 "What accuracy costs: the small networks on Fashion-MNIST, by step" \
        at screen 0.03, 0.95 left font ",28"
    if (runs ne "") {
        set label 2 "● your runs" at screen 0.96, 0.95 right tc rgb RUNS
    }
    plot "ladder.tsv" skip 1 using (column(9) / 1e6):(ours(column(12))) \
             with lines lw 1.5 lc rgb 0xCCCCCC, \
         "" skip 1 using (column(9) / 1e6):12:13 with yerrorbars lw 2 lc rgb OURS pt 0, \
         "" skip 1 using (column(9) / 1e6):12 with points lc rgb OURS pt 7 ps 2.4 * dot, \
         numbers using (column(1) / 1e6):2:3 with labels left offset 1, 0 tc rgb "black", \
         (runs eq "" ? "accuracy.tsv" : runs) skip 1 using \
             (runs ne "" && cost(strcol(1)) > 0 ? cost(strcol(1)) : NaN):4 \
             with points lc rgb RUNS pt 7 ps 1.6 * dot
    set output
}
