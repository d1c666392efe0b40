/* One method for all: a task takes VEC output channels of some rows of one image. It gathers the
 * input channels these read into a plane of its own, with zeros left and right, in which lane l of
 * a vector holds what output channel l reads:
 *
 *     plane[row][slice][column][VEC]
 *
 * slice j of a group's input channels being a row of its own. Every kernel is then a depthwise one
 * with kernel · slices rows, no tap needs a test of bounds, and no stride of channels makes the
 * cache's sets collide. The weights are packed likewise: [kernel row][slice][tap][VEC].
 *
 * The gradient with respect to the input is such a convolution too, of dy, with the kernel turned
 * round; a stride becomes a spacing: the taps that meet dy's values are every spacing-th. */
#include "engine/fast/kernels/planes.h"

#include "base/memory.h"
#include "base/parallel.h"

#include <string.h>

/* --- layout ---------------------------------------------------------------------------------- */

enum {
    PLANE_FLOATS = 1 << 16, /* a task's planes stay in the second level cache */
    JOINED_CHANNELS = 64,   /* side by side that a task takes at most */
    LEAST_BAND = 8          /* rows: the next band reads the last kernel - 1 input rows again */
};

int planes_first_tap(const Planes *p, int phase, int *column)
{
    int tap = modulo(p->s.pad - phase, p->spacing);
    *column = (phase + tap - p->s.pad) / p->spacing;
    return tap;
}

static size_t whole_lines(size_t floats)
{
    return (floats + LINE - 1) / LINE * LINE;
}

static int rows_read(const Planes *p, int out_rows)
{
    return int_min(((out_rows - 1) * p->s.stride + p->s.kernel - 1) / p->spacing + 1, p->s.h);
}

/* Groups of 4, 8 or whole vectors of channels, in as many as out, with a 3x3 kernel are worth
 * kernels of their own: they gather the channels as they lie and let each into its group's lanes
 * when it is loaded, so that the plane is no greater than a depthwise one's. */
static int spread_of(const Planes *p)
{
    bool fits =
        p->s.kernel == 3 && p->s.stride == 1 && p->spacing == 1 && p->slices == p->group_out;
    if (!fits || p->slices == 1)
        return 0;
    return p->slices % VEC == 0 ? VEC : p->slices == 4 || p->slices == 8 ? p->slices : 0;
}

/* Joins blocks and cuts rows into bands so that the planes of a task fit the cache. Blocks are
 * joined because a visit to a pixel far from the last one is dear (a page of its own, a row of the
 * memory chips), and much cheaper per line where it reads or writes a few cache lines. row: a
 * row's floats. */
static void choose_band(Planes *p, size_t row)
{
    p->joined = int_min(JOINED_CHANNELS / VEC, p->blocks);
    while (p->joined > 1 && rows_read(p, LEAST_BAND) * row * p->joined > PLANE_FLOATS)
        p->joined--;
    p->band = p->s.out_h;
    while (p->band > LEAST_BAND && rows_read(p, p->band) * row * p->joined > PLANE_FLOATS)
        p->band--;
    p->bands = ceil_div(p->s.out_h, p->band);
    p->band = ceil_div(p->s.out_h, p->bands);
    p->bands = ceil_div(p->s.out_h, p->band);
}

/* Lays out the plane and a worker's memory. */
static Planes planes_of(ConvShape s, int spacing, bool turned)
{
    Planes p = { .s = s, .spacing = spacing, .turned = turned };
    p.slices = s.in / s.groups;
    p.group_out = s.out / s.groups;
    p.blocks = ceil_div(s.out, VEC);
    p.spread = spread_of(&p);
    p.plane_slices = p.spread ? ceil_div(p.slices, VEC) : p.slices;
    p.left = s.pad > 0 ? ceil_div(s.pad, spacing) : 0;
    p.width = 1;
    for (int phase = 0; phase < spacing; phase++) {
        int column, tap = planes_first_tap(&p, phase, &column);
        int taps = every(s.kernel, tap, spacing), count = every(s.out_w, phase, spacing);
        p.width = int_max(p.width, column + p.left + (count + NARROW) * s.stride + taps);
    }
    p.slice_floats = (size_t)p.width * VEC;
    choose_band(&p, size_mul(p.slice_floats, p.plane_slices));
    p.runs = ceil_div(p.blocks, p.joined);
    p.joined = ceil_div(p.blocks, p.runs);
    p.plane_rows = rows_read(&p, p.band);
    p.packed_floats = size_mul((size_t)s.kernel * s.kernel * VEC, p.slices);
    /* Padded, because a narrow strip is computed as a full one. */
    p.row_floats = ((size_t)s.out_w + NARROW * spacing) * VEC;
    size_t plane = size_mul(p.slice_floats, size_mul(p.plane_slices, p.plane_rows));
    p.block_floats = whole_lines(p.packed_floats) + whole_lines(p.row_floats) + whole_lines(plane);
    p.work_floats = size_mul(p.block_floats, p.joined) + THREAD_GAP / sizeof(float);
    return p;
}

