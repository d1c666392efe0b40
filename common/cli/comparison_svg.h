#ifndef CLI_COMPARISON_SVG_H
#define CLI_COMPARISON_SVG_H

#include "cli/comparison.h"

/* Draws the two networks side by side, or only `after` if `before` has no layers, as SVG to
 * standard output. The same bytes on every machine. */
void comparison_svg(const Comparison *c);

#endif
