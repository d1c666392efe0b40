/* The random changes that training makes to images: a shift, a mirror, RandAugment, random erasing,
 * and mixing two of them, in this order. Everything random is a function of seed, epoch and the
 * image's place in the data set. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "data/erasing.h"
#include "data/preparer.h"
#include "data/randaugment.h"

typedef struct {
    bool crop;   /* shifts by up to 2 pixels either way: padding by 2 and cutting out at random */
    bool flip;   /* mirrors half of the images */
    bool mixup;  /* Zhang et al. 2018, alpha 0.8 */
    bool cutmix; /* Yun et al. 2019, alpha 1; with mixup as well, each half of the time */
    RandAugment randaugment;
    double erasing; /* probability */
} Augment;

/* Does it change images at all? */
bool augment_any(Augment augment);

enum { CROP_SHIFT = 2 };
#define MIXUP_ALPHA 0.8
#define CUTMIX_ALPHA 1.0

/* The numbers of one image in one epoch. */
Random augment_random(uint64_t seed, uint64_t epoch, uint32_t image);

View augment_view(Random r, Augment augment);

/* An image of the data set as the preparer's input, changed by all but mixing. RandAugment works on
 * the 8-bit image, random erasing on the input. pixels: [channels,h,w] of the set; x: the
 * preparer's, [height,width,channels]. */
void augment_image(Random r, Augment augment, const Dataset *data, const uint8_t *pixels,
                   Preparer *preparer, int height, int width, float *x);

/* How an image is mixed with another one: x = lambda·x + (1-lambda)·other (MIXUP), or the box of
 * the other put into x, whose share of the area is 1-lambda (CUTMIX). NOT_MIXED: lambda is 1. Drawn
 * for each image, always, as timm's mode "elem" does; CutMix's box is timm's, too: of √(1-lambda)
 * of either side, rounded down, around a pixel, as far as it lies in the image. */
typedef enum { NOT_MIXED, MIXUP, CUTMIX } MixKind;

typedef struct {
    MixKind kind;
    float lambda;                 /* weight of x's own label */
    int top, left, bottom, right; /* CUTMIX: the box, bottom and right not in it */
} Mix;

Mix augment_mix(Random r, Augment augment, int height, int width);
void augment_mix_images(Mix mix, float *x, const float *other, int height, int width, int channels);

/* Beta(alpha, alpha), from the numbers of r at `first` and after: at most BETA_DRAWS of them. */
enum { BETA_DRAWS = 256 };
double random_beta(Random r, uint64_t first, double alpha);

/* Which of an image's numbers is for what, or the first of them; erasing takes all that follow. */
enum {
    AUGMENT_DOWN,
    AUGMENT_RIGHT,
    AUGMENT_FLIP,
    AUGMENT_KIND,
    AUGMENT_ROW,
    AUGMENT_COLUMN,
    AUGMENT_BETA,
    AUGMENT_RANDAUGMENT = AUGMENT_BETA + BETA_DRAWS,
    AUGMENT_ERASING = AUGMENT_RANDAUGMENT + RANDAUGMENT_DRAWS
};

#endif
