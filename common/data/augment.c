#include "data/augment.h"

#include "base/ints.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

Random augment_random(uint64_t seed, uint64_t epoch, uint32_t image)
{
    Random images = { seed, random_stream("augment") };
    return (Random){ seed, random_bits(images, epoch << 32 | image) };
}

bool augment_any(Augment augment)
{
    return augment.crop || augment.flip || augment.mixup || augment.cutmix ||
           augment.randaugment.count || augment.erasing > 0;
}

static int draw_shift(Random r, uint64_t i)
{
    return (int)random_below(r, i, 2 * CROP_SHIFT + 1) - CROP_SHIFT;
}

View augment_view(Random r, Augment augment)
{
    return (View){ .down = augment.crop ? draw_shift(r, AUGMENT_DOWN) : 0,
                   .right = augment.crop ? draw_shift(r, AUGMENT_RIGHT) : 0,
                   .mirrored = augment.flip && random_below(r, AUGMENT_FLIP, 2) };
}

/* The image through a view, its channels side by side. */
static Image seen_through(View view, const Dataset *data, const uint8_t *pixels)
{
    int height = data->height, width = data->width, channels = data->channels;
    size_t size = (size_t)height * (size_t)width;
    Image image = { .width = width, .height = height, .channels = channels };
    uint8_t *to = image.pixels = mem_alloc(size, (size_t)channels);
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++) {
            int y = row + view.down;
            int x = (view.mirrored ? width - 1 - column : column) + view.right;
            bool inside = y >= 0 && y < height && x >= 0 && x < width;
            size_t at = inside ? (size_t)y * (size_t)width + (size_t)x : 0;
            for (int c = 0; c < channels; c++)
                *to++ = inside ? pixels[(size_t)c * size + at] : 0;
        }
    return image;
}

static void randaugment(Random r, Augment augment, const Dataset *data, const uint8_t *pixels,
                        Preparer *preparer, float *x)
{
    Image image = seen_through(augment_view(r, augment), data, pixels);
    uint8_t fill[DATASET_CHANNELS_MAX] = { 0 };
    for (int c = 0; c < data->channels; c++)
        fill[c] = (uint8_t)lrint(255 * (double)data->mean[c]);
    randaugment_image(augment.randaugment, r, AUGMENT_RANDAUGMENT, fill, &image);
    preparer_interleaved(preparer, image.pixels, x);
    image_free(&image);
}

void augment_image(Random r, Augment augment, const Dataset *data, const uint8_t *pixels,
                   Preparer *preparer, int height, int width, float *x)
{
    if (augment.randaugment.count)
        randaugment(r, augment, data, pixels, preparer, x);
    else
        preparer_image(preparer, pixels, augment_view(r, augment), x);
    erasing_image(r, AUGMENT_ERASING, augment.erasing, x, height, width, data->channels);
}

/* Gamma(shape) by Marsaglia and Tsang, "A simple method for generating gamma variables" (2000): a
 * try succeeds in over 95 of 100 cases, so that 32 in a row do not fail in anyone's lifetime. Below
 * 1 it is Gamma(shape + 1)·u^(1/shape). Uses 1 + 2·32 numbers at most. */
static double random_gamma(Random r, uint64_t first, double shape)
{
    double boost = shape < 1 ? pow(1 - random_uniform(r, first), 1 / shape) : 1;
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (uint64_t i = 0; i < 32; i++) {
        double normal = random_normal(r, first + 1 + 2 * i), v = 1 + c * normal;
        double u = 1 - random_uniform(r, first + 2 + 2 * i);
        v = v * v * v;
        if (v > 0 && log(u) < normal * normal / 2 + d - d * v + d * log(v))
            return boost * d * v;
    }
    return boost * d;
}

double random_beta(Random r, uint64_t first, double alpha)
{
    double a = random_gamma(r, first, alpha), b = random_gamma(r, first + BETA_DRAWS / 2, alpha);
    return a + b > 0 ? a / (a + b) : 0.5;
}

/* `size` pixels around one, as far as they lie within 0 … most. */
static void cut(int middle, int size, int most, int *from, int *to)
{
    *from = int_max(middle - size / 2, 0);
    *to = int_min(middle + (size + 1) / 2, most);
}

static Mix draw_cutmix(Random r, int height, int width)
{
    Mix mix = { .kind = CUTMIX };
    double side = sqrt(1 - random_beta(r, AUGMENT_BETA, CUTMIX_ALPHA));
    int row = (int)random_below(r, AUGMENT_ROW, (uint64_t)height);
    int column = (int)random_below(r, AUGMENT_COLUMN, (uint64_t)width);
    cut(row, (int)(side * height), height, &mix.top, &mix.bottom);
    cut(column, (int)(side * width), width, &mix.left, &mix.right);
    double area = (double)(mix.bottom - mix.top) * (mix.right - mix.left);
    mix.lambda = (float)(1 - area / ((double)height * width));
    return mix;
}

Mix augment_mix(Random r, Augment augment, int height, int width)
{
    bool both = augment.mixup && augment.cutmix;
    if (augment.cutmix && (!both || random_below(r, AUGMENT_KIND, 2)))
        return draw_cutmix(r, height, width);
    if (augment.mixup)
        return (Mix){ .kind = MIXUP, .lambda = (float)random_beta(r, AUGMENT_BETA, MIXUP_ALPHA) };
    return (Mix){ .lambda = 1 };
}

static void blend(float lambda, float *x, const float *other, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = other[i] + lambda * (x[i] - other[i]);
}

void augment_mix_images(Mix mix, float *x, const float *other, int height, int width, int channels)
{
    size_t point = (size_t)channels, row = (size_t)width * point;
    if (mix.kind == MIXUP)
        blend(mix.lambda, x, other, (size_t)height * row);
    if (mix.kind != CUTMIX || mix.left >= mix.right)
        return;
    size_t length = (size_t)(mix.right - mix.left) * point;
    for (int y = mix.top; y < mix.bottom; y++) {
        size_t at = (size_t)y * row + (size_t)mix.left * point;
        memcpy(x + at, other + at, length * sizeof *x);
    }
}
