#include "io/image.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/pnm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t pixel_count(int width, int height, int channels)
{
    return size_mul(size_mul((size_t)width, (size_t)height), (size_t)channels);
}

/* --- reading --------------------------------------------------------------------------------- */

/* Returns the table from samples to 8 bits, [maxval + 1]. */
static uint8_t *scale_new(int maxval)
{
    uint8_t *scale = mem_alloc((size_t)maxval + 1, 1);
    for (int value = 0; value <= maxval; value++)
        scale[value] = (uint8_t)lrint((double)value / maxval * 255);
    return scale;
}

bool image_open(const char *path, ImageFile *file, Error *error)
{
    *file = (ImageFile){ 0 };
    if (!file_read(path, &file->bytes, &file->size, error))
        return false;
    file->name = str_format("%s", strcmp(path, "-") ? path : "standard input");
    if (file->size)
        return true;
    error_set(error, file->name, "is empty");
    image_close(file);
    return false;
}

void image_close(ImageFile *file)
{
    free(file->name);
    free(file->bytes);
    *file = (ImageFile){ 0 };
}

bool image_more(const ImageFile *file)
{
    return file->at < file->size;
}

static Image scale_samples(const Pnm *from)
{
    Image p = { .width = from->width, .height = from->height, .channels = from->channels };
    size_t count = pixel_count(p.width, p.height, p.channels);
    uint8_t *scale = scale_new(from->maxval);
    p.pixels = mem_alloc(count, 1);
    for (size_t i = 0; i < count; i++)
        p.pixels[i] = scale[from->samples[i]];
    free(scale);
    return p;
}

bool image_next(ImageFile *file, Image *image, Error *error)
{
    Pnm read;
    char *name = file->count ? str_format("%s#%d", file->name, file->count + 1)
                             : str_format("%s", file->name);
    bool good = pnm_next(name, file->bytes, file->size, &file->at, &read, error);
    *image = good ? scale_samples(&read) : (Image){ 0 };
    if (good)
        file->count++;
    else
        file->at = file->size;
    pnm_free(&read);
    free(name);
    return good;
}

void image_free(Image *image)
{
    free(image->pixels);
    *image = (Image){ 0 };
}

/* --- channels -------------------------------------------------------------------------------- */

