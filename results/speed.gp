# How long an image takes in every step, and how fast it is computed, for three kinds of work:
# speed.tsv to speed.svg and speed.png.
#
# Colours: Okabe and Ito's. Time is logarithmic: equal distances are equal factors.

set datafile separator tab
set encoding utf8

PICTURE = "speed"
tall = 900 # pixels
letters = 22

ONE = 0xD55E00   # vermilion
EIGHT = 0x0072B2 # blue
TRAIN = 0x009E73 # bluish green

# Names of the steps in their order, a word each.
names = system("awk -F '\t' 'NR > 1 && !seen[$1]++ { print $1 }' speed.tsv")
steps = words(names)
place(name) = sum [i = 1:steps] (word(names, i) eq name ? i - 1 : 0)
is(mode, batch) = strcol(2) eq mode && column(3) == batch
each(mode, batch) = is(mode, batch) ? column(5) / batch : NaN
rate(mode, batch) = is(mode, batch) ? column(8) : NaN
# 2.12, 28.4, 181: three digits.
text(x) = x < 10 ? sprintf("%.2f", x) : x < 100 ? sprintf("%.1f", x) : sprintf("%.0f", x)

stats "speed.tsv" skip 1 using ($5 / $3) name "MS" nooutput

set yrange [steps - 0.3:-0.7]
set border 0
set grid xtics lt 1 lw 1 lc rgb 0xDDDDDD
set grid ytics
set style textbox opaque noborder fillcolor rgb "white" margins 0.2, 0
set tics scale 0
set ytics left offset screen -0.32, 0 noenhanced
do for [i = 1:steps] {
    set ytics add (word(names, i) i - 1)
}
set key off
set tmargin at screen 0.84
set bmargin at screen 0.09

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "How fast the steps are" at screen 0.03, 0.95 left font ",28"
    set label 2 "● inference, 1 image" at screen 0.58, 0.95 right tc rgb ONE
    set label 3 "● inference, 8 images" at screen 0.77, 0.95 right tc rgb EIGHT
    set label 4 "● training, 8 images" at screen 0.96, 0.95 right tc rgb TRAIN

    set title "milliseconds per image"
    set lmargin at screen 0.35
    set rmargin at screen 0.66
    set logscale x
    set xrange [MS_min / 2:MS_max * 2]
    set xtics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
    plot "speed.tsv" skip 1 using (each("infer", 1)):(place(strcol(1))) \
             with points lc rgb ONE pt 7 ps 2 * dot, \
         "" skip 1 using (each("infer", 8)):(place(strcol(1))) \
             with points lc rgb EIGHT pt 7 ps 2 * dot, \
         "" skip 1 using (each("train", 8)):(place(strcol(1))) \
             with points lc rgb TRAIN pt 7 ps 2 * dot, \
         "" skip 1 using (each("infer", 1)):(place(strcol(1))):(text(each("infer", 1))) \
             with labels boxed left offset 1.1, 0 tc rgb ONE, \
         "" skip 1 using (each("infer", 8)):(place(strcol(1))):(text(each("infer", 8))) \
             with labels boxed right offset -1.1, 0 tc rgb EIGHT, \
         "" skip 1 using (each("train", 8)):(place(strcol(1))):(text(each("train", 8))) \
             with labels boxed left offset 1.1, 0 tc rgb TRAIN

    do for [i = 1:4] {
        unset label i
    }
    set title "GFLOP/s"
    set lmargin at screen 0.71
    set rmargin at screen 0.96
    unset logscale x
    set xrange [0:*]
    set xtics 0, 100
    set format y ""
    do for [i = 1:steps] {
        set ytics add ("" i - 1)
    }
    plot "speed.tsv" skip 1 using (rate("infer", 1)):(place(strcol(1))) \
             with points lc rgb ONE pt 7 ps 2 * dot, \
         "" skip 1 using (rate("infer", 8)):(place(strcol(1))) \
             with points lc rgb EIGHT pt 7 ps 2 * dot, \
         "" skip 1 using (rate("train", 8)):(place(strcol(1))) \
             with points lc rgb TRAIN pt 7 ps 2 * dot
    do for [i = 1:steps] {
        set ytics add (word(names, i) i - 1)
    }
    unset multiplot
    set output
}
