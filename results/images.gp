# How many training images a network needs: accuracy on clean and on noisy images against their number; fewer are
# seen more often. trainings.tsv and altered.tsv to images.svg and images.png.

PICTURE = "images"
tall = 720 # pixels
load STYLE

set label 1 say("Fewer training images, as many updates", "训练图像更少，更新次数不变") @HEADING
set label 2 say("one seed; 54,000 images: three, bars: standard deviation; noise: σ = 32 of 255", \
    "一个种子；54,000 张图像：三个种子，竖线为标准差；噪声：σ = 32（满幅 255）") @NOTE
array STEPS[4] = ["00_resnet", "05_large_kernel", "09_layer_norm", "12_official_convnext"]
array NAMES[4] = [say("00 ResNet", "00 ResNet"), say("05 large kernel", "05 大卷积核"), \
    say("09 layer norm", "09 层归一化"), say("12 published", "12 官方网络")]
array COLOURS[4] = [VERMILION, GREEN, BLUE, PURPLE]
array POINTS[4] = [5, 9, 7, 13]
# The means of a network's runs, behind the number of its training images: a tenth of all is held out.
runs(network) = sprintf("< for table in trainings altered; do '%s' means $table.tsv; done | awk -F '\t' -v OFS='\t' \
    '$1 != \"%s\" || ($2 != \"-\" && !sub(/^--limit=/, \"\", $2)) { next } \
    { n = $2 == \"-\" ? 60000 : $2 + 0; $1 = n - int(n / 10); print }' | sort -n", PAGES, network)

set logscale x
set xrange [800:70000]
set xtics ("1,000" 1000, "5,400" 5400, "54,000" 54000)
set xlabel say("training images", "训练图像数") offset 0, 0.4
set tmargin at screen 1 - 190.0 / tall
set bmargin at screen 100.0 / tall
array LEFT[2] = [0.085, 0.465]
array TITLES[2] = [say("clean images: accuracy, %", "原图：准确率，%"), \
    say("noisy images: accuracy, %", "加噪声的图像：准确率，%")]
array COLUMN[2] = [5, 9] # of the means
set multiplot
do for [panel = 1:2] {
    c = COLUMN[panel]
    set lmargin at screen LEFT[panel]
    set rmargin at screen LEFT[panel] + 0.295
    set title TITLES[panel]
    set yrange [*:*]
    set ytics autofreq
    set offsets 0, 0, graph 0.06, graph 0.06
    if (panel == 2) {
        do for [i = 1:4] {
            set label 10 + i NAMES[i] at screen 0.81, screen 0.70 - 0.075 * i left tc rgb COLOURS[i] \
                point pt POINTS[i] ps 2 * dot lc rgb COLOURS[i] offset 1.2, 0
        }
    }
    plot for [i = 1:4] runs(STEPS[i]) using 1:c:(column(c + 1)) with yerrorbars lw 2 lc rgb COLOURS[i] pt 0, \
         for [i = 1:4] runs(STEPS[i]) using 1:c with linespoints lw 4 lc rgb COLOURS[i] pt POINTS[i] ps 2 * dot
    unset label
}
unset multiplot
