/* Compiled without contraction (Makefile): a product that is not rounded before it is added would
 * now and then be another pixel than Pillow's. */
#include "data/randaugment.h"

#include "base/ints.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- values ---------------------------------------------------------------------------------- */

static size_t points_of(const Image *p)
{
    return (size_t)p->height * (size_t)p->width;
}

/* Value v of channel c becomes table[v]. */
static void map_channel(Image *p, int c, const uint8_t table[256])
{
    uint8_t *v = p->pixels + c;
    for (size_t i = points_of(p); i > 0; i--, v += p->channels)
        *v = table[*v];
}

typedef uint8_t ValueFunction(int value, int argument);

static void map_values(Image *p, ValueFunction *function, int argument)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = function(v, argument);
    for (int c = 0; c < p->channels; c++)
        map_channel(p, c, table);
}

static uint8_t posterized(int v, int bits)
{
    return (uint8_t)(v & ~((1 << (8 - bits)) - 1));
}

/* From 0 on that is inverting. */
static uint8_t solarized(int v, int threshold)
{
    return (uint8_t)(v < threshold ? v : 255 - v);
}

static uint8_t solarized_by_adding(int v, int added)
{
    return (uint8_t)(v < 128 ? int_min(v + added, 255) : v);
}

/* --- histograms ------------------------------------------------------------------------------ */

static void count_values(const Image *p, int c, int64_t counts[256])
{
    const uint8_t *v = p->pixels + c;
    memset(counts, 0, 256 * sizeof *counts);
    for (size_t i = points_of(p); i > 0; i--, v += p->channels)
        counts[*v]++;
}

/* The first and the last value that there is. */
static void find_range(const int64_t counts[256], int *low, int *high)
{
    for (*low = 0; *low < 255 && !counts[*low];)
        ++*low;
    for (*high = 255; *high > 0 && !counts[*high];)
        --*high;
}

static void autocontrast(Image *p, int c)
{
    int64_t counts[256];
    uint8_t table[256] = { 0 };
    int low, high;
    count_values(p, c, counts);
    find_range(counts, &low, &high);
    if (low >= high)
        return;
    double scale = 255.0 / (high - low), offset = -low * scale;
    for (int v = low; v <= high; v++)
        table[v] = (uint8_t)int_min((int)(v * scale + offset), 255);
    map_channel(p, c, table);
}

/* A value's place is the number of pixels below it, in steps of a 255th of all but the brightest,
 * and half a step. */
static void equalize(Image *p, int c)
{
    int64_t counts[256];
    uint8_t table[256];
    int low, high;
    count_values(p, c, counts);
    find_range(counts, &low, &high);
    int64_t step = ((int64_t)points_of(p) - counts[high]) / 255, below = step / 2;
    if (low >= high || step == 0)
        return;
    for (int v = 0; v < 256; v++) {
        int64_t place = below / step;
        table[v] = (uint8_t)(place < 255 ? place : 255);
        below += counts[v];
    }
    map_channel(p, c, table);
}

/* --- between another image and this one ------------------------------------------------------ */

/* factor 0: `from`; 1: `to`; beyond it what lies on the other side. */
static uint8_t between(int from, int to, float factor)
{
    float value = (float)from + factor * (float)(to - from);
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value;
}

/* from: values of the other image, each `repeated` times. */
static void blend(Image *p, const uint8_t *from, int repeated, float factor)
{
    size_t values = points_of(p) * (size_t)p->channels;
    for (size_t i = 0; i < values; i++)
        p->pixels[i] = between(from[i / (size_t)repeated], p->pixels[i], factor);
}

static void blend_with_value(Image *p, int from, float factor)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = between(from, v, factor);
    for (int c = 0; c < p->channels; c++)
        map_channel(p, c, table);
}

static Image image_copy(const Image *p)
{
    Image copy = *p;
    size_t size = points_of(p) * (size_t)p->channels;
    copy.pixels = mem_alloc(size, 1);
    memcpy(copy.pixels, p->pixels, size);
    return copy;
}

