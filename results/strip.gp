# One image under every alteration, with what trained networks take it for: the first test image of
# Fashion-MNIST, an ankle boot. strip.tsv and strip_answers.tsv (strip.sh) to strip.svg and strip.png. Of more
# than three networks three are shown, and how many of all are right.

PICTURE = "strip"
steps = system("awk -F '\t' 'NR > 1 && !seen[$2]++ { print $2 }' strip_answers.tsv")
many = words(steps) > 3
pitch = 345 + 29 * many
tall = 145 + 3 * pitch # pixels
load STYLE

kinds = first_of("strip.tsv")
TRUE = "ankle boot"
across = 5
down = (words(kinds) + across - 1) / across
array CHINESE[15] = ["原图", "噪声 16", "噪声 32", "噪声 64", "模糊 3", "变亮 64", "变暗 0.5", "变暗 0.25", \
    "对比度 0.5", "伽马 0.5", "伽马 2", "反相", "遮挡 10", "平移 4", "平移 6"]
shown = many ? "00_resnet 09_layer_norm 12_official_convnext" : steps
correct(kind) = system("awk -F '\t' '$1 == \"" . kind . "\" && $3 == \"" . TRUE . "\" { n++ } END { print n + 0 }' strip_answers.tsv")
class(kind, step) = system("awk -F '\t' '$1 == \"" . kind . "\" && $2 == \"" . step . "\" { print $3 }' strip_answers.tsv")
chinese(class) = class eq "ankle boot" ? "短靴" : class eq "sandal" ? "凉鞋" : class eq "sneaker" ? "运动鞋" : \
    class eq "bag" ? "包" : class eq "shirt" ? "衬衫" : class eq "T-shirt/top" ? "T 恤" : class eq "trouser" ? "裤子" : \
    class eq "pullover" ? "套头衫" : class eq "dress" ? "连衣裙" : "外套"
# 00 ✓ ankle boot
answer(step, class) = step[1:2] . (class eq TRUE ? " ✓ " : " ✗ ") . say(class, chinese(class))

set label 1 say("What is this? One image, fifteen ways", "这是什么？同一张图像的十五种样子") @HEADING
set label 2 say("an ankle boot, the first test image; below each the answers of some steps", \
    "短靴，测试集的第一张图像；下面是几步的回答") @NOTE
unset grid
unset xtics
unset ytics
unset colorbox
set palette gray
set cbrange [0:255]
set size ratio -1
set xrange [-0.5:27.5]
set multiplot
do for [i = 1:words(kinds)] {
    kind = word(kinds, i)
    column_ = (i - 1) % across
    row = (i - 1) / across
    set lmargin at screen 0.02 + 0.197 * column_
    set rmargin at screen 0.02 + 0.197 * column_ + 0.165
    set tmargin at screen 1 - (170.0 + pitch * row) / tall
    set bmargin at screen 1 - (170.0 + pitch * row + 200) / tall
    set yrange [27.5:-0.5]
    set title say(kind, CHINESE[i]) font ",22" offset 0, -0.6
    do for [k = 1:words(shown)] {
        is = class(kind, word(shown, k))
        set label 10 + k answer(word(shown, k), is) at graph 0, graph 0.06 - 0.145 * k left font ",21" \
            tc rgb (is eq TRUE ? BLUE : VERMILION)
    }
    if (many) {
        n = correct(kind)
        set label 20 say(sprintf("%s of %d right", n, words(steps)), sprintf("%d 步中 %s 步正确", words(steps), n)) \
            at graph 0, graph 0.06 - 0.145 * 4 left font ",21"
    }
    plot "< awk -F '\t' '$1 == \"" . kind . "\"' strip.tsv" using 3:2:4 with image
    unset label
}
unset multiplot
