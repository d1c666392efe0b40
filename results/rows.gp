# The paper's roadmap row by row, as its Figure 2 has it, with the FLOPs that it prints and those that its
# networks have, Swin-T's accuracy and the groups of changes; beside it what the same sixteen networks,
# small, come to on Fashion-MNIST, clean and under noise. paper_roadmap.tsv and rows.tsv to rows.svg and rows.png.

PICTURE = "rows"
tall = 1200 # pixels
load STYLE

SWIN = 81.3 # Swin-T in the paper's Figure 2

set label 1 say("The paper’s roadmap, all sixteen rows", "论文路线图的全部十六行") @HEADING
set label 2 say("left as its Figure 2; right the same networks, small, on " . DATA, \
    "左：论文图 2；右：同样的网络，小规模，" . DATA) @NOTE
set label 3 say("GFLOPs as printed; in brackets where the network’s count differs.  noise: σ = 32 of 255", \
    "GFLOPs 为论文所印；括号内为网络的实际值（与所印不同时）。噪声：σ = 32（满幅 255）") @FOOT

array NAMES[16] = [say("ResNet-50, new recipe", "ResNet-50，新训练方案"), say("stage ratio", "各阶段块数比"), \
    say("patchify stem", "patchify stem"), say("depthwise conv", "逐通道卷积"), say("width 64 to 96", "宽度 64 → 96"), \
    say("inverted bottleneck", "倒置瓶颈"), say("depthwise moved up", "逐通道卷积上移"), say("kernel 5", "卷积核 5"), \
    say("kernel 7", "卷积核 7"), say("kernel 9", "卷积核 9"), say("kernel 11", "卷积核 11"), "ReLU → GELU", \
    say("fewer activations", "更少的激活函数"), say("fewer norms", "更少的归一化层"), "BN → LN", \
    say("separate downsampling", "独立的下采样层")]
array FIRST[6] = [0, 2, 3, 5, 6, 11]
array LAST[6] = [1, 2, 4, 5, 10, 15]
array GROUP[6] = [say("stages", "阶段"), "stem", "ResNeXt", say("inverted", "倒置"), \
    say("kernel", "大卷积核"), say("micro", "微观设计")]
# Row 15 with larger first weights, "15-std0.04", is a point of its own, hollow.
row(name) = strstrt(name, "-std") ? NaN : int(name)
scaled(name) = strstrt(name, "-std") ? 15 : NaN
# The paper's Figure 2 hatches what it does not keep: kernels 9 and 11, and 3 and 5 on the way.
kept(row) = row == 6 || row == 7 || row == 9 || row == 10 ? 0 : 1

set tmargin at screen 1 - 215.0 / tall
set bmargin at screen 110.0 / tall
set yrange [15.6:-0.6]

array LEFT[3] = [0.350, 0.700, 0.860]
set multiplot
do for [panel = 1:3] {
    set ytics left offset screen (panel == 1 ? -0.23 : -0.01), 0 ("" -1)
    do for [i = 1:16] {
        set ytics add ((panel == 1 ? NAMES[i] : "") i - 1)
    }
    set lmargin at screen LEFT[panel]
    set rmargin at screen (panel == 1 ? 0.56 : LEFT[panel] + 0.122)
    unset object
    do for [g = 1:6] {
        if (panel == 1 && g % 2 == 1) {
            set object g rectangle from screen 0.01, first FIRST[g] - 0.5 to screen 0.99, first LAST[g] + 0.5 \
                behind fc rgb 0xF2F2F2 fs solid noborder
        }
        if (panel == 1) {
            set label 10 + g GROUP[g] at screen 0.02, first (FIRST[g] + LAST[g]) / 2.0 left font ",20" tc rgb GREY
        }
    }
    if (panel == 1) {
        set title say("ImageNet top-1, %", "ImageNet top-1，%") tc rgb BLUE offset 0, 0.6
        set xrange [77:83]
        set xtics 77, 1, 82
        set arrow 1 from SWIN, -0.6 to SWIN, 15.6 nohead lw 2 dt 2 lc rgb VERMILION front
        set label 4 "Swin-T 81.3" at SWIN, -1.05 center font ",20" tc rgb VERMILION
        set label 5 "GFLOPs" at graph 1.05, first -1.05 left tc rgb GREY
        plot "paper_roadmap.tsv" skip 1 using (77):1:(77):3:($1 - 0.34):($1 + 0.34): \
                 (kept(column(1)) ? BLUE : 0xA9CCE3) with boxxyerror lc rgb variable, \
             "" skip 1 using 3:1:4 with xerrorbars lw 2 lc rgb 0x303030 pt 0, \
             "" skip 1 using (77.12):1:(sprintf("%.1f", column(3))):(kept(column(1)) ? 0xFFFFFF : 0x303030) with labels left tc rgb variable, \
             "" skip 1 using (83):1:(strcol(5) . (abs(column(5) - column(6) / 1e9) < 0.01 ? "" : \
                 sprintf(" (%.2f)", column(6) / 1e9))) with labels left offset 1, 0 tc rgb GREY
        unset arrow
        unset label
    }
    if (panel == 2) {
        set title say("here, clean, %", "本项目，原图，%") tc rgb VERMILION
        eval scale(5, "rows.tsv")
        plot summary("rows.tsv") using 5:(row(strcol(2))):6 with xerrorbars lw 2 lc rgb VERMILION pt 0, \
             "" using 5:(scaled(strcol(2))) with points lw 3 lc rgb VERMILION pt 4 ps 1.8 * dot, \
             "" using 5:(row(strcol(2))) with linespoints lw 3 lc rgb VERMILION pt 5 ps 1.6 * dot, \
             "" using (beside):(row(strcol(2))):(sprintf("%.1f", column(5))) with labels left font ",20" tc rgb VERMILION
    }
    if (panel == 3) {
        set title say("with noise, %", "加噪声，%") tc rgb GREEN
        eval scale(9, "rows.tsv")
        plot summary("rows.tsv") using 9:(row(strcol(2))):10 with xerrorbars lw 2 lc rgb GREEN pt 0, \
             "" using 9:(scaled(strcol(2))) with points lw 3 lc rgb GREEN pt 8 ps 2 * dot, \
             "" using 9:(row(strcol(2))) with linespoints lw 3 lc rgb GREEN pt 9 ps 1.8 * dot, \
             "" using (beside):(row(strcol(2))):(sprintf("%.0f", column(9))) with labels left font ",20" tc rgb GREEN
    }
}
unset multiplot