static Image image_grey(const Image *p)
{
    Image grey = image_copy(p);
    image_set_channels(&grey, 1);
    return grey;
}

static void change_color(Image *p, float factor)
{
    Image grey = image_grey(p);
    blend(p, grey.pixels, p->channels, factor);
    image_free(&grey);
}

static void change_contrast(Image *p, float factor)
{
    Image grey = image_grey(p);
    uint64_t sum = 0;
    for (size_t i = 0; i < points_of(p); i++)
        sum += grey.pixels[i];
    image_free(&grey);
    blend_with_value(p, (int)((double)sum / (double)points_of(p) + 0.5), factor);
}

/* The middle counts five times, its eight neighbours once, of 13, rounded; the border stays. */
static Image smoothed(const Image *p)
{
    Image smooth = image_copy(p);
    int row = p->width * p->channels;
    for (int y = 1; y < p->height - 1; y++)
        for (int i = p->channels; i < row - p->channels; i++) {
            const uint8_t *v = p->pixels + (size_t)y * (size_t)row + i;
            int sum = 4 * *v;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    sum += v[dy * row + dx * p->channels];
            smooth.pixels[(size_t)y * (size_t)row + (size_t)i] = (uint8_t)((2 * sum + 13) / 26);
        }
    return smooth;
}

static void change_sharpness(Image *p, float factor)
{
    Image smooth = smoothed(p);
    blend(p, smooth.pixels, 1, factor);
    image_free(&smooth);
}

/* --- moving pixels --------------------------------------------------------------------------- */

/* At `at` (0 … 1) between v[1] and v[2]: the cubic through them whose slopes there are the central
 * differences times two (Keys' kernel with a = -1). */
static double cubic(const double v[4], double at)
{
    double slope = v[2] - v[0], square = 2 * (v[0] - v[1]) + v[2] - v[3];
    double cube = v[1] - v[0] + v[3] - v[2];
    return v[1] + at * (slope + at * (square + at * cube));
}

/* Channel c at (x, y), in pixels from the image's corner; the border's pixels go on outside. */
static uint8_t bicubic(const Image *p, int c, double x, double y)
{
    double left = floor(x - 0.5), top = floor(y - 0.5), rows[4] = { 0 };
    for (int i = 0; i < 4; i++) {
        int row = int_min(int_max((int)top - 1 + i, 0), p->height - 1);
        const uint8_t *from = p->pixels + (size_t)row * (size_t)p->width * (size_t)p->channels;
        double v[4] = { 0 };
        for (int k = 0; k < 4; k++) {
            int column = int_min(int_max((int)left - 1 + k, 0), p->width - 1);
            v[k] = from[(size_t)column * (size_t)p->channels + (size_t)c];
        }
        rows[i] = cubic(v, x - 0.5 - left);
    }
    double value = cubic(rows, y - 0.5 - top);
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value;
}

/* The pixel whose middle is (x, y) comes from (m[0]·x + m[1]·y + m[2], m[3]·x + m[4]·y + m[5]). */
static void move(Image *p, const double m[6], const uint8_t *fill)
{
    Image from = image_copy(p);
    uint8_t *to = p->pixels;
    for (int row = 0; row < p->height; row++)
        for (int column = 0; column < p->width; column++) {
            double x = column + 0.5, y = row + 0.5;
            double at_x = m[0] * x + m[1] * y + m[2], at_y = m[3] * x + m[4] * y + m[5];
            bool inside = at_x >= 0 && at_x < p->width && at_y >= 0 && at_y < p->height;
            for (int c = 0; c < p->channels; c++)
                *to++ = inside ? bicubic(&from, c, at_x, at_y) : fill[c];
        }
    image_free(&from);
}

/* To 15 digits, so that it does not depend on whose sine it is. */
static double rounded(double value)
{
    return round(value * 1e15) / 1e15;
}

/* Counterclockwise about the middle. */
static void rotate(Image *p, double degrees, const uint8_t *fill)
{
    double angle = -degrees * (M_PI / 180), x = p->width / 2.0, y = p->height / 2.0;
    double c = rounded(cos(angle)), s = rounded(sin(angle));
    double m[6] = { c, s, 0, -s, c, 0 };
    m[2] = c * -x + s * -y + x;
    m[5] = -s * -x + c * -y + y;
    if (degrees != 0)
        move(p, m, fill);
}

