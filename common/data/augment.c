#include "data/augment.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- pictures to input ----------------------------------------------------------------------- */

/* One output row or column lies between two of the picture: (1-weight)·[first] + weight·[second].
 */
typedef struct {
    int *first, *second;
    float *weight;
} Axis;

struct Preparer {
    int channels, picture_height, picture_width; /* the picture's */
    int height, width;                           /* the input's */
    int large_height, large_width, top, left;    /* the enlarged picture, and where it lies */
    float value[DATASET_CHANNELS_MAX][256];      /* what a pixel's value becomes by normalising */
    Axis rows, columns;
    float *small; /* [picture_height,picture_width], one channel, normalised */
    float *wide;  /* [picture_height,large_width], enlarged to the right only */
};

/* Output o's centre lies at (o + 0.5) / factor - 0.5 of the picture, kept within the outermost
 * centres: PyTorch's half-pixel rule. */
static Axis axis_new(int size, int factor)
{
    size_t large = size_mul((size_t)size, (size_t)factor);
    Axis axis = { mem_alloc(large, sizeof(int)), mem_alloc(large, sizeof(int)),
                  mem_alloc(large, sizeof(float)) };
    for (size_t o = 0; o < large; o++) {
        double centre = fmax(((double)o + 0.5) / factor - 0.5, 0);
        axis.first[o] = (int)centre;
        axis.second[o] = axis.first[o] + 1 < size ? axis.first[o] + 1 : size - 1;
        axis.weight[o] = (float)(centre - axis.first[o]);
    }
    return axis;
}

static void axis_free(Axis *axis)
{
    free(axis->first);
    free(axis->second);
    free(axis->weight);
}

static bool check_input(const Dataset *data, int channels, int height, int width, Error *error)
{
    if (channels != data->channels)
        return error_set(error, data->name,
                         "its pictures have %d channel%s, the network's input %d", data->channels,
                         data->channels == 1 ? "" : "s", channels);
    if (height < data->height || width < data->width)
        return error_set(
            error, data->name,
            "its pictures are %dx%d (height x width), the network's input is only %dx%d",
            data->height, data->width, height, width);
    return true;
}

static void fill_values(Preparer *p, const Dataset *data)
{
    for (int c = 0; c < data->channels; c++)
        for (int value = 0; value < 256; value++)
            p->value[c][value] =
                (float)((value / 255.0 - (double)data->mean[c]) / (double)data->std[c]);
}

Preparer *preparer_new(const Dataset *data, int channels, int height, int width, Error *error)
{
    if (!check_input(data, channels, height, width, error))
        return NULL;
    int by_height = height / data->height, by_width = width / data->width;
    int factor = by_height < by_width ? by_height : by_width;
    Preparer *p = mem_alloc(1, sizeof *p);
    p->channels = channels;
    p->picture_height = data->height;
    p->picture_width = data->width;
    p->height = height;
    p->width = width;
    p->large_height = data->height * factor;
    p->large_width = data->width * factor;
    p->top = (height - p->large_height) / 2;
    p->left = (width - p->large_width) / 2;
    p->rows = axis_new(data->height, factor);
    p->columns = axis_new(data->width, factor);
    size_t rows = (size_t)data->height;
    p->small = mem_alloc(size_mul(rows, (size_t)data->width), sizeof(float));
    p->wide = mem_alloc(size_mul(rows, (size_t)p->large_width), sizeof(float));
    fill_values(p, data);
    return p;
}

void preparer_free(Preparer *p)
{
    if (!p)
        return;
    axis_free(&p->rows);
    axis_free(&p->columns);
    free(p->small);
    free(p->wide);
    free(p);
}

/* One row of one channel, seen through the view, normalised. from: NULL outside of the picture. */
static void view_row(const uint8_t *from, int width, View view, const float value[256], float *to)
{
    for (int x = 0; x < width; x++) {
        int at = (view.mirrored ? width - 1 - x : x) + view.right;
        to[x] = value[from && at >= 0 && at < width ? from[at] : 0];
    }
}

static void enlarge_row(const float *row, const Axis *columns, int large_width, float *wide)
{
    for (int x = 0; x < large_width; x++) {
        float a = row[columns->first[x]], b = row[columns->second[x]];
        wide[x] = a + columns->weight[x] * (b - a);
    }
}

/* Every channels-th of `to`; with one channel the loop is one of plain vectors. */
static void blend_rows(const float *a, const float *b, float weight, int n, int channels, float *to)
{
    if (channels == 1)
        for (int x = 0; x < n; x++)
            to[x] = a[x] + weight * (b[x] - a[x]);
    else
        for (int x = 0; x < n; x++)
            to[x * channels] = a[x] + weight * (b[x] - a[x]);
}

