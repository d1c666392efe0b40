# The roadmap, step by step: the paper's accuracy on ImageNet, that of the small networks on
# Fashion-MNIST, and theirs under noise; each step's point above the next. paper.tsv, altered.tsv and ladder.tsv to road.svg and road.png. Where there is a runs.tsv, its runs are purple.

PICTURE = "road"
tall = 1060 # pixels
load STYLE

runs = system("ls runs.tsv 2>/dev/null")
names = system("awk -F '\t' 'NR > 1 { print $1 }' ladder.tsv")
steps = words(names)
# The row of a step; a run of one that is not there gets no dot.
place(name) = (row = sum [i = 1:steps] (word(names, i) eq name ? i : 0), row ? row - 1 : NaN)
at(c) = place(strcol(1)) >= 0 ? column(c) : NaN

set label 1 say("The same changes, three results", "同样的改动，三种结果") @HEADING
set label 3 say("small dots: single seeds    bars: standard deviation of three seeds    noise: σ = 32 of 255", \
    "小点：单个随机种子    横线：三个种子的标准差    噪声：σ = 32（满幅 255）") @FOOT
if (runs ne "") {
    set label 2 say("◆ your runs", "◆ 你的运行") at screen 0.98, screen 1 - 40.0 / tall right tc rgb PURPLE
}
set tmargin at screen 1 - 185.0 / tall
set bmargin at screen 105.0 / tall
set yrange [steps - 0.4:-0.6]
set grid ytics

array LEFT[3] = [0.325, 0.550, 0.775]
array COLOUR[3] = [BLUE, VERMILION, GREEN]
array KINDS_OF[3] = [say("ImageNet, the paper", "ImageNet，论文"), \
    say(DATA . ", here", DATA . "，本项目"), say("the same, with noise", "同左，加噪声")]
array POINT[3] = [7, 5, 9]

set multiplot
do for [panel = 1:3] {
    set ytics left offset screen (panel == 1 ? -0.295 : -0.01), 0 noenhanced ("" -1)
    do for [i = 1:steps] {
        set ytics add ((panel == 1 ? word(names, i) : "") i - 1)
    }
    set lmargin at screen LEFT[panel]
    set rmargin at screen LEFT[panel] + 0.205
    set title KINDS_OF[panel] . "\n" . say("accuracy, %", "准确率，%") tc rgb COLOUR[panel]
    if (panel == 1) {
        set xrange [77.8:84]
        set xtics 78, 2, 82
        plot "paper.tsv" skip 1 using (strcol(1) eq "12_official_convnext" ? NaN : at(4)):(place(strcol(1))) \
                 with lines lw 3 lc rgb BLUE, \
             "" skip 1 using (strcol(1) eq "12_official_convnext" ? NaN : at(4)):(place(strcol(1))):5 \
                 with xerrorbars lw 2 lc rgb BLUE pt 7 ps 1.8 * dot, \
             "" skip 1 using (82.6):(strcol(1) eq "12_official_convnext" ? NaN : place(strcol(1))): \
                 (sprintf("%.1f", column(4))) with labels left tc rgb BLUE
    }
    if (panel == 2) {
        eval scale(5, "altered.tsv")
        if (runs ne "") {
            worst = system("awk -F '\t' 'NR == 2 || $4 < m { m = $4 } END { print int(m) }' runs.tsv") + 0
            best = system("awk -F '\t' 'NR > 1 && $4 > m { m = $4 } END { print int(m) + 1 }' runs.tsv") + 0
            eval between(worst < lo ? worst : lo, best > hi ? best : hi)
        }
        plot summary("altered.tsv") using (at(5)):(place(strcol(1))) with lines lw 3 lc rgb VERMILION, \
             "altered.tsv" skip 1 using (strcol(5) eq "clean" ? at(6) : NaN):(place(strcol(1))) \
                 with points lc rgb VERMILION pt 7 ps 0.9 * dot, \
             summary("altered.tsv") using (at(5)):(place(strcol(1))) \
                 with points lc rgb VERMILION pt 5 ps 1.8 * dot, \
             "" using (beside):(place(strcol(1))):(sprintf("%.1f", column(5))) \
                 with labels left tc rgb VERMILION, \
             (runs eq "" ? "ladder.tsv" : runs) skip 1 \
                 using (runs eq "" ? NaN : at(4)):(place(strcol(1))) \
                 with points lc rgb PURPLE pt 13 ps 2 * dot
    }
    if (panel == 3) {
        eval scale(9, "altered.tsv")
        plot summary("altered.tsv") using (at(9)):(place(strcol(1))) with lines lw 3 lc rgb GREEN, \
             "altered.tsv" skip 1 using (strcol(5) eq "noise:32" ? at(6) : NaN):(place(strcol(1))) \
                 with points lc rgb GREEN pt 7 ps 0.9 * dot, \
             summary("altered.tsv") using (at(9)):(place(strcol(1))) \
                 with points lc rgb GREEN pt 9 ps 2 * dot, \
             "" using (beside):(place(strcol(1))):(sprintf("%.1f", column(9))) \
                 with labels left tc rgb GREEN
    }
    unset label
}
unset multiplot
