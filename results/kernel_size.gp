# What a larger kernel costs and what it is for: rows 6 to 10 of the paper's roadmap, which differ in nothing
# else. The paper's accuracy and GMACs; here accuracy on clean and on noisy images. paper_roadmap.tsv
# and rows.tsv to kernel_size.svg and kernel_size.png.

PICTURE = "kernel_size"
tall = 1040 # pixels
load STYLE

# Rows 6 … 10 have kernels 3, 5, … 11.
size(row) = row >= 6 && row <= 10 ? 2 * row - 9 : NaN
SIZES = "$2 >= 6 && $2 <= 10"
at_nine(c) = column(2) == 9 ? 9 : NaN
marked(y) = sprintf("%.1f", y)

set label 1 say("What a large kernel costs, and what it gives", "大卷积核的代价与收益") @HEADING
set label 2 say("depthwise kernel size k, all else equal; bars: standard deviation over the seeds", \
    "逐通道卷积的卷积核大小 k，其余不变；竖线：各种子的标准差") @NOTE
set multiplot
set xrange [2.3:11.9]
set xtics 3, 2, 11
unset grid
set grid ytics lt 1 lw 1 lc rgb PALE
array PANEL_LEFT[4] = [0.085, 0.585, 0.085, 0.585]
array PANEL_TOP[4] = [tall - 190, tall - 190, tall - 640, tall - 640]
do for [panel = 1:4] {
    set lmargin at screen PANEL_LEFT[panel]
    set rmargin at screen PANEL_LEFT[panel] + 0.385
    set tmargin at screen 1.0 * PANEL_TOP[panel] / tall
    set bmargin at screen (PANEL_TOP[panel] - 310.0) / tall
    # The size that the paper keeps.
    set object 1 rectangle from 6.4, graph 0 to 7.6, graph 1 behind fc rgb 0xF0F0F0 fs solid noborder
    if (panel == 1) {
        set title say("here, clean images: accuracy, %", "本项目，原图：准确率，%") tc rgb VERMILION
        least = word(ends(5, "rows.tsv", SIZES), 1)
        most = word(ends(5, "rows.tsv", SIZES), 2)
        set yrange [least - 0.2:most + 0.5]
        set ytics autofreq
        plot summary("rows.tsv") using (size(column(2))):5:6 with yerrorbars lw 2 lc rgb VERMILION pt 0, \
             "" using (size(column(2))):5 with linespoints lw 4 lc rgb VERMILION pt 5 ps 2 * dot, \
             "" using (size(column(2))):5:(marked(column(5))) with labels boxed offset 0, 1.3 tc rgb VERMILION
    }
    if (panel == 2) {
        set title say("here, noisy images: accuracy, %", "本项目，加噪声：准确率，%") tc rgb GREEN
        least = word(ends(11, "rows.tsv", SIZES), 1)
        most = word(ends(7, "rows.tsv", SIZES), 2)
        set yrange [least - 10:most + 8]
        set ytics autofreq
        plot summary("rows.tsv") using (size(column(2))):7 with linespoints lw 4 lc rgb SKY pt 7 ps 2 * dot, \
             "" using (size(column(2))):9:10 with yerrorbars lw 2 lc rgb GREEN pt 0, \
             "" using (size(column(2))):9 with linespoints lw 4 lc rgb GREEN pt 9 ps 2.2 * dot, \
             "" using (size(column(2))):11:12 with yerrorbars lw 2 lc rgb BLUE pt 0, \
             "" using (size(column(2))):11 with linespoints lw 4 lc rgb BLUE pt 13 ps 2.2 * dot, \
             "" using (at_nine(7)):7:("σ = 16") with labels offset 0, 1 tc rgb SKY, \
             "" using (at_nine(9)):9:("σ = 32") with labels offset 0, -1.2 tc rgb GREEN, \
             "" using (at_nine(11)):11:("σ = 64") with labels offset 1, -1.5 tc rgb BLUE
    }
    if (panel == 3) {
        set title say("the paper, ImageNet: accuracy, %", "论文，ImageNet：准确率，%") tc rgb BLUE
        set yrange [79.6:80.9]
        set ytics 0.4
        plot "paper_roadmap.tsv" skip 1 using (size(column(1))):3:4 with yerrorbars lw 2 lc rgb BLUE pt 0, \
             "" skip 1 using (size(column(1))):3 with linespoints lw 4 lc rgb BLUE pt 7 ps 2 * dot, \
             "" skip 1 using (size(column(1))):3:(sprintf("%.2f", column(3))) \
                 with labels boxed offset 0, 1.3 tc rgb BLUE
    }
    if (panel == 4) {
        set title say("the paper: GMACs per image", "论文：每张图像的 GMACs") tc rgb GREY
        set yrange [0:5]
        set ytics 1
        plot "paper_roadmap.tsv" skip 1 using (size(column(1))):(column(6) / 1e9):(1.3) \
                 with boxes lc rgb 0xBBBBBB, \
             "" skip 1 using (size(column(1))):(column(6) / 1e9):(sprintf("%.2f", column(6) / 1e9)) \
                 with labels offset 0, 0.7 tc rgb "black"
    }
    unset label 1
    unset label 2
}
unset multiplot
