/* The 7x7 depthwise convolution, version after version; without automatic vectorisation, like
 * gemm.c. */
#include "speed.h"

#include "base/ints.h"
#include "base/parallel.h"
#include "engine/fast/kernels/depthwise.h"
#include "engine/fast/kernels/simd.h"

/* Pixels whose sums are in registers at once, beside a row of the kernel's weights. */
enum { STRIP = VEC == 16 ? 14 : 7 };

/* --- 1: the definition ----------------------------------------------------------------------- */

static float sum_of_taps(const Depthwise *d, int y, int x, int c)
{
    float sum = 0;
    for (int ky = 0; ky < KERNEL; ky++)
        for (int kx = 0; kx < KERNEL; kx++) {
            int row = y + ky - PAD, column = x + kx - PAD;
            if (row >= 0 && row < d->h && column >= 0 && column < d->w)
                sum += d->x[((size_t)row * d->w + column) * d->channels + c] *
                       d->weight[(size_t)(ky * KERNEL + kx) * d->channels + c];
        }
    return sum;
}

static void plain(const Depthwise *d)
{
    for (int y = 0; y < d->h; y++)
        for (int x = 0; x < d->w; x++)
            for (int c = 0; c < d->channels; c++)
                d->y[((size_t)y * d->w + x) * d->channels + c] = sum_of_taps(d, y, x, c);
}

/* --- 2: zeros around a copy of the image instead of tests of bounds ------------------------ */

/* Channels first … end-1 of the image into `to`, [h+6, w+6, end-first]. */
static void pad(const Depthwise *d, int first, int end, float *to)
{
    size_t channels = (size_t)(end - first), row = (d->w + 2 * PAD) * channels;
    memset(to, 0, (d->h + 2 * PAD) * row * sizeof *to);
    for (int y = 0; y < d->h; y++)
        for (int x = 0; x < d->w; x++)
            memcpy(to + (y + PAD) * row + (x + PAD) * channels,
                   d->x + ((size_t)y * d->w + x) * d->channels + first, channels * sizeof *to);
}

static float sum_of_padded(const Depthwise *d, const float *x, int c)
{
    float sum = 0;
    for (int ky = 0; ky < KERNEL; ky++, x += (size_t)(d->w + 2 * PAD) * d->channels)
        for (int kx = 0; kx < KERNEL; kx++)
            sum += x[(size_t)kx * d->channels + c] *
                   d->weight[(size_t)(ky * KERNEL + kx) * d->channels + c];
    return sum;
}

static void padded(const Depthwise *d)
{
    pad(d, 0, d->channels, d->padded);
    for (int y = 0; y < d->h; y++)
        for (int x = 0; x < d->w; x++)
            for (int c = 0; c < d->channels; c++)
                d->y[((size_t)y * d->w + x) * d->channels + c] = sum_of_padded(
                    d, d->padded + ((size_t)y * (d->w + 2 * PAD) + x) * d->channels, c);
}

/* --- 3: VEC channels at a time --------------------------------------------------------------- */

static Vec sum_of_vectors(const Depthwise *d, const float *x, int c)
{
    Vec sum = { 0 };
    for (int ky = 0; ky < KERNEL; ky++, x += (size_t)(d->w + 2 * PAD) * d->channels)
        for (int kx = 0; kx < KERNEL; kx++)
            sum += vec_load(x + (size_t)kx * d->channels + c) *
                   vec_load(d->weight + (size_t)(ky * KERNEL + kx) * d->channels + c);
    return sum;
}

static void vectors(const Depthwise *d)
{
    pad(d, 0, d->channels, d->padded);
    for (int y = 0; y < d->h; y++)
        for (int x = 0; x < d->w; x++)
            for (int c = 0; c < d->channels; c += VEC)
                vec_store(d->y + ((size_t)y * d->w + x) * d->channels + c,
                          sum_of_vectors(
                              d, d->padded + ((size_t)y * (d->w + 2 * PAD) + x) * d->channels, c));
}

/* --- 4: the sums of a strip of pixels in registers ------------------------------------------- */

/* y's pixels x … x+STRIP-1. from: the first tap's input, in rows of `row` floats, `pixel` floats
 * a pixel. */
ALWAYS_INLINE void sum_strip(const float *from, size_t row, size_t pixel, const float *weight,
                             size_t tap, float *to, size_t to_pixel)
{
    Vec sum[STRIP] = { 0 };
    for (int ky = 0; ky < KERNEL; ky++, from += row)
        for (int kx = 0; kx < KERNEL; kx++, weight += tap) {
            Vec w = vec_load(weight);
            UNROLL(i, STRIP)
                sum[i] += vec_load(from + (kx + i) * pixel) * w;
        }
    UNROLL(i, STRIP)
        vec_store(to + i * to_pixel, sum[i]);
}

typedef void Strip(const float *from, size_t row, size_t pixel, const float *weight, size_t tap,
                   float *to, size_t to_pixel);

