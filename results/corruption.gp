# The corruption error in the paper's form: the mean over the alterations of a network's error divided by that of a
# reference; ImageNet-C's is AlexNet, ours step 00. table8.tsv, altered.tsv and ladder.tsv to corruption.svg
# and corruption.png.

PICTURE = "corruption"
tall = 1000 # pixels
load STYLE

names = first_of("altered.tsv")
steps = words(names)
place(name) = sum [i = 1:steps] (word(names, i) eq name ? i - 1 : 0)

set label 1 say("Corruption error, as a percentage of a reference network’s", "损坏误差，以参考网络为 100%") @HEADING
set label 2 say("less is better. ImageNet-C: 15 corruptions, reference AlexNet; here 14 alterations, reference step 00", \
    "越低越好。ImageNet-C：15 种损坏，参考 AlexNet；本项目：14 种扰动，参考第 00 步") @NOTE
set tmargin at screen 1 - 180.0 / tall
set bmargin at screen (tall - 320.0) / tall
set ytics left offset screen -0.287, 0 noenhanced
set lmargin at screen 0.305
set rmargin at screen 0.97
set xrange [0:117]
set format x ""
set multiplot
set title say("the paper’s Table 8, ImageNet-C", "论文表 8，ImageNet-C") tc rgb BLUE
set yrange [2.55:-0.55]
plot "table8.tsv" skip 1 using (0):0:(0):5:($0 - 0.36):($0 + 0.36):ytic(1) with boxxyerror lc rgb BLUE, \
     "" skip 1 using (1.5):0:(sprintf("%.1f", column(5))) with labels left tc rgb "white"
unset label 1
unset label 2
set format x "%g"
set tmargin at screen (tall - 405.0) / tall
set bmargin at screen 75.0 / tall
set title say("here, " . DATA . ": all fourteen ■   noise and blur alone ○", \
    "本项目，" . DATA . "：全部十四种 ■   仅噪声与模糊 ○") tc rgb VERMILION
set yrange [steps - 0.4:-0.6]
set xtics 0, 25, 100
plot summary("altered.tsv") using (0):0:(0):19:($0 - 0.36):($0 + 0.36):ytic(1) \
         with boxxyerror lc rgb 0xF0B48C, \
     "" using 19:0:20 with xerrorbars lw 2 lc rgb VERMILION pt 0, \
     "" using (1.5):0:(sprintf("%.0f", column(19))) with labels left tc rgb "black", \
     "" using 21:0 with points pt 6 ps 2 * dot lw 3 lc rgb "black"
unset multiplot
