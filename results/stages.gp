# Where the parameters and multiply-accumulates of every step's network are, at the paper's widths:
# stages.tsv to stages.svg and stages.png.

PICTURE = "stages"
tall = 1030 # pixels
load STYLE

array COLOUR[6] = [0x999999, SKY, BLUE, GREEN, ORANGE, PURPLE]
array SAID[6] = ["stem", say("stage 1", "阶段 1"), say("stage 2", "阶段 2"), say("stage 3", "阶段 3"), \
    say("stage 4", "阶段 4"), say("head", "分类头")]
names = first_of("stages.tsv")
steps = words(names)
# Lines are in the order of parts: the sum so far is where the next box begins.
begin = 0
end = 0
stack(value, first) = (begin = first ? 0 : end, end = begin + value)

set label 1 say("Where the parameters and the work are, at the paper’s widths", "参数与计算量的分布（论文的宽度）") @HEADING
do for [i = 1:6] {
    set label 1 + i "■ " . SAID[i] at screen 0.02 + 0.16 * (i - 1), screen 1 - 90.0 / tall left tc rgb COLOUR[i]
}
set yrange [steps - 0.4:-0.6]
set style fill solid 1 border lc rgb "white"
set tmargin at screen 1 - 205.0 / tall
set bmargin at screen 60.0 / tall
set xrange [0:*]
set multiplot
do for [panel = 0:1] {
    column_ = 3 + panel
    unit = panel ? 1e9 : 1e6
    set title (panel ? say("multiply-accumulates, billions", "乘加次数，十亿") : say("parameters, millions", "参数，百万"))
    set lmargin at screen (panel ? 0.68 : 0.335)
    set rmargin at screen (panel ? 0.975 : 0.63)
    apart = panel ? 1 : 10
    set xtics apart
    set ytics left offset screen (panel ? -0.01 : -0.315), 0 noenhanced ("" -1)
    do for [i = 1:steps] {
        set ytics add ((panel ? "" : word(names, i)) i - 1)
    }
    plot "stages.tsv" skip 1 using \
        (stack(column(column_) / unit, strcol(2) eq "stem"), begin): \
        (floor($0 / 6)):(begin):(end):(floor($0 / 6) - 0.36):(floor($0 / 6) + 0.36): \
        (COLOUR[int($0) % 6 + 1]) with boxxyerror lc rgb variable
    unset label
}
unset multiplot
