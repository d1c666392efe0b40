# Held-out accuracy after every epoch, a small plot per step: curves.tsv to curves.svg and curves.png. Where there is a
# runs_curves.tsv, its runs are purple.

PICTURE = "curves"
letters = 20

names = system("awk -F '\t' 'NR > 1 && !seen[$1]++ { print $1 }' curves.tsv")
runs = system("ls runs_curves.tsv 2>/dev/null")
if (runs ne "") {
    names = system("awk -F '\t' 'FNR > 1 && !seen[$1]++ { print $1 }' curves.tsv runs_curves.tsv")
}
steps = words(names)
across = 3
down = (steps + across - 1) / across
tall = 235 * down + 200 # pixels
load STYLE

set label 1 say("Held-out accuracy after every epoch, %", "每轮训练后的留出集准确率，%") @HEADING
set label 2 say("blue: mean of the seeds, band: least to most; grey: the other steps", \
    "蓝线：各种子的均值；色带：最小到最大；灰线：其他各步") . (runs eq "" ? "" : \
    say("; purple: your runs", "；紫线：你的运行")) @NOTE
last(file) = system("awk -F '\t' 'NR > 1 && $2 > n { n = $2 } END { print n + 0 }' " . file) + 0
EPOCHS = last("curves.tsv")
if (runs ne "" && last(runs) > EPOCHS) EPOCHS = last(runs)
low = 70 # a first epoch may lie below: it is cut there
set xrange [1:EPOCHS]
set yrange [low:95]
of(name, c) = strcol(1) eq name ? column(c) : NaN
cut(value) = value < low ? low : value

unset grid
set grid ytics lt 1 lw 1 lc rgb PALE
set ytics 70, 10, 90
set style fill transparent solid 0.25 noborder
set multiplot
do for [i = 1:steps] {
    name = word(names, i)
    row = (i - 1) / across
    set lmargin at screen 0.05 + 0.32 * ((i - 1) % across)
    set rmargin at screen 0.05 + 0.32 * ((i - 1) % across) + 0.28
    set tmargin at screen 1 - (160.0 + 235 * row) / tall
    set bmargin at screen 1 - (160.0 + 235 * row + 155) / tall
    set xtics (1, EPOCHS / 2, EPOCHS)
    set format x (i + across > steps ? "%g" : "")
    set xlabel (i + across > steps ? say("epoch", "轮") : "") offset 0, 0.6
    set title name noenhanced offset 0, -0.5
    plot for [k = 1:steps] "curves.tsv" skip 1 using (of(word(names, k), 2)):3 \
             with lines lw 1 lc rgb 0xCCCCCC, \
         "" skip 1 using (of(name, 2)):(cut(column(4))):(cut(column(5))) with filledcurves lc rgb BLUE, \
         "" skip 1 using (of(name, 2)):3 with lines lw 4 lc rgb BLUE, \
         (runs eq "" ? "curves.tsv" : runs) skip 1 using (runs eq "" ? NaN : of(name, 2)):3 \
             with lines lw 4 dt 2 lc rgb PURPLE
    unset label
}
unset multiplot
