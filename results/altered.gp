# Every step under every alteration: accuracy, and in colour its difference to step 00, all fourteen and their mean.
# altered.tsv to altered.svg and altered.png.

PICTURE = "altered"
tall = 940 # pixels
letters = 20
load STYLE

names = first_of("altered.tsv")
steps = words(names)
kinds = "clean noise:16 noise:32 noise:64 blur:3 bright:64 dark:0.5 dark:0.25 grey:0.5 gamma:0.5 gamma:2 invert box:10 shift:4 shift:6 mean"
# The table by columns: column, row, accuracy, difference to the first network.
cells = "< awk -F '\t' -v OFS='\t' -v kinds='" . kinds . "' 'BEGIN { n = split(kinds, kind, \" \") } \
    NR > 1 { if (!($1 in row)) { row[$1] = rows++; name[rows] = $1 } s[$1, $5] += $6; c[$1, $5]++; \
        if ($5 != \"clean\") { s[$1, \"mean\"] += $6; c[$1, \"mean\"]++ } } \
    END { for (i = 1; i <= n; i++) for (k = 1; k <= rows; k++) { \
        a = s[name[k], kind[i]] / c[name[k], kind[i]]; \
        print i - 1 + (i > 1) * 0.4 + (i > 5) * 0.4 + (i == n) * 0.4, k - 1, a, \
            a - s[name[1], kind[i]] / c[name[1], kind[i]] } }' altered.tsv"

set label 1 say("Accuracy on altered images, %, and the change from step 00", \
    "扰动图像上的准确率（%），颜色为与第 00 步之差") @HEADING
set label 2 say("blue: better than ResNet; orange, ↓: worse by 2 or more; the mean is of all fourteen, without clean", \
    "蓝：优于 ResNet；橙与 ↓：低 2 以上；均值为全部十四种扰动，不含原图") @NOTE
unset grid
unset xtics
set lmargin at screen 0.262
set rmargin at screen 0.99
set tmargin at screen 1 - 235.0 / tall
set bmargin at screen 25.0 / tall
set xrange [-0.5:16.7]
set yrange [steps - 0.5:-0.5]
set ytics left offset screen -0.242, 0 noenhanced ("" -1)
do for [i = 1:steps] {
    set ytics add (word(names, i) i - 1)
}
array CHINESE[16] = ["原图", "噪声 16", "噪声 32", "噪声 64", "模糊 3", "变亮 64", "变暗 0.5", "变暗 0.25", \
    "对比度 0.5", "伽马 0.5", "伽马 2", "反相", "遮挡 10", "平移 4", "平移 6", "均值"]
do for [i = 1:16] {
    set label 10 + i say(word(kinds, i), CHINESE[i]) \
        at first i - 1 + (i > 1) * 0.4 + (i > 5) * 0.4 + (i == 16) * 0.4, graph 1.015 left rotate by 60
}
unset colorbox
set cbrange [-40:40]
set palette defined (-40 "#B35806", -20 "#F1A340", -3 "#FDF3E3", 0 "#FFFFFF", 3 "#EAF2F8", 20 "#74ADD1", 40 "#2166AC")
plot cells using 1:2:(0.48):(0.46):(column(4) > 40 ? 40 : column(4) < -40 ? -40 : column(4)) \
         with boxxyerror lc palette, \
     "" using 1:2:(sprintf("%.0f%s", column(3), column(4) < -2 ? "↓" : "")):(abs(column(4)) > 22 ? 0xFFFFFF : 0x000000) \
         with labels tc rgb variable
