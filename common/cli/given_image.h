/* An image in a file, as the data set of the weights brings images to the network's input. */
#ifndef CLI_GIVEN_IMAGE_H
#define CLI_GIVEN_IMAGE_H

#include "cli/origin.h"

/* Returns the first image of a PNM file for the network of these weights (from
 * origin_read_trained), [h,w,c] and the caller's, and sets *shape, with n = 1. Where the weights do
 * not say what they were trained on, or the file holds no image, the program ends. */
float *given_image(const Origin *origin, const char *path, Shape *shape);

#endif