static void prepare_channel(Preparer *p, const uint8_t *pixels, View view, int channel, float *x)
{
    int height = p->picture_height, width = p->picture_width, large = p->large_width;
    for (int row = 0; row < height; row++) {
        int at = row + view.down;
        const uint8_t *from = at >= 0 && at < height ? pixels + (size_t)at * (size_t)width : NULL;
        float *small = p->small + (size_t)row * (size_t)width;
        view_row(from, width, view, p->value[channel], small);
        enlarge_row(small, &p->columns, large, p->wide + (size_t)row * (size_t)large);
    }
    for (int row = 0; row < p->large_height; row++) {
        const float *a = p->wide + (size_t)p->rows.first[row] * (size_t)large;
        const float *b = p->wide + (size_t)p->rows.second[row] * (size_t)large;
        size_t at = (size_t)(p->top + row) * (size_t)p->width + (size_t)p->left;
        blend_rows(a, b, p->rows.weight[row], large, p->channels,
                   x + at * (size_t)p->channels + channel);
    }
}

/* Black where the enlarged picture does not reach. */
static void fill_black(const Preparer *p, float *x)
{
    size_t points = (size_t)p->height * (size_t)p->width;
    if (p->large_height == p->height && p->large_width == p->width)
        return;
    for (size_t i = 0; i < points; i++)
        for (int c = 0; c < p->channels; c++)
            *x++ = p->value[c][0];
}

void preparer_picture(Preparer *p, const uint8_t *pixels, View view, float *x)
{
    size_t plane = (size_t)p->picture_height * (size_t)p->picture_width;
    fill_black(p, x);
    for (int c = 0; c < p->channels; c++)
        prepare_channel(p, pixels + (size_t)c * plane, view, c, x);
}

/* --- random changes -------------------------------------------------------------------------- */

/* Which of a picture's numbers is for what. */
enum { DRAW_DOWN, DRAW_RIGHT, DRAW_FLIP, DRAW_KIND, DRAW_ROW, DRAW_COLUMN, DRAW_BETA };

Random augment_random(uint64_t seed, uint64_t epoch, uint32_t picture)
{
    Random pictures = { seed, random_stream("augment") };
    return (Random){ seed, random_bits(pictures, epoch << 32 | picture) };
}

static int draw_shift(Random r, uint64_t i)
{
    return (int)random_below(r, i, 2 * CROP_SHIFT + 1) - CROP_SHIFT;
}

View augment_view(Random r, Augment augment)
{
    return (View){ .down = augment.crop ? draw_shift(r, DRAW_DOWN) : 0,
                   .right = augment.crop ? draw_shift(r, DRAW_RIGHT) : 0,
                   .mirrored = augment.flip && random_below(r, DRAW_FLIP, 2) };
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

/* A box of `size` around `centre`, as far as it lies within 0 … most. */
static void cut(double centre, double size, int most, int *from, int *to)
{
    int low = (int)floor(centre - size / 2 + 0.5), high = (int)floor(centre + size / 2 + 0.5);
    *from = low < 0 ? 0 : low;
    *to = high > most ? most : high;
}

static Mix draw_cutmix(Random r, int height, int width)
{
    Mix mix = { .kind = CUTMIX };
    double side = sqrt(1 - random_beta(r, DRAW_BETA, CUTMIX_ALPHA));
    cut(random_uniform(r, DRAW_ROW) * height, side * height, height, &mix.top, &mix.bottom);
    cut(random_uniform(r, DRAW_COLUMN) * width, side * width, width, &mix.left, &mix.right);
    double area = (double)(mix.bottom - mix.top) * (mix.right - mix.left);
    mix.lambda = (float)(1 - area / ((double)height * width));
    return mix;
}

Mix augment_mix(Random r, Augment augment, int height, int width)
{
    bool both = augment.mixup && augment.cutmix;
    if (augment.cutmix && (!both || random_below(r, DRAW_KIND, 2)))
        return draw_cutmix(r, height, width);
    if (augment.mixup)
        return (Mix){ .kind = MIXUP, .lambda = (float)random_beta(r, DRAW_BETA, MIXUP_ALPHA) };
    return (Mix){ .lambda = 1 };
}

static void blend(float lambda, float *x, const float *other, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = other[i] + lambda * (x[i] - other[i]);
}

void augment_mix_pictures(Mix mix, float *x, const float *other, int height, int width,
                          int channels)
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
