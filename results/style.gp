# What all plots share. make calls gnuplot where a plot's tables are, with KIND (svg or png), LANGUAGE (en
# or zh), STYLE, the path of this file, and PAGES, that of the program; a plot sets PICTURE, its name, and
# tall, its height in pixels, and loads this. Colours are Okabe and Ito's; where two meet, their points or lines differ too, so that
# a plot can be read in grey.

set encoding utf8
set datafile separator tab
set datafile missing "-"

if (!exists("LANGUAGE")) LANGUAGE = "en"
if (!exists("DATA")) DATA = "Fashion-MNIST" # what the small networks were trained on
say(english, chinese) = LANGUAGE eq "zh" ? chinese : english

wide = 1200
if (!exists("letters")) letters = 24
if (KIND eq "svg") {
    set terminal svg size wide, tall font sprintf("sans-serif,%d", letters) background rgb "white"
    dot = 0.45 # this terminal draws its points larger
} else {
    set terminal pngcairo size wide, tall font sprintf("sans,%d", letters) fontscale 0.75 \
        background rgb "white"
    dot = 1
}
set output (LANGUAGE eq "zh" ? "zh/" : "") . PICTURE . "." . KIND

VERMILION = 0xD55E00
BLUE = 0x0072B2
GREEN = 0x009E73
ORANGE = 0xE69F00
SKY = 0x56B4E9
PURPLE = 0xCC79A7
GREY = 0x707070
PALE = 0xDDDDDD

# set label 1 "…" @HEADING; lines below it @NOTE, one more at the bottom @FOOT.
# A macro is not expanded on a line that holds an apostrophe; a typographic one does no harm.
HEADING = sprintf("at screen 0.02, screen %g left font ',30'", 1 - 40.0 / tall)
NOTE = sprintf("at screen 0.02, screen %g left font ',22' tc rgb GREY", 1 - 84.0 / tall)
FOOT = sprintf("at screen 0.02, screen %g left font ',20' tc rgb GREY", 26.0 / tall)

set border 0
set tics scale 0
set key off
set grid xtics lt 1 lw 1 lc rgb PALE
set style fill solid 1 noborder
set style textbox opaque noborder fillcolor rgb "white" margins 0.2, 0

# The words of a table's first column, in their order.
first_of(file) = system("awk -F '\t' 'NR > 1 && !seen[$1]++ { print $1 }' " . file)
# The means of a table of altered runs (docs/pages/blocks.h): a line per network, row and batch size.
summary(file) = "< '" . PAGES . "' means " . file
# 2.12, 28.4, 181: three digits.
text(x) = x < 10 ? sprintf("%.2f", x) : x < 100 ? sprintf("%.1f", x) : sprintf("%.0f", x)
# A column's least and most whole numbers, in the lines where awk's condition holds, with a space; and a scale between them with room for a number on its right,
# at `beside`: eval scale(5, "altered.tsv").
ends(c, file, where) = system(substr(summary(file), 3, 999) . " | awk -F '\t' '" . where . "' | " . sprintf("awk -F '\t' 'NR == 1 || $%d < lo { lo = $%d } \
    NR == 1 || $%d > hi { hi = $%d } END { print int(lo), int(hi) + 1 }'", c, c, c, c))
between(lo, hi) = sprintf("lo = %d; hi = %d; apart = hi - lo > 1 ? (hi - lo) / 2 : 1; beside = hi + 0.08 * (hi - lo); \
    set xtics lo, apart, hi; set xrange [lo - 0.04 * (hi - lo):hi + 0.45 * (hi - lo)]", lo, hi)
scale(c, file) = between(word(ends(c, file, "1"), 1) + 0, word(ends(c, file, "1"), 2) + 0)
