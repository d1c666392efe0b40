#ifndef CLI_COMPARISON_SVG_H
#define CLI_COMPARISON_SVG_H

#include "cli/comparison.h"

/* Draws the two networks side by side, or the one of `after` where `before` has no layers, as SVG
 * to standard output: the same bytes wherever it runs. */
void comparison_svg(const Comparison *c);

#endif