/* --- operations ------------------------------------------------------------------------------ */

double randaugment_strength(RandAugmentKind kind, double magnitude, bool negative)
{
    double level = magnitude / RANDAUGMENT_MOST, sign = negative ? -1 : 1;
    switch (kind) {
    case ROTATE:
        return sign * (level * 30);
    case POSTERIZE:
        return 4 - (int)(level * 4);
    case SOLARIZE:
        return 256 - (int)(level * 256);
    case SOLARIZE_ADD:
        return (int)(level * 110);
    case COLOR:
    case CONTRAST:
    case BRIGHTNESS:
    case SHARPNESS:
        return fmax(0.1, 1 + sign * (level * 0.9));
    case SHEAR_X:
    case SHEAR_Y:
        return sign * (level * 0.3);
    case TRANSLATE_X:
    case TRANSLATE_Y:
        return sign * (level * 0.45);
    default:
        return 0;
    }
}

void randaugment_apply(RandAugmentKind kind, double strength, const uint8_t *fill, Image *p)
{
    switch (kind) {
    case AUTOCONTRAST:
        for (int c = 0; c < p->channels; c++)
            autocontrast(p, c);
        break;
    case EQUALIZE:
        for (int c = 0; c < p->channels; c++)
            equalize(p, c);
        break;
    case INVERT:
        map_values(p, solarized, 0);
        break;
    case ROTATE:
        rotate(p, strength, fill);
        break;
    case POSTERIZE:
        map_values(p, posterized, (int)strength);
        break;
    case SOLARIZE:
        map_values(p, solarized, (int)strength);
        break;
    case SOLARIZE_ADD:
        map_values(p, solarized_by_adding, (int)strength);
        break;
    case COLOR:
        change_color(p, (float)strength);
        break;
    case CONTRAST:
        change_contrast(p, (float)strength);
        break;
    case BRIGHTNESS:
        blend_with_value(p, 0, (float)strength);
        break;
    case SHARPNESS:
        change_sharpness(p, (float)strength);
        break;
    case SHEAR_X:
        move(p, (double[6]){ 1, strength, 0, 0, 1, 0 }, fill);
        break;
    case SHEAR_Y:
        move(p, (double[6]){ 1, 0, 0, strength, 1, 0 }, fill);
        break;
    case TRANSLATE_X:
        move(p, (double[6]){ 1, 0, strength * p->width, 0, 1, 0 }, fill);
        break;
    case TRANSLATE_Y:
        move(p, (double[6]){ 1, 0, 0, 0, 1, strength * p->height }, fill);
        break;
    case RANDAUGMENT_KINDS:
        break;
    }
}

/* --- drawing --------------------------------------------------------------------------------- */

RandAugmentDraw randaugment_draw(RandAugment augment, Random r, uint64_t first, int i)
{
    enum { KIND, DONE, MAGNITUDE, SIGN };
    static const double deviation = 0.5;
    uint64_t at = first + (uint64_t)i * RANDAUGMENT_EACH;
    double magnitude = augment.magnitude + deviation * random_normal(r, at + MAGNITUDE);
    return (RandAugmentDraw){
        .kind = (RandAugmentKind)random_below(r, at + KIND, RANDAUGMENT_KINDS),
        .done = random_below(r, at + DONE, 2),
        .magnitude = fmin(fmax(magnitude, 0), RANDAUGMENT_MOST),
        .negative = random_below(r, at + SIGN, 2),
    };
}

void randaugment_image(RandAugment augment, Random r, uint64_t first, const uint8_t *fill,
                       Image *image)
{
    for (int i = 0; i < augment.count; i++) {
        RandAugmentDraw draw = randaugment_draw(augment, r, first, i);
        double strength = randaugment_strength(draw.kind, draw.magnitude, draw.negative);
        if (draw.done)
            randaugment_apply(draw.kind, strength, fill, image);
    }
}
