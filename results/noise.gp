# Five rows of the paper's roadmap, trained on images as they are and on noisy ones: accuracy on clean images,
# on noisy ones, and over the alterations other than noise. noise.tsv and rows.tsv to noise.svg and noise.png.

PICTURE = "noise"
tall = 640 # pixels
load STYLE

set label 1 say("The same networks, trained on noisy images", "用加噪声的图像训练同样的网络") @HEADING
set label 2 say("rows of the paper’s roadmap on " . DATA . "; noise: σ = 64 of 255", \
    "论文路线图的五行，" . DATA . "；噪声：σ = 64（满幅 255）") @NOTE
set label 3 say("trained on clean images (three seeds; bars: standard deviation)", \
    "在原图上训练（三个种子；横线：标准差）") at screen 0.045, screen 24.0 / tall left font ",20" tc rgb VERMILION
set label 4 say("on noisy images (one seed)", "在噪声图像上训练（一个种子）") \
    at screen 0.665, screen 24.0 / tall left font ",20" tc rgb BLUE

array ROWS[5] = [0, 5, 6, 8, 14]
array NAMES[5] = ["ResNet-50", say("inverted bottleneck", "倒置瓶颈"), say("depthwise moved up", "逐通道卷积上移"), \
    say("kernel 7", "卷积核 7"), "BN → LN"]
# A row's place, from the top. "15-std0.04" is none of these.
place(row) = (found = sum [i=1:5] (row eq sprintf("%d", ROWS[i]) ? i : 0)) > 0 ? found : NaN

set tmargin at screen 1 - 175.0 / tall
set bmargin at screen 105.0 / tall
set yrange [5.6:0.4]
array LEFT[3] = [0.235, 0.500, 0.765]
array TITLES[3] = [say("clean, %", "原图，%"), say("with noise, %", "加噪声，%"), \
    say("other eleven, %", "其余十一种，%")]
array COLUMN[3] = [5, 11, 23] # of the means
# Where a line begins and how long it is, for every row.
pair(c) = sprintf("< for table in rows noise; do '%s' means $table.tsv; done | awk -F '\t' \
    '$2 in was { print $2 \"\t\" was[$2] \"\t\" $%d - was[$2] } { was[$2] = $%d }'", PAGES, c, c)
set multiplot
do for [panel = 1:3] {
    c = COLUMN[panel]
    set ytics left offset screen (panel == 1 ? -0.195 : -0.01), 0 ("" -1)
    do for [i = 1:5] {
        set ytics add ((panel == 1 ? sprintf("%d %s", ROWS[i], NAMES[i]) : "") i)
    }
    set lmargin at screen LEFT[panel]
    set rmargin at screen LEFT[panel] + 0.21
    set title TITLES[panel] offset 0, -0.6
    if (panel == 1) { set xrange [85:94]; set xtics 86, 2, 94 }
    if (panel == 2) { set xrange [0:100]; set xtics 0, 25, 100 }
    if (panel == 3) { set xrange [55:70]; set xtics 55, 5, 70 }
    plot pair(c) using 2:(place(strcol(1))):3:(0) with vectors nohead lw 2 lc rgb 0xBBBBBB, \
         summary("rows.tsv") using c:(place(strcol(2))):(column(c + 1)) with xerrorbars lw 2 lc rgb VERMILION pt 0, \
         "" using c:(place(strcol(2))) with points lc rgb VERMILION pt 5 ps 1.8 * dot, \
         summary("noise.tsv") using c:(place(strcol(2))) with points lc rgb BLUE pt 7 ps 2.2 * dot
    unset label
}
unset multiplot
