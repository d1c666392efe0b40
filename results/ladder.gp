# Parameters and multiply-accumulates of every step, at the article's and at the paper's widths:
# ladder.tsv to ladder.svg and ladder.png.
#
# Both scales are logarithmic, so that equal distances are equal factors. Colours: Okabe and Ito's.

set datafile separator tab
set datafile missing "-"
set encoding utf8

PICTURE = "ladder"
tall = 900 # pixels
letters = 22

ARTICLE = 0xD55E00 # vermilion
PAPER = 0x0072B2   # blue
BOTH = 0x404040

stats "ladder.tsv" skip 1 using 0 nooutput
steps = STATS_records

# Where both networks are the same a value is written once, in grey.
same(article, paper) = abs(article / paper - 1) < 0.02
right(article, paper) = same(article, paper) ? BOTH : ARTICLE
left(article, paper) = same(article, paper) ? NaN : paper
# 2.12, 28.4, 181: three digits.
text(x) = x < 10 ? sprintf("%.2f", x) : x < 100 ? sprintf("%.1f", x) : sprintf("%.0f", x)
# A line joins our own steps; a reader's stand beside it.
ours(value) = strcol(11) eq "own" ? NaN : value
# Only the left panel names the steps.
name(panel, step, title) = panel ? "" : step[1:2] . "  " . title

set yrange [steps - 0.3:-0.7]
set logscale x
set border 0
set grid xtics lt 1 lw 1 lc rgb 0xDDDDDD
set grid ytics
set style textbox opaque noborder fillcolor rgb "white" margins 0.2, 0
set tics scale 0
set ytics left offset screen -0.32, 0
set key off
set tmargin at screen 0.84
set bmargin at screen 0.09

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "From ResNet to ConvNeXt, one change at a time" at screen 0.03, 0.95 \
        left font ",28"
    set label 2 "● the article's widths" at screen 0.80, 0.95 right tc rgb ARTICLE
    set label 3 "● the paper's widths" at screen 0.96, 0.95 right tc rgb PAPER
    do for [panel = 0:1] {
        a = 3 + panel # the article's column; the paper's is two on
        p = a + 2
        unit = panel ? 1e9 : 1e6
        set title (panel ? "multiply-accumulates, billions" : "parameters, millions")
        set lmargin at screen (panel ? 0.71 : 0.35)
        set rmargin at screen (panel ? 0.96 : 0.66)
        if (panel) {
            unset label 1
            unset label 2
            unset label 3
            set xrange [0.6:60]
            set xtics (1, 2, 5, 10, 20, 50)
            set format y ""
        } else {
            set xrange [10:330]
            set xtics (10, 20, 50, 100, 200)
            set format y "%s"
        }
        plot "ladder.tsv" skip 1 using (ours(column(a)) / unit):0 with lines lw 3 lc rgb ARTICLE, \
             "" skip 1 using (column(a) / unit):0:ytic(name(panel, strcol(1), strcol(2))) \
                 with points lc rgb ARTICLE pt 7 ps 2 * dot, \
             "" skip 1 using (ours(column(p)) / unit):0 with lines lw 3 lc rgb PAPER, \
             "" skip 1 using (column(p) / unit):0 with points lc rgb PAPER pt 7 ps 1.3 * dot, \
             "" skip 1 using (column(a) / unit):0:(text(column(a) / unit)): \
                 (right(column(a), column(p))) \
                 with labels boxed left offset 1.1, 0 tc rgb variable, \
             "" skip 1 using (left(column(a), column(p)) / unit):0: \
                 (text(column(p) / unit)) with labels boxed right offset -1, 0 tc rgb PAPER
    }
    unset multiplot
    set output
}
