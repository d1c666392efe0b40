# Parameters and multiply-accumulates of every step, at the article's and at the paper's widths:
# ladder.tsv to ladder.svg and ladder.png.
#
# Both scales are logarithmic, so that equal distances are equal factors.

PICTURE = "ladder"
tall = 1110 # pixels
load STYLE

BOTH = 0x404040
stats "ladder.tsv" skip 1 using 0 nooutput
steps = STATS_records

# Where both networks are the same a value is written once, in grey.
same(article, paper) = abs(article / paper - 1) < 0.02
right(article, paper) = same(article, paper) ? BOTH : VERMILION
left(article, paper) = same(article, paper) ? NaN : paper
# A line joins our own steps; a reader's stand beside it.
ours(value) = strcol(11) eq "own" ? NaN : value
# The least and the most of both networks, with room for a number beside it.
least(c) = (system(sprintf("awk -F '\t' 'NR > 1 { for (c = %d; c <= %d; c += 2) if ($c + 0 && (!n++ || $c + 0 < m)) \
    m = $c + 0 } END { print m }' ladder.tsv", c, c + 2)) + 0)
most(c) = (system(sprintf("awk -F '\t' 'NR > 1 { for (c = %d; c <= %d; c += 2) if ($c + 0 > m) m = $c + 0 } \
    END { print m }' ladder.tsv", c, c + 2)) + 0)

set label 1 say("From ResNet to ConvNeXt, one change at a time", "从 ResNet 到 ConvNeXt，一次一个改动") @HEADING
set label 2 say("■ the article’s widths", "■ 文章的宽度") at screen 0.02, screen 1 - 84.0 / tall left tc rgb VERMILION
set label 3 say("● the paper’s widths", "● 论文的宽度") at screen 0.30, screen 1 - 84.0 / tall left tc rgb BLUE
set label 4 say("grey numbers: both are the same", "灰色数字：两者相同") at screen 0.56, screen 1 - 84.0 / tall left tc rgb BOTH
set yrange [steps - 0.4:-0.6]
set logscale x
set grid ytics
set tmargin at screen 1 - 195.0 / tall
set bmargin at screen 60.0 / tall
set multiplot
do for [panel = 0:1] {
    a = 3 + panel # the article's column; the paper's is two on
    p = a + 2
    unit = panel ? 1e9 : 1e6
    set ytics left offset screen (panel ? -0.01 : -0.315), 0 noenhanced ("" -1)
    do for [i = 1:steps] {
        set ytics add ((panel ? "" : system(sprintf("awk -F '\t' 'NR == %d { print $1 }' ladder.tsv", i + 1))) i - 1)
    }
    set title (panel ? say("multiply-accumulates, billions", "乘加次数，十亿") : say("parameters, millions", "参数，百万"))
    set lmargin at screen (panel ? 0.68 : 0.335)
    set rmargin at screen (panel ? 0.985 : 0.64)
    set xrange [least(a) / unit / 2.3:most(a) / unit * 2.3]
    set xtics (0.001, 0.01, 0.1, 1, 2, 5, 10, 20, 50, 100, 200, 500)
    plot "ladder.tsv" skip 1 using (ours(column(a)) / unit):0 with lines lw 3 lc rgb VERMILION, \
         "" skip 1 using (column(a) / unit):0 with points lc rgb VERMILION pt 5 ps 2 * dot, \
         "" skip 1 using (ours(column(p)) / unit):0 with lines lw 3 lc rgb BLUE, \
         "" skip 1 using (column(p) / unit):0 with points lc rgb BLUE pt 7 ps 1.5 * dot, \
         "" skip 1 using (column(a) / unit):0:(text(column(a) / unit)): \
             (right(column(a), column(p))) \
             with labels boxed left offset 0.9, 0 font ",20" tc rgb variable, \
         "" skip 1 using (left(column(a), column(p)) / unit):0: \
             (text(column(p) / unit)) with labels boxed right offset -0.9, 0 font ",20" tc rgb BLUE
    do for [i = 1:4] {
        unset label i
    }
}
unset multiplot