/* Returns the luma: .299, .587 and .114 times 2^16, which add up to 2^16. */
static uint8_t luma(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

void image_set_channels(Image *image, int channels)
{
    if (image->channels == channels)
        return;
    size_t points = pixel_count(image->width, image->height, 1);
    const uint8_t *from = image->pixels;
    uint8_t *pixels = mem_alloc(points, (size_t)channels), *to = pixels;
    for (size_t i = 0; i < points; i++, from += image->channels, to += channels) {
        uint8_t value = image->channels == 3 ? luma(from) : *from;
        for (int c = 0; c < channels; c++)
            to[c] = value;
    }
    free(image->pixels);
    image->pixels = pixels;
    image->channels = channels;
}

/* --- resizing -------------------------------------------------------------------------------- */

enum { FRACTION = 22 }; /* fraction bits of a weight */

/* One side's resampling: output i is the weighted sum of `reach` inputs from `first` on. */
typedef struct {
    int first, reach;
} Span;

typedef struct {
    int count, taps; /* outputs, and the most weights of any */
    Span *spans;     /* [count] */
    int *weights;    /* [count,taps], fixed point */
} Filter;

/* Returns the cubic kernel of Keys, "Cubic convolution interpolation for digital image processing"
 * (1981), with a = -1/2. */
static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* Computes the weights of the output at `centre` of a side of `size` pixels, with a kernel `scale`
 * times as wide as for enlarging. It is cut off at the borders and normalised to sum 1. exact:
 * [taps] scratch. */
static Span fill_weights(double centre, double scale, int size, double *exact, int *weights)
{
    double support = 2 * scale, inverse = 1 / scale, sum = 0;
    int first = (int)fmax(centre - support + 0.5, 0);
    int end = (int)fmin(centre + support + 0.5, size);
    for (int i = first; i < end; i++)
        sum += exact[i - first] = cubic((i - centre + 0.5) * inverse);
    for (int i = 0; i < end - first; i++) {
        double weight = exact[i] / sum * (1 << FRACTION);
        weights[i] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    return (Span){ first, end - first };
}

/* Makes the filter for outputs start … start + count - 1 of a side of `size` pixels resized to
 * `resized`. For reduction the kernel widens by the ratio, so that every input counts
 * (antialiasing). */
static Filter filter_new(int size, int64_t resized, int64_t start, int count)
{
    double ratio = (double)size / (double)resized, scale = fmax(ratio, 1);
    Filter f = { .count = count, .taps = 2 * (int)ceil(2 * scale) + 1 };
    size_t taps = (size_t)f.taps;
    f.spans = mem_alloc((size_t)count, sizeof *f.spans);
    f.weights = mem_alloc(size_mul((size_t)count, taps), sizeof *f.weights);
    double *exact = mem_alloc(taps, sizeof *exact);
    for (int i = 0; i < count; i++)
        f.spans[i] = fill_weights(((double)(start + i) + 0.5) * ratio, scale, size, exact,
                                  f.weights + (size_t)i * taps);
    free(exact);
    return f;
}

static void filter_free(Filter *f)
{
    free(f->spans);
    free(f->weights);
}

/* Returns output i of a line whose pixels are `stride` bytes apart; at: its first pixel. */
static uint8_t filter_pixel(const Filter *f, int i, const uint8_t *at, size_t stride)
{
    const int *weights = f->weights + (size_t)i * (size_t)f->taps;
    int sum = 1 << (FRACTION - 1); /* the sum of |weights| is less than 2: no overflow */
    at += (size_t)f->spans[i].first * stride;
    for (int k = 0; k < f->spans[i].reach; k++, at += stride)
        sum += weights[k] * *at;
    sum >>= FRACTION;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* Filters rows top … bottom - 1 of the image: [bottom - top, columns->count, channels]. */
static Image resize_rows(const Image *p, const Filter *columns, int top, int bottom)
{
    Image out = { .width = columns->count, .height = bottom - top, .channels = p->channels };
    size_t channels = (size_t)p->channels, row = (size_t)p->width * channels;
    out.pixels = mem_alloc(pixel_count(out.width, out.height, out.channels), 1);
    uint8_t *to = out.pixels;
    for (int y = top; y < bottom; y++)
        for (int x = 0; x < out.width; x++)
            for (size_t c = 0; c < channels; c++)
                *to++ = filter_pixel(columns, x, p->pixels + (size_t)y * row + c, channels);
    return out;
}

/* Filters the columns. p: the rows that `rows` needs, from row `top` of the image on. */
static Image resize_columns(const Image *p, Filter *rows, int top)
{
    Image out = { .width = p->width, .height = rows->count, .channels = p->channels };
    size_t row = (size_t)p->width * (size_t)p->channels;
    out.pixels = mem_alloc((size_t)out.height, row);
    for (int y = 0; y < out.height; y++) {
        rows->spans[y].first -= top;
        for (size_t x = 0; x < row; x++)
            out.pixels[(size_t)y * row + x] = filter_pixel(rows, y, p->pixels + x, row);
    }
    return out;
}

/* Returns the start of a crop: half of the excess, rounded half to even as Python does. */
static int64_t crop_start(int64_t size, int crop)
{
    return llrint((double)(size - crop) / 2);
}

/* Makes the filter for the central `crop` pixels of a side of `size` pixels, with the image's
 * shorter side resized to `side`; where that is 0, for all of the side as `crop` pixels. */
static Filter side_filter(int size, int shorter, int side, int crop)
{
    int64_t resized = side ? (int64_t)side * size / shorter : crop;
    return filter_new(size, resized, crop_start(resized, crop), crop);
}

Image image_resize_and_crop(const Image *image, int side, int height, int width)
{
    int shorter = image->width < image->height ? image->width : image->height;
    Filter columns = side_filter(image->width, shorter, side, width);
    Filter rows = side_filter(image->height, shorter, side, height);
    const Span *first = &rows.spans[0], *last = &rows.spans[height - 1];
    int top = first->first;
    Image wide = resize_rows(image, &columns, top, last->first + last->reach);
    Image out = resize_columns(&wide, &rows, top);
    image_free(&wide);
    filter_free(&columns);
    filter_free(&rows);
    return out;
}
