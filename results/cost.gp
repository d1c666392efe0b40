# Accuracy against cost: the small networks' multiply-accumulates and their accuracy on clean images (left) and under
# noise (right). ladder.tsv and altered.tsv to cost.svg and cost.png. Where there is a runs.tsv, its runs are purple.

PICTURE = "cost"
tall = 800 # pixels
load STYLE

# Runs of a reader's, where there are some, and what their steps cost.
runs = system("ls runs.tsv 2>/dev/null")
names = system("awk -F '\t' 'NR > 1 { print $1 }' ladder.tsv")
costs = system("awk -F '\t' 'NR > 1 { print $9 }' ladder.tsv")
cost(name) = sum [i = 1:words(names)] (word(names, i) eq name ? word(costs, i) / 1e6 : 0)
million = "(cost(strcol(1)) > 0 ? cost(strcol(1)) : NaN)"
# Steps at nearly the same point have one label. Each line: million MACs, accuracy, numbers of steps.
marks(c, near) = summary("altered.tsv") . " | awk -F '\t' -v OFS='\t' -v c=" . c . " \
    'FNR == NR { cost[$1] = $9 / 1e6; next } { print int(2 * cost[$1] + 0.5), $c, cost[$1], substr($1, 1, 2) }' \
    ladder.tsv - | sort -k 1,1n -k 2,2n | awk -F '\t' -v OFS='\t' -v near=" . sprintf("%g", near) . " ' \
        function flush(  k) { for (k = 0; k < 100; k++) if (has[k]) text = text sprintf(\" %02d\", k); \
            print most, sum / n, text; n = sum = most = 0; text = \"\"; split(\"\", has) } \
        n && ($1 != x || $2 - last > near) { flush() } \
        { x = $1; last = $2; n++; sum += $2; most = $3 > most ? $3 : most; has[$4 + 0] = 1 } END { flush() }'"
# Beside several points the numbers stand to the left, where there is room.
before(x, text) = strlen(text) > 3 && x > 4

set label 1 say("What accuracy costs: the small networks, by step", "准确率与计算量：各步的小网络") @HEADING
set label 2 say("bars: standard deviation of three seeds; noise: σ = 32 of 255", \
    "竖线：三个种子的标准差；噪声：σ = 32（满幅 255）") @NOTE
if (runs ne "") {
    set label 3 say("◆ your runs", "◆ 你的运行") at screen 0.98, screen 1 - 40.0 / tall right tc rgb PURPLE
}
set grid ytics
set xrange [1.5:11]
set xtics 2
set tmargin at screen 1 - 180.0 / tall
set bmargin at screen 110.0 / tall
set xlabel say("million MACs per image", "每张图像的 MACs，百万") offset 0, 0.4
set multiplot
do for [panel = 0:1] {
    set lmargin at screen 0.075 + 0.5 * panel
    set rmargin at screen 0.475 + 0.5 * panel
    set title (panel ? say("with noise: accuracy, %", "加噪声：准确率，%") : say("clean: accuracy, %", "原图：准确率，%")) \
        tc rgb (panel ? GREEN : VERMILION)
    set yrange [*:*]
    set offsets 0, 0, graph 0.05, graph 0.05
    c = panel ? 9 : 5
    plot summary("altered.tsv") using @million:c:c + 1 \
             with yerrorbars lw 2 lc rgb (panel ? GREEN : VERMILION) pt 0, \
         "" using @million:c with points lc rgb (panel ? GREEN : VERMILION) pt (panel ? 9 : 5) ps 1.8 * dot, \
         marks(c, panel ? 3 : 0.28) using (before(column(1), strcol(3)) ? NaN : column(1)):2:3 \
             with labels left offset 0.5, 0 font ",20", \
         marks(c, panel ? 3 : 0.28) using (before(column(1), strcol(3)) ? column(1) : NaN):2:3 \
             with labels right offset -0.9, 0 font ",20", \
         (runs eq "" || panel ? "ladder.tsv" : runs) skip 1 using \
             (runs ne "" && !panel && cost(strcol(1)) > 0 ? cost(strcol(1)) : NaN):4 \
             with points lc rgb PURPLE pt 13 ps 2 * dot
    unset label
}
unset multiplot
