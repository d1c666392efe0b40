/* RandAugment (Cubuk et al. 2020): a few operations drawn at random, all of one magnitude, on an
 * 8-bit image. Operations, their strengths and what is drawn are those of timm's
 * "rand-m9-mstd0.5-inc1", which the paper trained with; the pixels are Pillow's, bit for bit.
 *
 * A magnitude of M, 0 to 10, is l = M / 10 of an operation's strength; half of the signs are minus:
 *
 *   AUTOCONTRAST   each channel stretched to 0 … 255
 *   EQUALIZE       each channel's histogram made even
 *   INVERT         255 - v
 *   ROTATE         by ±30·l degrees about the middle
 *   POSTERIZE      4 - ⌊4·l⌋ bits are kept: all is black at M = 10
 *   SOLARIZE       v from 256 - ⌊256·l⌋ on becomes 255 - v
 *   SOLARIZE_ADD   v below 128 becomes v + ⌊110·l⌋
 *   COLOR          between its own grey image (0) and itself (1), and beyond: 1 ± 0.9·l
 *   CONTRAST       the same between its mean grey and itself
 *   BRIGHTNESS     between black and itself
 *   SHARPNESS      between itself smoothed and itself
 *   SHEAR_X, _Y    x + ±0.3·l·y, y + ±0.3·l·x
 *   TRANSLATE_X,_Y by ±0.45·l of the side
 *
 * The last five move pixels: bicubic, as the paper's training has it (timm's own is bilinear or
 * bicubic at random), and what comes from outside is the data set's mean. */
#ifndef DATA_RANDAUGMENT_H
#define DATA_RANDAUGMENT_H

#include "base/random.h"
#include "io/image.h"

typedef struct {
    int count;     /* operations drawn per image, each then done or not; 0: none */
    int magnitude; /* mean of a normal distribution of standard deviation 0.5, cut to 0 … 10 */
} RandAugment;

enum { RANDAUGMENT_MOST = 10 }; /* of either */

typedef enum {
    AUTOCONTRAST,
    EQUALIZE,
    INVERT,
    ROTATE,
    POSTERIZE,
    SOLARIZE,
    SOLARIZE_ADD,
    COLOR,
    CONTRAST,
    BRIGHTNESS,
    SHARPNESS,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    RANDAUGMENT_KINDS
} RandAugmentKind;

/* One operation as it is drawn. */
typedef struct {
    RandAugmentKind kind;
    bool done;        /* half of them */
    double magnitude; /* 0 … 10 */
    bool negative;    /* the sign, where the operation has one */
} RandAugmentDraw;

/* Operation number i of an image, from the numbers of r at `first` and after: RANDAUGMENT_DRAWS of
 * them for all. */
enum { RANDAUGMENT_EACH = 4, RANDAUGMENT_DRAWS = RANDAUGMENT_MOST * RANDAUGMENT_EACH };
RandAugmentDraw randaugment_draw(RandAugment augment, Random r, uint64_t first, int i);

/* What a magnitude means to an operation: degrees, bits, a threshold, a factor, a share of the
 * side; 0 where it has no strength. */
double randaugment_strength(RandAugmentKind kind, double magnitude, bool negative);

/* Does one operation. fill: [channels], the values of what comes from outside. */
void randaugment_apply(RandAugmentKind kind, double strength, const uint8_t *fill, Image *image);

/* Draws all and does those that are to be done. */
void randaugment_image(RandAugment augment, Random r, uint64_t first, const uint8_t *fill,
                       Image *image);

#endif
