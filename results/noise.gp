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
# A row's place, from the top.
place(row) = row == 0 ? 1 : row == 5 ? 2 : row == 6 ? 3 : row == 8 ? 4 : row == 14 ? 5 : NaN
at(name) = strstrt(name, "-std") ? NaN : place(int(name))

set tmargin at screen 1 - 175.0 / tall
set bmargin at screen 105.0 / tall
set yrange [5.6:0.4]
array LEFT[3] = [0.235, 0.500, 0.765]
array TITLES[3] = [say("clean, %", "原图，%"), say("with noise, %", "加噪声，%"), \
    say("other eleven, %", "其余十一种，%")]
# What a panel shows of a table, a line per row: accuracy and standard deviation.
array SHOWN[3]
do for [panel = 1:2] {
    SHOWN[panel] = sprintf("means() { '%s' means $1 | cut -f 2,%s; }; means", PAGES, panel == 1 ? "5,6" : "11,12")
}
SHOWN[3] = "others() { awk -F '\t' 'NR > 1 && $5 != \"clean\" && $5 !~ /^noise/ { m[$2, $4] += $6 / 11; rows[$2] } \
    END { for (r in rows) { n = s = q = 0; for (k in m) { split(k, of, SUBSEP); if (of[1] == r) { n++; s += m[k]; q += m[k] * m[k] } } \
    print r \"\t\" s / n \"\t\" (n > 1 ? sqrt((q - s * s / n) / (n - 1)) : 0) } }' $1; }; others"
# Where a line begins and how long it is, for every row.
pair(shown) = "< { " . shown . " rows.tsv; echo; " . word(shown, words(shown)) . " noise.tsv; } | awk -F '\t' \
    '!NF { more = 1; next } more { print $1 \"\t\" was[$1] \"\t\" $2 - was[$1] } { was[$1] = $2 }'"
set multiplot
do for [panel = 1:3] {
    of(file) = "< " . SHOWN[panel] . " " . file
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
    plot pair(SHOWN[panel]) using 2:(place(column(1))):3:(0) with vectors nohead lw 2 lc rgb 0xBBBBBB, \
         of("rows.tsv") using 2:(at(strcol(1))):3 with xerrorbars lw 2 lc rgb VERMILION pt 0, \
         "" using 2:(at(strcol(1))) with points lc rgb VERMILION pt 5 ps 1.8 * dot, \
         of("noise.tsv") using 2:(at(strcol(1))) with points lc rgb BLUE pt 7 ps 2.2 * dot
    unset label
}
unset multiplot