/* VEC channels of row y; the last strip lies over the one before it. from: the first tap's input.
 */
ALWAYS_INLINE void sum_row(const Depthwise *d, Strip *strip, const float *from, size_t pixel,
                           const float *weight, size_t tap, int c, int y)
{
    for (int at = 0; at < d->w; at += STRIP) {
        int x = int_min(at, d->w - STRIP);
        strip(from + x * pixel, (d->w + 2 * PAD) * pixel, pixel, weight, tap,
              d->y + ((size_t)y * d->w + x) * d->channels + c, d->channels);
    }
}

ALWAYS_INLINE void by_strips(const Depthwise *d, Strip *strip)
{
    size_t row = (size_t)(d->w + 2 * PAD) * d->channels;
    pad(d, 0, d->channels, d->padded);
    for (int y = 0; y < d->h; y++)
        for (int c = 0; c < d->channels; c += VEC)
            sum_row(d, strip, d->padded + y * row + c, d->channels, d->weight + c, d->channels, c,
                    y);
}

static void strip(const Depthwise *d)
{
    by_strips(d, sum_strip);
}

/* --- 5: each pixel is loaded once for all the sums that it is part of ------------------------ */

ALWAYS_INLINE void sum_strip_once(const float *from, size_t row, size_t pixel, const float *weight,
                                  size_t tap, float *to, size_t to_pixel)
{
    Vec sum[STRIP] = { 0 };
    for (int ky = 0; ky < KERNEL; ky++, from += row, weight += KERNEL * tap) {
        Vec w[KERNEL];
        UNROLL(kx, KERNEL)
            w[kx] = vec_load(weight + kx * tap);
        UNROLL(j, STRIP + KERNEL - 1) {
            Vec x = vec_load(from + j * pixel);
            UNROLL(i, STRIP)
                if (j >= i && j - i < KERNEL)
                    sum[i] += x * w[j - i];
        }
    }
    UNROLL(i, STRIP)
        vec_store(to + i * to_pixel, sum[i]);
}

static void once(const Depthwise *d)
{
    by_strips(d, sum_strip_once);
}

/* --- 6: VEC channels of the image gathered side by side first ------------------------------ */

/* plane: [h+6, w+6, VEC]. */
static void sum_plane(const Depthwise *d, int c, float *plane)
{
    float weight[KERNEL * KERNEL * VEC];
    for (int tap = 0; tap < KERNEL * KERNEL; tap++)
        vec_store(weight + tap * VEC, vec_load(d->weight + (size_t)tap * d->channels + c));
    pad(d, c, c + VEC, plane);
    for (int y = 0; y < d->h; y++)
        sum_row(d, sum_strip_once, plane + (size_t)y * (d->w + 2 * PAD) * VEC, VEC, weight, VEC, c,
                y);
}

static void gathered(const Depthwise *d)
{
    for (int c = 0; c < d->channels; c += VEC)
        sum_plane(d, c, d->padded);
}

/* --- 7: the planes are shared among threads -------------------------------------------------- */

static void one_plane(void *context, int item, int worker)
{
    (void)worker;
    const Depthwise *d = context;
    size_t floats = (size_t)(d->h + 2 * PAD) * (d->w + 2 * PAD) * VEC;
    sum_plane(d, item * VEC, d->padded + item * floats);
}

static void threads(const Depthwise *d)
{
    parallel_for(d->channels / VEC, one_plane, (void *)d);
}

/* --- 8: the library -------------------------------------------------------------------------- */

static ConvShape shape_of(const Depthwise *d)
{
    return (ConvShape){ .n = 1,
                        .h = d->h,
                        .w = d->w,
                        .in = d->channels,
                        .out_h = d->h,
                        .out_w = d->w,
                        .out = d->channels,
                        .groups = d->channels,
                        .kernel = KERNEL,
                        .stride = 1,
                        .pad = PAD };
}

size_t depthwise_work(const Depthwise *d)
{
    ConvShape s = shape_of(d);
    return grouped_work(&s);
}

static void library(const Depthwise *d)
{
    grouped_forward(&(Conv){
        .shape = shape_of(d), .x = d->x, .weight = d->weight, .y = d->y, .work = d->work });
}

const Version depthwise_versions[] = {
    { "plain", "the definition, with tests of bounds", false, { .depthwise = plain } },
    { "padded", "zeros around the image", false, { .depthwise = padded } },
    { "vectors", "many channels at a time", false, { .depthwise = vectors } },
    { "strip", "a strip of sums in registers", false, { .depthwise = strip } },
    { "once", "a row of weights held, each pixel loaded once", false, { .depthwise = once } },
    { "gathered", "a vector's channels gathered first", false, { .depthwise = gathered } },
    { "threads", "planes on all threads", true, { .depthwise = threads } },
    { "library", "grouped_forward(): bands that fit the cache", true, { .depthwise = library } },
    { 0 }
};
