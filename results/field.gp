# The effective receptive field before and after the large kernel: how much each pixel of the image
# moves the pixel in the middle of stage 3's output, steps 04 and 05, trained. field_before.tsv and
# field_after.tsv to field.svg and field.png.
#
# Each is divided by its largest; the shade is its square root, so that the far is seen beside the near.

PICTURE = "field"
tall = 660 # pixels

file(i) = i ? "field_after.tsv" : "field_before.tsv"
load STYLE
array LARGEST[2]
array WHOLE[2]
array AT_Y[2]
array AT_X[2]
do for [i = 0:1] {
    stats file(i) skip 1 using 3 name "F" nooutput
    LARGEST[i + 1] = F_max
    WHOLE[i + 1] = F_sum
    stats file(i) skip 1 using ($1 * $3) name "Y" nooutput
    stats file(i) skip 1 using ($2 * $3) name "X" nooutput
    AT_Y[i + 1] = Y_sum / F_sum
    AT_X[i + 1] = X_sum / F_sum
}
stats file(0) skip 1 using 1 name "SIDE" nooutput
# Distance in the largest direction, so that a square counts as one.
far(i, y, x) = abs(y - AT_Y[i + 1]) > abs(x - AT_X[i + 1]) ? abs(y - AT_Y[i + 1]) : \
               abs(x - AT_X[i + 1])
said(i) = i ? say("step 05: 7x7 depthwise", "第 05 步：7x7 逐通道卷积") : say("step 04: 3x3 depthwise", "第 04 步：3x3 逐通道卷积")

set label 1 say("What the middle of stage 3 sees of a 64x64 image", "第 3 阶段的中心在 64x64 图像上看到的范围") @HEADING
set label 2 say("gradient of the middle pixel’s activations by the image; darker is more", \
    "中心像素的激活值对图像的梯度；越深越大") @NOTE
unset grid
unset colorbox
set palette defined (0 "#FFFFFF", 0.25 "#CDE3F2", 0.5 "#56A5D4", 0.75 "#0072B2", 1 "#00263B")
set cbrange [0:1]
set multiplot
set tmargin at screen 1 - 215.0 / tall
set bmargin at screen 100.0 / tall
set size ratio -1
set xrange [-0.5:SIDE_max + 0.5]
set yrange [SIDE_max + 0.5:-0.5]
unset xtics
unset ytics
do for [i = 0:1] {
    set lmargin at screen 0.02 + 0.325 * i
    set rmargin at screen 0.32 + 0.325 * i
    set title said(i) tc rgb (i ? BLUE : VERMILION)
    set object 1 rectangle from -0.5, -0.5 to SIDE_max + 0.5, SIDE_max + 0.5 fs empty border lc rgb PALE
    plot file(i) skip 1 using 2:1:(sqrt(column(3) / LARGEST[i + 1])) with image
    unset label
    unset object
}
set size noratio
set lmargin at screen 0.735
set rmargin at screen 0.975
set title say("share within so many\npixels of the middle, %", "距中心若干像素\n以内的占比，%") tc rgb "black"
set xtics 8 scale 0
set ytics 25 scale 0
set xlabel say("pixels from the middle", "距中心的像素数") offset 0, 0.4
set grid lt 1 lw 1 lc rgb PALE
set xrange [0:SIDE_max / 2 + 1]
set yrange [0:100]
set label 5 "3x3" at 17, 30 left tc rgb VERMILION
set label 6 "7x7" at 13, 46 right tc rgb BLUE
plot file(0) skip 1 using (floor(1 + far(0, column(1), column(2)))):(100 * column(3) / WHOLE[1]) \
         smooth cumulative lw 4 dt 2 lc rgb VERMILION, \
     file(1) skip 1 using (floor(1 + far(1, column(1), column(2)))):(100 * column(3) / WHOLE[2]) \
         smooth cumulative lw 4 lc rgb BLUE
unset multiplot
