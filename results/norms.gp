# Batch norm against layer norm over the batch size: rows 13 and 14 of the paper's roadmap, which differ in
# the norm. norms.tsv to norms.svg and norms.png.

PICTURE = "norms"
tall = 720 # pixels
load STYLE

is(row) = column(2) == row ? column(3) : NaN
# The difference of both rows at a batch size, and the square of its standard error.
difference = summary("norms.tsv") . " | awk -F '\t' '{ m[$2, $3] = $5; v[$2, $3] = \
    $6 * $6 / $4; b[$3] = 1 } END { for (k in b) print k \"\t\" m[14, k] - m[13, k] \"\t\" \
    v[13, k] + v[14, k] }' | sort -n"

set label 1 say("Layer norm against batch norm, by batch size", "层归一化与批归一化：随批量大小的变化") @HEADING
set label 2 say("learning rate ∝ √batch; bars: standard deviation, right standard error", \
    "学习率 ∝ √批量；竖线：标准差，右图为标准误") @NOTE
set logscale x 4
set xrange [2.6:420]
set xtics (4, 16, 64, 256)
set xlabel say("batch size", "批量大小") offset 0, 0.4
unset grid
set grid ytics lt 1 lw 1 lc rgb PALE
set tmargin at screen 1 - 190.0 / tall
set bmargin at screen 100.0 / tall
set multiplot
set lmargin at screen 0.085
set rmargin at screen 0.52
set title say("accuracy, %", "准确率，%")
set yrange [*:*]
set offsets 0, 0, graph 0.08, graph 0.08
set ytics autofreq
plot summary("norms.tsv") using (is(13)):5:6 with yerrorbars lw 2 lc rgb VERMILION pt 0, \
     "" using (is(13)):5 with linespoints lw 4 lc rgb VERMILION pt 5 ps 2 * dot, \
     "" using (is(14) * 1.06):5:6 with yerrorbars lw 2 lc rgb BLUE pt 0, \
     "" using (is(14) * 1.06):5 with linespoints lw 4 lc rgb BLUE pt 7 ps 2.2 * dot, \
     "" using (is(14) == 4 ? 4 : NaN):5:("LN") with labels offset -1, 1 tc rgb BLUE, \
     "" using (is(13) == 4 ? 4 : NaN):5:("BN") with labels left offset 1.2, -1.2 tc rgb VERMILION
unset label
unset offsets
set lmargin at screen 0.62
set rmargin at screen 0.98
set xrange [2.6:900]
set title say("LN - BN, percentage points", "LN - BN，百分点")
set yrange [*:*]
set offsets 0, 0, graph 0.25, graph 0.25
set xzeroaxis lt 1 lw 2 lc rgb GREY
set label 7 say("layer norm is better", "层归一化更好") at graph 0.98, 0.95 right font ",20" tc rgb BLUE
set label 8 say("batch norm is better", "批归一化更好") at graph 0.02, 0.05 left font ",20" tc rgb VERMILION
plot difference using 1:(0):(0.5):2 with boxes lc rgb 0xCCCCCC, \
     difference using 1:2:(sqrt(column(3))) with yerrorbars lw 3 lc rgb "black" pt 7 ps 1.8 * dot, \
     difference using 1:2:(sprintf("%+.2f", column(2))) with labels boxed left offset 0.7, 0 font ",20"
unset multiplot
