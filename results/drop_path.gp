# The probability with which each block is dropped, by the article and by the authors, to drop_path.svg and
# drop_path.png: formulas alone.
#
# Both take linspace(0, p, 18): the authors a number per block, the article zips it with the four
# stages, so that a stage has one rate and only the first four are used.

PICTURE = "drop_path"
tall = 620 # pixels
load STYLE

BLOCKS = 18
stage(block) = block <= 3 ? 0 : block <= 6 ? 1 : block <= 15 ? 2 : 3 # depths 3, 3, 9, 3
authors(block) = (block - 1) / (BLOCKS - 1.0)
article(block) = stage(block) / (BLOCKS - 1.0)

set label 1 say("Drop rate of every block, where p is asked for", "设定最大丢弃概率为 p 时，各块的丢弃概率") @HEADING
set label 2 say("● the authors: one rate per block", "● 作者：每块一个概率") at 12.6, 0.84 right tc rgb BLUE
set label 3 say("■ the article: one rate per stage, at most 3p / 17", "■ 文章：每个阶段一个概率，最大 3p / 17") \
    at 18.3, 0.3 right tc rgb VERMILION
set xrange [0.3:18.7]
set yrange [0:1.12]
unset grid
set grid ytics lt 1 lw 1 lc rgb PALE
set xtics 1, 1, 18
set ytics ("0" 0, "p / 4" 0.25, "p / 2" 0.5, "3p / 4" 0.75, "p" 1)
set xlabel say("block", "块") offset 0, 0.4
set lmargin at screen 0.09
set rmargin at screen 0.98
set tmargin at screen 1 - 90.0 / tall
set bmargin at screen 105.0 / tall
set samples 18
do for [i = 1:4] {
    set label 3 + i say(sprintf("stage %d", i), sprintf("阶段 %d", i)) at (i == 1 ? 2 : i == 2 ? 5 : i == 3 ? 11 : 17), \
        1.09 center tc rgb GREY
}
do for [i = 1:3] {
    b = i == 1 ? 3.5 : i == 2 ? 6.5 : 15.5
    set arrow i from b, 0 to b, 1.12 nohead lw 1 lc rgb 0xBBBBBB
}
plot "+" using ($0 + 1):(authors($0 + 1)) with points lc rgb BLUE pt 7 ps 2.2 * dot, \
     "+" using ($0 + 1):(article($0 + 1)) with points lc rgb VERMILION pt 5 ps 2 * dot
