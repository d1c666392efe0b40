# What all images share: the terminal for `kind`, svg or png, and the file that is drawn into. It
# wants PICTURE, the file's name; tall, its height in pixels; letters, their size. It sets dot, by
# which the size of points is to be multiplied. KINDS, all that are to be drawn, and STYLE, the path of
# this file, come from make, which draws where the tables are.

if (kind eq "svg") {
    set terminal svg size 1600, tall font sprintf("sans-serif,%d", letters) background rgb "white"
    dot = 0.45 # this terminal draws its points larger
} else {
    set terminal pngcairo size 1600, tall font sprintf("sans,%.0f", 0.77 * letters) \
        background rgb "white"
    dot = 1
}
set output PICTURE . "." . kind
