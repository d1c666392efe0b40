/* From 8-bit images to a network's input.
 *
 * An image is (in training) shifted and mirrored, then enlarged, normalised and padded:
 *   enlarge    by the largest whole factor that fits the input, bilinear with half-pixel centres as
 *              torch.nn.functional.interpolate(align_corners=False) has it: 28 -> 56 for 64
 *   normalise  (value / 255 - mean) / std of its channel
 *   pad        with black (value 0, normalised like any other), the same on both sides, a pixel
 *              that is left over to the right and below
 * Black is what surrounds the images of Fashion-MNIST and what a crop pads with. */
#ifndef DATA_PREPARER_H
#define DATA_PREPARER_H

#include "data/dataset.h"

/* What an 8-bit value of each channel becomes by normalising. */
typedef struct {
    float value[DATASET_CHANNELS_MAX][256];
} Normaliser;

/* mean, std: [channels], of values scaled to 0 … 1. */
Normaliser preparer_normaliser(int channels, const float *mean, const float *std);

/* How images of a set become input: [height,width,channels], with the set's channels. */
typedef struct Preparer Preparer;

/* NULL, and why, when the network's input does not suit the images. It copies what it needs of
 * `data`, whose count may be 0: size, mean and std are enough. */
Preparer *preparer_new(const Dataset *data, int channels, int height, int width, Error *error);
void preparer_free(Preparer *preparer);

/* What is done to an image before it is enlarged: pixel (x, y) is taken from (x + right, y + down)
 * of the image, black outside; then it is mirrored, left to right. */
typedef struct {
    int down, right;
    bool mirrored;
} View;

/* pixels: [channels,h,w]; x: [height,width,channels]. One preparer serves one thread at a time. */
void preparer_image(Preparer *preparer, const uint8_t *pixels, View view, float *x);

/* The same from pixels [h,w,channels], as they are. */
void preparer_interleaved(Preparer *preparer, const uint8_t *pixels, float *x);

#endif
