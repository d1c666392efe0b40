# ReLU and GELU, and their derivatives, to activations.svg and activations.png: formulas alone.
#
# GELU is x·Φ(x) (Hendrycks and Gimpel 2016), which the steps compute exactly; the approximation by
# tanh stands beside it. Colours: Okabe and Ito's.

set encoding utf8

PICTURE = "activations"
tall = 700 # pixels
letters = 22

RELU = 0xD55E00  # vermilion
GELU = 0x0072B2  # blue
TANH = 0xE69F00  # orange

Phi(x) = 0.5 * (1 + erf(x / sqrt(2)))
density(x) = exp(-x * x / 2) / sqrt(2 * pi)
relu(x) = x > 0 ? x : 0
gelu(x) = x * Phi(x)
gelu_slope(x) = Phi(x) + x * density(x)
inner(x) = sqrt(2 / pi) * (x + 0.044715 * x ** 3)
gelu_tanh(x) = 0.5 * x * (1 + tanh(inner(x)))

set samples 1201
set xrange [-4:4]
set border 0
set grid lt 1 lw 1 lc rgb 0xDDDDDD
set zeroaxis lt 1 lw 1.5 lc rgb 0x808080
set tics scale 0
set key off
set tmargin at screen 0.80
set bmargin at screen 0.09

do for [kind in KINDS] {
    load STYLE
    set multiplot
    set label 1 "ReLU and GELU" at screen 0.03, 0.94 left font ",28"
    set title "y"
    set lmargin at screen 0.04
    set rmargin at screen 0.33
    set yrange [-0.5:4]
    set label 2 "ReLU" at 1.6, 2.5 right tc rgb RELU
    set label 3 "GELU" at 2.1, 1.5 left tc rgb GELU
    plot relu(x) lw 4 lc rgb RELU, gelu(x) lw 4 lc rgb GELU
    unset label
    set title "dy / dx"
    set lmargin at screen 0.38
    set rmargin at screen 0.67
    set yrange [-0.25:1.25]
    set label 2 "ReLU" at 0.1, 0.06 left tc rgb RELU
    set label 3 "GELU" at -2.0, 0.1 left tc rgb GELU
    plot (x < 0 ? 0 : NaN) lw 4 lc rgb RELU, (x > 0 ? 1 : NaN) lw 4 lc rgb RELU, \
         gelu_slope(x) lw 4 lc rgb GELU
    unset label
    set title "tanh's approximation - GELU, x 1000"
    set lmargin at screen 0.72
    set rmargin at screen 0.98
    set yrange [-0.6:0.6]
    plot 1000 * (gelu_tanh(x) - gelu(x)) lw 4 lc rgb TANH
    unset multiplot
    set output
}
