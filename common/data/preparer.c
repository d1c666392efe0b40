#include "data/preparer.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* One output row or column lies between two of the image: (1-weight)·[first] + weight·[second].
 */
typedef struct {
    int *first, *second;
    float *weight;
} Axis;

struct Preparer {
    int channels, image_height, image_width;  /* the image's */
    int height, width;                        /* the input's */
    int large_height, large_width, top, left; /* the enlarged image, and where it lies */
    Normaliser normaliser;
    Axis rows, columns;
    float *small; /* [image_height,image_width], one channel, normalised */
    float *wide;  /* [image_height,large_width], enlarged to the right only */
};

/* Output o's centre lies at (o + 0.5) / factor - 0.5 of the image, kept within the outermost
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
        return error_set(error, data->name, "its images have %d channel%s, the network's input %d",
                         data->channels, data->channels == 1 ? "" : "s", channels);
    if (height < data->height || width < data->width)
        return error_set(error, data->name,
                         "its images are %dx%d (height x width), the network's input is only %dx%d",
                         data->height, data->width, height, width);
    return true;
}

Normaliser preparer_normaliser(int channels, const float *mean, const float *std)
{
    Normaliser n = { 0 };
    for (int c = 0; c < channels; c++)
        for (int value = 0; value < 256; value++)
            n.value[c][value] = (float)((value / 255.0 - (double)mean[c]) / (double)std[c]);
    return n;
}

Preparer *preparer_new(const Dataset *data, int channels, int height, int width, Error *error)
{
    if (!check_input(data, channels, height, width, error))
        return NULL;
    int by_height = height / data->height, by_width = width / data->width;
    int factor = by_height < by_width ? by_height : by_width;
    Preparer *p = mem_alloc(1, sizeof *p);
    p->channels = channels;
    p->image_height = data->height;
    p->image_width = data->width;
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
    p->normaliser = preparer_normaliser(channels, data->mean, data->std);
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

/* One row of one channel, seen through the view, normalised. from: NULL outside of the image;
 * its values are `stride` apart. */
static void view_row(const uint8_t *from, int stride, int width, View view, const float value[256],
                     float *to)
{
    for (int x = 0; x < width; x++) {
        int at = (view.mirrored ? width - 1 - x : x) + view.right;
        to[x] = value[from && at >= 0 && at < width ? from[at * stride] : 0];
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

/* pixels: the channel's first value; the others are `stride` apart. */
static void prepare_channel(Preparer *p, const uint8_t *pixels, int stride, View view, int channel,
                            float *x)
{
    int height = p->image_height, width = p->image_width, large = p->large_width;
    for (int row = 0; row < height; row++) {
        int at = row + view.down;
        size_t skipped = (size_t)at * (size_t)width * (size_t)stride;
        const uint8_t *from = at >= 0 && at < height ? pixels + skipped : NULL;
        float *small = p->small + (size_t)row * (size_t)width;
        view_row(from, stride, width, view, p->normaliser.value[channel], small);
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

/* Black where the enlarged image does not reach. */
static void fill_black(const Preparer *p, float *x)
{
    size_t points = (size_t)p->height * (size_t)p->width;
    if (p->large_height == p->height && p->large_width == p->width)
        return;
    for (size_t i = 0; i < points; i++)
        for (int c = 0; c < p->channels; c++)
            *x++ = p->normaliser.value[c][0];
}

void preparer_image(Preparer *p, const uint8_t *pixels, View view, float *x)
{
    size_t plane = (size_t)p->image_height * (size_t)p->image_width;
    fill_black(p, x);
    for (int c = 0; c < p->channels; c++)
        prepare_channel(p, pixels + (size_t)c * plane, 1, view, c, x);
}

void preparer_interleaved(Preparer *p, const uint8_t *pixels, float *x)
{
    fill_black(p, x);
    for (int c = 0; c < p->channels; c++)
        prepare_channel(p, pixels + c, p->channels, (View){ 0 }, c, x);
}
