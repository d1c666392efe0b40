# Where the parameters and multiply-accumulates of every step's network are, at the paper's widths:
# stages.tsv to stages.svg and stages.png.
#
# Colours: Okabe and Ito's.

set datafile separator tab
set encoding utf8

PICTURE = "stages"
tall = 900 # pixels
letters = 22

parts = "stem stage1 stage2 stage3 stage4 head"
array COLOUR[6] = [0x999999, 0x56B4E9, 0x0072B2, 0x009E73, 0xE69F00, 0xCC79A7]
array SAID[6] = ["stem", "stage 1", "stage 2", "stage 3", "stage 4", "head"]
names = system("awk -F '\t' 'NR > 1 && !seen[$1]++ { print $1 }' stages.tsv")
steps = words(names)
# Lines are in the order of parts: the sum so far is where the next box begins.
begin = 0
end = 0
stack(value, first) = (begin = first ? 0 : end, end = begin + value)

set yrange [steps - 0.3:-0.7]
set border 0
set grid xtics lt 1 lw 1 lc rgb 0xDDDDDD
set tics scale 0
set style fill solid 1 noborder
set key off
set tmargin at screen 0.80
set bmargin at screen 0.09

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "Where the parameters and the work are, at the paper's widths" \
        at screen 0.03, 0.95 left font ",28"
    do for [i = 1:6] {
        set label 1 + i "■ " . SAID[i] at screen 0.35 + 0.1 * (i - 1), 0.88 left tc rgb COLOUR[i]
    }
    do for [panel = 0:1] {
        column_ = 3 + panel
        unit = panel ? 1e9 : 1e6
        set xlabel (panel ? "multiply-accumulates, billions" : "parameters, millions")
        set lmargin at screen (panel ? 0.68 : 0.35)
        set rmargin at screen (panel ? 0.97 : 0.64)
        set xrange [0:*]
        set ytics left offset screen -0.32, 0 noenhanced
        set ytics ("" -1)
        do for [i = 1:steps] {
            set ytics add ((panel ? "" : word(names, i)) i - 1)
        }
        if (panel) {
            do for [i = 1:7] {
                unset label i
            }
        }
        plot "stages.tsv" skip 1 using \
            (stack(column(column_) / unit, strcol(2) eq "stem"), begin): \
            (floor($0 / 6)):(begin):(end):(floor($0 / 6) - 0.36):(floor($0 / 6) + 0.36): \
            (COLOUR[int($0) % 6 + 1]) with boxxyerror lc rgb variable
    }
    unset multiplot
    set output
}
