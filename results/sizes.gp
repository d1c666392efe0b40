# Accuracy against cost, a bubble per network, as the paper's Figure 1: multiply-accumulates of ConvNeXt by our
# counts, accuracies as published, 224x224. published.tsv, which names the sources, to sizes.svg and sizes.png.
#
# A bubble's area is proportional to the parameters; Swin's are rings.

PICTURE = "sizes"
tall = 900 # pixels
load STYLE

is(family, data) = strcol(1) eq family && strcol(3) eq data
x(family, data) = is(family, data) ? column(5) : NaN
# A bubble's size as a point, and its radius on the axis of accuracies.
size(million) = 6.5 * dot * sqrt(million / 88)
radius(million) = 0.46 * sqrt(million / 88)

set label 1 say("ImageNet accuracy against cost", "ImageNet 准确率与计算量") @HEADING
set label 2 say("published accuracies, 224x224; the area of a bubble is its parameters", \
    "官方公布的准确率，224x224；圆的面积为参数量") @NOTE
set label 3 say("1K: trained on ImageNet-1K, 22K: trained on ImageNet-22K first. ResNet-50: the roadmap’s first row", \
    "1K：只用 ImageNet-1K 训练；22K：先在 ImageNet-22K 上预训练。ResNet-50：路线图第 0 行") @FOOT
set logscale x 2
set xrange [3.2:90]
set yrange [78:88]
set xtics (4, 8, 16, 32, 64)
set ytics 2
set grid ytics
set xlabel say("GMACs per image", "每张图像的 GMACs") offset 0, 0.3
set label 4 say("top-1 accuracy, %", "top-1 准确率，%") at graph 0, 1.04 left
set lmargin at screen 0.07
set rmargin at screen 0.98
set tmargin at screen 1 - 165.0 / tall
set bmargin at screen 145.0 / tall
set label 11 "ConvNeXt 22K" at 58, 85.9 center tc rgb BLUE
set label 12 "ConvNeXt 1K" at 42, 84.3 left tc rgb BLUE
set label 13 "Swin 22K" at 22, 85.3 left tc rgb VERMILION
set label 14 "Swin 1K" at 17.5, 83.3 left tc rgb VERMILION
plot "published.tsv" skip 1 using (x("ConvNeXt", "22K")):4 with lines lw 3 lc rgb BLUE, \
     "" skip 1 using (x("ConvNeXt", "1K")):4 with lines lw 3 dt 2 lc rgb BLUE, \
     "" skip 1 using (x("Swin", "22K")):4 with lines lw 3 lc rgb VERMILION, \
     "" skip 1 using (x("Swin", "1K")):4 with lines lw 3 dt 2 lc rgb VERMILION, \
     "" skip 1 using (strcol(1) eq "Swin" ? NaN : column(5)):4:(size(column(6))): \
         (strcol(1) eq "ConvNeXt" ? BLUE : GREY) with points pt 7 ps variable lc rgb variable, \
     "" skip 1 using (strcol(1) eq "Swin" ? column(5) : NaN):4:(size(column(6))) \
         with points pt 6 ps variable lw 5 lc rgb VERMILION, \
     "" skip 1 using 5:4:(strcol(1) eq "ConvNeXt" ? strcol(2) : "") with labels tc rgb "white" font ",20", \
     "" skip 1 using 5:(column(4) - radius(column(6)) - 0.24):(strcol(1) eq "Swin" ? strcol(2) : "") \
         with labels tc rgb VERMILION font ",20", \
     "" skip 1 using 5:4:(strcol(1) eq "ResNet" ? "ResNet-50" : "") with labels left offset 1.8, 0 tc rgb GREY
