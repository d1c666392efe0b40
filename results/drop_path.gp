# The probability with which each block's path is dropped, by the article and by the authors, to
# drop_path.svg and drop_path.png: formulas alone.
#
# Both take linspace(0, p, 18): the authors a number per block, the article zips it with the four
# stages, so that a stage has one rate and only the first four are used. Colours: Okabe and Ito's.

set encoding utf8

PICTURE = "drop_path"
tall = 700 # pixels
letters = 22

ARTICLE = 0xD55E00 # vermilion
AUTHORS = 0x0072B2 # blue

BLOCKS = 18
stage(block) = block <= 3 ? 0 : block <= 6 ? 1 : block <= 15 ? 2 : 3 # depths 3, 3, 9, 3
authors(block) = (block - 1) / (BLOCKS - 1.0)
article(block) = stage(block) / (BLOCKS - 1.0)

set xrange [0.3:18.7]
set yrange [0:1.08]
set border 0
set grid ytics lt 1 lw 1 lc rgb 0xDDDDDD
set tics scale 0
set xtics 1, 1, 18
set ytics ("0" 0, "p / 4" 0.25, "p / 2" 0.5, "3p / 4" 0.75, "p" 1)
set xlabel "block"
set key off
set lmargin at screen 0.07
set rmargin at screen 0.97
set tmargin at screen 0.80
set bmargin at screen 0.15
set samples 18

do for [kind in KINDS] {
    load STYLE
    set label 1 "How often a block's path is dropped in training, asked for p" \
        at screen 0.03, 0.94 left font ",28"
    set label 2 "the authors: a rate a block" at 12.6, authors(14) + 0.02 right tc rgb AUTHORS
    set label 3 "the article: a rate a stage, at most 3p / 17" at 12.6, 0.175 right tc rgb ARTICLE
    do for [i = 1:4] {
        set label 3 + i sprintf("stage %d", i) at (i == 1 ? 2 : i == 2 ? 5 : i == 3 ? 11 : 17), \
            1.055 center tc rgb 0x808080
    }
    do for [i = 1:3] {
        b = i == 1 ? 3.5 : i == 2 ? 6.5 : 15.5
        set arrow i from b, 0 to b, 1.08 nohead lw 1 lc rgb 0xBBBBBB
    }
    plot "+" using ($0 + 1):(authors($0 + 1)) with points lc rgb AUTHORS pt 7 ps 2.4 * dot, \
         "+" using ($0 + 1):(article($0 + 1)) with points lc rgb ARTICLE pt 7 ps 2.4 * dot
    set output
}
