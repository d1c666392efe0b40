/* Random erasing (Zhong et al. 2020), as timm does it in mode "pixel" and the paper trained with
 * it: on a network's input, normalised, a box of noise. Its area is uniform in 0.02 … 1/3 of the
 * input's, the logarithm of its height over its width in log 0.3 … -log 0.3; a box that does not
 * fit is drawn again, up to ten times in all. */
#ifndef DATA_ERASING_H
#define DATA_ERASING_H

#include "base/random.h"

#include <stdbool.h>

typedef struct {
    int top, left, height, width; /* height 0: nothing is erased */
} ErasingBox;

/* From the numbers of r at `first` and after: ERASING_DRAWS of them. */
enum { ERASING_TRIES = 10, ERASING_EACH = 4, ERASING_DRAWS = 1 + ERASING_TRIES * ERASING_EACH };
ErasingBox erasing_box(Random r, uint64_t first, double probability, int height, int width);

/* Erases a box of x: [height,width,channels], or not. Every value of it becomes a normal number of
 * its own, mean 0 and standard deviation 1, which are those after the box's. */
void erasing_image(Random r, uint64_t first, double probability, float *x, int height, int width,
                   int channels);

#endif
