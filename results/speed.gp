# How long an image takes in every step, and how fast it is computed, for three kinds of work:
# speed.tsv to speed.svg and speed.png. Time is logarithmic: equal distances are equal factors.

PICTURE = "speed"
tall = 1115 # pixels
load STYLE

names = first_of("speed.tsv")
steps = words(names)
place(name) = sum [i = 1:steps] (word(names, i) eq name ? i - 1 : 0)
is(mode, batch) = strcol(2) eq mode && column(3) == batch
each(mode, batch) = is(mode, batch) ? column(5) / batch : NaN
rate(mode, batch) = is(mode, batch) ? column(8) : NaN
# "2 threads, AMD EPYC": what most rows say, so that a step measured elsewhere does not speak for all.
usual(c) = system(sprintf("awk -F '\t' 'NR > 1 && ++n[$%d] > most { most = n[$%d]; it = $%d } END { print it }' speed.tsv", \
    c, c, c))
stats "speed.tsv" skip 1 using ($5 / $3) name "MS" nooutput

set label 1 say("How fast the steps are, at the paper’s widths", "各步的速度（论文的宽度）") @HEADING
set label 2 usual(13) . say(", threads: ", "，线程数：") . usual(4) . ", " . \
    system("echo '" . usual(12) . "' | sed 's/ (.*)//'") noenhanced @NOTE
set label 3 say("● inference, 1 image", "● 推理，1 张图像") at screen 0.02, screen 1 - 130.0 / tall left tc rgb VERMILION
set label 4 say("■ inference, 8 images", "■ 推理，8 张图像") at screen 0.34, screen 1 - 130.0 / tall left tc rgb BLUE
set label 5 say("▲ training, 8 images", "▲ 训练，8 张图像") at screen 0.67, screen 1 - 130.0 / tall left tc rgb GREEN
set yrange [steps - 0.4:-0.6]
set grid ytics
set tmargin at screen 1 - 240.0 / tall
set bmargin at screen 60.0 / tall
set multiplot
do for [panel = 0:1] {
    set ytics left offset screen (panel ? -0.01 : -0.315), 0 noenhanced ("" -1)
    do for [i = 1:steps] {
        set ytics add ((panel ? "" : word(names, i)) i - 1)
    }
    set lmargin at screen (panel ? 0.735 : 0.335)
    set rmargin at screen (panel ? 0.97 : 0.69)
    if (panel) {
        set title "GFLOP/s"
        unset logscale x
        set xrange [0:*]
        set xtics 0, 100
        plot "speed.tsv" skip 1 using (rate("infer", 1)):(place(strcol(1))) \
                 with points lc rgb VERMILION pt 7 ps 2 * dot, \
             "" skip 1 using (rate("infer", 8)):(place(strcol(1))) \
                 with points lc rgb BLUE pt 5 ps 1.8 * dot, \
             "" skip 1 using (rate("train", 8)):(place(strcol(1))) \
                 with points lc rgb GREEN pt 9 ps 2 * dot
    } else {
        set title say("milliseconds per image", "每张图像的毫秒数")
        set logscale x
        set xrange [MS_min / 2.6:MS_max * 2.4]
        set xtics (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
        plot "speed.tsv" skip 1 using (each("infer", 1)):(place(strcol(1))) \
                 with points lc rgb VERMILION pt 7 ps 2 * dot, \
             "" skip 1 using (each("infer", 8)):(place(strcol(1))) \
                 with points lc rgb BLUE pt 5 ps 1.8 * dot, \
             "" skip 1 using (each("train", 8)):(place(strcol(1))) \
                 with points lc rgb GREEN pt 9 ps 2 * dot, \
             "" skip 1 using (each("infer", 1)):(place(strcol(1))):(text(each("infer", 1))) \
                 with labels boxed left offset 0.8, 0 font ",20" tc rgb VERMILION, \
             "" skip 1 using (each("infer", 8)):(place(strcol(1))):(text(each("infer", 8))) \
                 with labels boxed right offset -0.8, 0 font ",20" tc rgb BLUE, \
             "" skip 1 using (each("train", 8)):(place(strcol(1))):(text(each("train", 8))) \
                 with labels boxed left offset 0.8, 0 font ",20" tc rgb GREEN
    }
    do for [i = 1:5] {
        unset label i
    }
}
unset multiplot