Planes planes_forward(const ConvShape *s)
{
    return planes_of(*s, 1, false);
}

Planes planes_backward(const ConvShape *s)
{
    return planes_of(conv_transposed(s), s->stride, true);
}

void planes_set(Planes *p, const Conv *conv, float *work)
{
    p->conv = conv;
    p->work = at_line(work);
}

float *planes_packed(const Planes *p, float *work, int b)
{
    return work + b * p->block_floats;
}

float *planes_row(const Planes *p, float *work, int b)
{
    return planes_packed(p, work, b) + whole_lines(p->packed_floats);
}

float *planes_plane(const Planes *p, float *work, int b)
{
    return planes_row(p, work, b) + whole_lines(p->row_floats);
}

int planes_run(const Planes *p, int run, int *count)
{
    *count = int_min(p->joined, p->blocks - run * p->joined);
    return run * p->joined;
}

int planes_kernel_rows(const Planes *p, int y, int *first_ky, int *in_row)
{
    int ky = modulo(p->s.pad - y * p->s.stride, p->spacing), row = y * p->s.stride + ky - p->s.pad;
    int rows = every(p->s.kernel, ky, p->spacing);
    if (p->spacing > 1)
        row /= p->spacing; /* without a remainder */
    int above = int_max(0, -row);
    *first_ky = ky + above * p->spacing;
    *in_row = row + above;
    return int_max(0, int_min(rows - above, p->s.h - *in_row));
}

/* --- gathering ------------------------------------------------------------------------------- */

void planes_gather_channels(const float *from, size_t stride, int lanes, int count, float *to)
{
    if (lanes == VEC)
        for (int i = 0; i < count; i++) {
            __builtin_prefetch(from + i * stride + VEC);
            vec_store(to + (size_t)i * VEC, vec_load(from + i * stride));
        }
    else
        for (int i = 0; i < count; i++)
            vec_store(to + (size_t)i * VEC, vec_load_part(from + i * stride, lanes));
}

/* The same where lane l is channel[l]. */
static void gather_lanes(const float *from, size_t stride, const int *channel, int count, float *to)
{
    for (int i = 0; i < count; i++, from += stride, to += VEC)
        for (int l = 0; l < VEC; l++)
            to[l] = from[channel[l]];
}

/* Gathers slice `slice` of the plane: `count` pixels of `row`. */
static void gather_slice(const Planes *p, int block, int slice, const float *row, int count,
                         float *to)
{
    int lanes = lanes_of(p, block), first = block * VEC;
    if (p->spread == VEC) {
        first = channel_read(p, first, slice * VEC);
        planes_gather_channels(row + first, p->s.in, VEC, count, to);
    } else if (p->spread || (p->slices == 1 && p->group_out == 1)) {
        planes_gather_channels(row + first, p->s.in, lanes, count, to);
    } else {
        int channel[VEC];
        for (int l = 0; l < VEC; l++)
            channel[l] = channel_read(p, first + (l < lanes ? l : 0), slice);
        gather_lanes(row, p->s.in, channel, count, to);
    }
}

/* Gathers one row of the input, all its slices, into the plane; columns from `used` on are 0. */
static void gather_row(const Planes *p, int block, const float *row, int used, float *plane)
{
    int count = int_max(0, int_min(p->s.w, used - p->left));
    size_t before = (size_t)p->left * VEC, end = before + (size_t)count * VEC;
    for (int j = 0; j < p->plane_slices; j++, plane += p->slice_floats) {
        memset(plane, 0, before * sizeof *plane);
        gather_slice(p, block, j, row, count, plane + before);
        memset(plane + end, 0, (p->slice_floats - end) * sizeof *plane);
    }
}

/* The input rows first … end-1 that output rows start … stop-1 read. */
static void rows_needed(const Planes *p, int start, int stop, int *first, int *end)
{
    int above = start * p->s.stride - p->s.pad,
        below = (stop - 1) * p->s.stride + p->s.kernel - 1 - p->s.pad;
    *first = above > 0 ? ceil_div(above, p->spacing) : 0;
    *end = below < 0 ? 0 : int_min(below / p->spacing + 1, p->s.h);
}

int planes_gather(const Planes *p, const Gather *g, float *work)
{
    size_t row_floats = (size_t)p->s.w * p->s.in;
    const float *x = p->conv->x + (size_t)g->image * p->s.h * row_floats;
    int first, end;
    rows_needed(p, g->start, g->stop, &first, &end);
    for (int b = 0; b < g->count; b++) {
        float *plane = planes_plane(p, work, b);
        for (int row = first; row < end; row++, plane += p->plane_slices * p->slice_floats)
            gather_row(p, g->block + b, x + row * row_floats, g->used, plane);
    }
    return first;
}
