# ReLU and GELU, and their derivatives, to activations.svg and activations.png: formulas alone.
#
# GELU is x·Φ(x) (Hendrycks and Gimpel 2016), which the steps compute exactly; the approximation by
# tanh stands beside it.

PICTURE = "activations"
tall = 560 # pixels
load STYLE

Phi(x) = 0.5 * (1 + erf(x / sqrt(2)))
density(x) = exp(-x * x / 2) / sqrt(2 * pi)
relu(x) = x > 0 ? x : 0
gelu(x) = x * Phi(x)
gelu_slope(x) = Phi(x) + x * density(x)
inner(x) = sqrt(2 / pi) * (x + 0.044715 * x ** 3)
gelu_tanh(x) = 0.5 * x * (1 + tanh(inner(x)))

set samples 201
set xrange [-4:4]
set grid ytics lt 1 lw 1 lc rgb PALE
set xtics 2
set zeroaxis lt 1 lw 1.5 lc rgb 0x808080
set tmargin at screen 1 - 140.0 / tall
set bmargin at screen 55.0 / tall
set multiplot
set label 1 say("ReLU and GELU", "ReLU 与 GELU") @HEADING
set title "y"
set lmargin at screen 0.04
set rmargin at screen 0.32
set yrange [-0.5:4]
set ytics 1
set label 2 "ReLU" at 2.3, 2.75 right tc rgb VERMILION
set label 3 "GELU" at 1.9, 1.4 left tc rgb BLUE
plot relu(x) lw 4 dt 2 lc rgb VERMILION, gelu(x) lw 4 lc rgb BLUE
unset label
set title say("derivative dy / dx", "导数 dy / dx")
set lmargin at screen 0.385
set rmargin at screen 0.655
set yrange [-0.25:1.25]
set ytics 0.5
set label 2 "ReLU" at 0.2, 0.12 left tc rgb VERMILION
set label 3 "GELU" at 1.6, 1.17 left tc rgb BLUE
plot (x < 0 ? 0 : NaN) lw 4 dt 2 lc rgb VERMILION, (x > 0 ? 1 : NaN) lw 4 dt 2 lc rgb VERMILION, \
     gelu_slope(x) lw 4 lc rgb BLUE
unset label
set title say("(tanh form - GELU) x 1000", "（tanh 近似 - GELU）x 1000")
set lmargin at screen 0.725
set rmargin at screen 0.985
set yrange [-0.6:0.6]
set ytics 0.2
plot 1000 * (gelu_tanh(x) - gelu(x)) lw 4 lc rgb ORANGE
unset multiplot
