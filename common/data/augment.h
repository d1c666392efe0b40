/* From 8-bit pictures to a network's input, and the random changes that training makes to them.
 *
 * A picture is (in training) shifted and mirrored, then enlarged, normalised and padded:
 *   enlarge    by the largest whole factor that fits the input, bilinear with half-pixel centres as
 *              torch.nn.functional.interpolate(align_corners=False) has it: 28 -> 56 for 64
 *   normalise  (value / 255 - mean) / std of its channel
 *   pad        with black (value 0, normalised like any other), the same on both sides, a pixel
 *              that is left over to the right and below
 * Black is what surrounds the pictures of Fashion-MNIST and what a crop pads with.
 *
 * Everything random is a function of seed, epoch and the picture's place in the data set. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "base/random.h"
#include "data/dataset.h"

/* --- pictures to input ----------------------------------------------------------------------- */

/* How pictures of a set become input: [height,width,channels], with the set's channels. */
typedef struct Preparer Preparer;

/* NULL, and why, when the network's input does not suit the pictures. It copies what it needs of
 * `data`, whose count may be 0: size, mean and std are enough. */
Preparer *preparer_new(const Dataset *data, int channels, int height, int width, Error *error);
void preparer_free(Preparer *preparer);

/* What is done to a picture before it is enlarged: pixel (x, y) is taken from (x + right, y + down)
 * of the picture, black outside; then it is mirrored, left to right. */
typedef struct {
    int down, right;
    bool mirrored;
} View;

/* pixels: [channels,h,w]; x: [height,width,channels]. One preparer serves one thread at a time. */
void preparer_picture(Preparer *preparer, const uint8_t *pixels, View view, float *x);

/* --- random changes -------------------------------------------------------------------------- */

typedef struct {
    bool crop;   /* shifts by up to 2 pixels either way: padding by 2 and cutting out at random */
    bool flip;   /* mirrors half of the pictures */
    bool mixup;  /* Zhang et al. 2018, alpha 0.8 */
    bool cutmix; /* Yun et al. 2019, alpha 1; with mixup as well, each half of the time */
} Augment;

enum { CROP_SHIFT = 2 };
#define MIXUP_ALPHA 0.8
#define CUTMIX_ALPHA 1.0

/* The numbers of one picture in one epoch. */
Random augment_random(uint64_t seed, uint64_t epoch, uint32_t picture);

View augment_view(Random r, Augment augment);

/* How a picture is mixed with another one: x = lambda·x + (1-lambda)·other (MIXUP), or the box of
 * the other put into x, whose share of the area is 1-lambda (CUTMIX). NOT_MIXED: lambda is 1. */
typedef enum { NOT_MIXED, MIXUP, CUTMIX } MixKind;

typedef struct {
    MixKind kind;
    float lambda;                 /* weight of x's own label */
    int top, left, bottom, right; /* CUTMIX: the box, bottom and right not in it */
} Mix;

Mix augment_mix(Random r, Augment augment, int height, int width);
void augment_mix_pictures(Mix mix, float *x, const float *other, int height, int width,
                          int channels);

/* Beta(alpha, alpha), from the numbers of r at `first` and after: at most BETA_DRAWS of them. */
enum { BETA_DRAWS = 256 };
double random_beta(Random r, uint64_t first, double alpha);

#endif
