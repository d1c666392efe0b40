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
#include "engine/fast/kernels/depthwise.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/pieces.h"

#include <string.h>

/* --- the convolution as the kernels see it --------------------------------------------------- */

enum {
    WIDE = VEC == 16 ? 14 : 7, /* pixels in registers at once: what 32 or 16 registers can hold */
    NARROW = 7,
    LEAST = 4,
    PLANE_FLOATS = 1 << 16,   /* a task's planes stay in the second level cache */
    JOINED_CHANNELS = 64,     /* side by side that a task takes at most */
    LEAST_BAND = 8,           /* rows: the next band reads the last kernel - 1 input rows again */
    MOST_WEIGHT_PIECES = 8,   /* partial sums of the weight's gradient */
    LINE = 64 / sizeof(float) /* floats in a cache line */
};

typedef struct {
    int n, in_h, in_w, in_channels, out_h, out_w, out_channels;
    int slices;              /* input channels an output channel reads */
    int spread;              /* 0, or a group's channels that the kernel spreads over the lanes */
    int plane_slices;        /* vectors per pixel of the plane */
    int group_out;           /* output channels that read the same ones */
    int kernel, stride, pad; /* pad may be negative */
    int spacing;             /* the input's pixels lie so far apart, zeros between them */
    bool turned;             /* the kernel is turned round, its weights are [tap, out, in] */
    int blocks, bands, band; /* of VEC output channels; of `band` output rows each */
    int joined, runs;        /* blocks side by side that a task takes, and runs of so many */
    int left, width;         /* of the plane: columns before the image, columns in all */
    int plane_rows;          /* input rows that a band reads at most */
    size_t slice_floats;     /* of a row of the plane: width vectors */
    const float *x, *weight, *bias, *residual;
    const float *packed; /* the weight, blocks after blocks; or NULL */
    Act act;
    float *y;
    float *work; /* work_floats for every worker: block_floats for each block of a task */
    size_t work_floats, block_floats;
} Conv;

/* a modulo b, 0 … b-1 for a negative a too. */
static int modulo(int a, int b)
{
    return b == 1 ? 0 : (a % b + b) % b;
}

/* How many of 0 … count-1 are `first` modulo `step`. */
static int every(int count, int first, int step)
{
    if (step == 1)
        return count - first;
    return first < count ? ceil_div(count - first, step) : 0;
}

/* Of the output columns phase, phase + spacing, …: the first tap that meets a value (then every
 * spacing-th does), and the input column that it meets for the first of them. */
static int first_tap(const Conv *c, int phase, int *column)
{
    int tap = modulo(c->pad - phase, c->spacing);
    *column = (phase + tap - c->pad) / c->spacing;
    return tap;
}

static size_t packed_floats(const Conv *c)
{
    return size_mul((size_t)c->kernel * c->kernel * VEC, c->slices);
}

/* A row of results: padded, because a narrow strip is computed as a full one. */
static size_t row_floats(const Conv *c)
{
    return ((size_t)c->out_w + NARROW * c->spacing) * VEC;
}

static size_t plane_floats(const Conv *c)
{
    return size_mul(c->slice_floats, size_mul(c->plane_slices, c->plane_rows));
}

static size_t round_to_line(size_t floats)
{
    return (floats + LINE - 1) / LINE * LINE;
}

static int rows_read(const Conv *c, int out_rows)
{
    return int_min(((out_rows - 1) * c->stride + c->kernel - 1) / c->spacing + 1, c->in_h);
}

/* Groups of 4, 8 or whole vectors of channels, in as many as out, with a 3x3 kernel are worth
 * kernels of their own: they gather the channels as they lie and let each into its group's lanes
 * when it is loaded, so that the plane is no greater than a depthwise one's. */
static int spread_of(const Conv *c)
{
    bool fits = c->kernel == 3 && c->stride == 1 && c->spacing == 1 && c->slices == c->group_out;
    if (!fits || c->slices == 1)
        return 0;
    return c->slices % VEC == 0 ? VEC : c->slices == 4 || c->slices == 8 ? c->slices : 0;
}

/* Joins blocks and cuts rows into bands so that the planes of a task fit the cache. Blocks are
 * joined because a visit to a pixel far from the last one is dear (a page of its own, a row of the
 * memory chips), and much cheaper where it reads or writes a few cache lines. row: a row's floats.
 */
static void choose_band(Conv *c, size_t row)
{
    c->joined = int_min(JOINED_CHANNELS / VEC, c->blocks);
    while (c->joined > 1 && rows_read(c, LEAST_BAND) * row * c->joined > PLANE_FLOATS)
        c->joined--;
    c->band = c->out_h;
    while (c->band > LEAST_BAND && rows_read(c, c->band) * row * c->joined > PLANE_FLOATS)
        c->band--;
    c->bands = ceil_div(c->out_h, c->band);
    c->band = ceil_div(c->out_h, c->bands);
    c->bands = ceil_div(c->out_h, c->band);
}

/* Lays out the plane and a worker's memory. */
static void conv_layout(Conv *c)
{
    c->blocks = (c->out_channels + VEC - 1) / VEC;
    c->spread = spread_of(c);
    c->plane_slices = c->spread ? (c->slices + VEC - 1) / VEC : c->slices;
    c->left = c->pad > 0 ? ceil_div(c->pad, c->spacing) : 0;
    c->width = 1;
    for (int phase = 0; phase < c->spacing; phase++) {
        int column, tap = first_tap(c, phase, &column);
        int taps = every(c->kernel, tap, c->spacing), count = every(c->out_w, phase, c->spacing);
        c->width = int_max(c->width, column + c->left + (count + NARROW) * c->stride + taps);
    }
    c->slice_floats = (size_t)c->width * VEC;
    choose_band(c, size_mul(c->slice_floats, c->plane_slices));
    c->runs = ceil_div(c->blocks, c->joined);
    c->joined = ceil_div(c->blocks, c->runs);
    c->plane_rows = rows_read(c, c->band);
    c->block_floats = round_to_line(packed_floats(c)) + round_to_line(row_floats(c)) +
                      round_to_line(plane_floats(c));
    c->work_floats = size_mul(c->block_floats, c->joined) + THREAD_GAP / sizeof(float);
}

static Conv forward_conv(const Grouped *g)
{
    Conv c = { .n = g->n,
               .in_h = g->h,
               .in_w = g->w,
               .in_channels = g->groups * g->group_in,
               .out_h = g->out_h,
               .out_w = g->out_w,
               .out_channels = g->groups * g->group_out,
               .slices = g->group_in,
               .group_out = g->group_out,
               .kernel = g->kernel,
               .stride = g->stride,
               .pad = g->pad,
               .spacing = 1 };
    conv_layout(&c);
    return c;
}

static Conv backward_conv(const Grouped *g)
{
    Conv c = { .n = g->n,
               .in_h = g->out_h,
               .in_w = g->out_w,
               .in_channels = g->groups * g->group_out,
               .out_h = g->h,
               .out_w = g->w,
               .out_channels = g->groups * g->group_in,
               .slices = g->group_out,
               .group_out = g->group_in,
               .kernel = g->kernel,
               .stride = 1,
               .pad = g->kernel - 1 - g->pad,
               .spacing = g->stride,
               .turned = true };
    conv_layout(&c);
    return c;
}

/* Block b's part of a worker's memory: packed weights (or their gradient's sums), a row of the
 * output, and the plane. */
static float *packed_in(const Conv *c, float *work, int b)
{
    return work + b * c->block_floats;
}

static float *row_in(const Conv *c, float *work, int b)
{
    return packed_in(c, work, b) + round_to_line(packed_floats(c));
}

static float *plane_in(const Conv *c, float *work, int b)
{
    return row_in(c, work, b) + round_to_line(row_floats(c));
}

/* A run's first block, and how many it has. */
static int run_blocks(const Conv *c, int run, int *count)
{
    *count = int_min(c->joined, c->blocks - run * c->joined);
    return run * c->joined;
}

/* --- gathering ------------------------------------------------------------------------------- */

static int lanes_of(const Conv *c, int block)
{
    return int_min(VEC, c->out_channels - block * VEC);
}

/* Input channel of slice j that output channel o reads. */
static int channel_read(const Conv *c, int o, int j)
{
    return o / c->group_out * c->slices + j;
}

/* `count` vectors of one lane per channel from pixels `stride` floats apart; the channels beside
 * them, which will probably be gathered next, are fetched. */
static void gather_channels(const float *from, size_t stride, int lanes, int count, float *to)
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

/* Slice `slice` of the plane: `count` pixels of `row`. */
static void gather_slice(const Conv *c, int block, int slice, const float *row, int count,
                         float *to)
{
    int lanes = lanes_of(c, block), first = block * VEC;
    if (c->spread == VEC) {
        first = channel_read(c, first, slice * VEC);
        gather_channels(row + first, c->in_channels, VEC, count, to);
    } else if (c->spread || (c->slices == 1 && c->group_out == 1)) {
        gather_channels(row + first, c->in_channels, lanes, count, to);
    } else {
        int channel[VEC];
        for (int l = 0; l < VEC; l++)
            channel[l] = channel_read(c, first + (l < lanes ? l : 0), slice);
        gather_lanes(row, c->in_channels, channel, count, to);
    }
}

/* One row of the input, all its slices, into the plane; columns from `used` on are 0. */
static void gather_row(const Conv *c, int block, const float *row, int used, float *plane)
{
    int count = int_max(0, int_min(c->in_w, used - c->left));
    size_t before = (size_t)c->left * VEC, end = before + (size_t)count * VEC;
    for (int j = 0; j < c->plane_slices; j++, plane += c->slice_floats) {
        memset(plane, 0, before * sizeof *plane);
        gather_slice(c, block, j, row, count, plane + before);
        memset(plane + end, 0, (c->slice_floats - end) * sizeof *plane);
    }
}

/* The input rows first … end that output rows start … stop read. */
static void rows_needed(const Conv *c, int start, int stop, int *first, int *end)
{
    int above = start * c->stride - c->pad, below = (stop - 1) * c->stride + c->kernel - 1 - c->pad;
    *first = above > 0 ? ceil_div(above, c->spacing) : 0;
    *end = below < 0 ? 0 : int_min(below / c->spacing + 1, c->in_h);
}

/* Rows first … end of the input into the planes of `count` blocks. */
static void gather_rows(const Conv *c, int image, int block, int count, int first, int end,
                        int used, float *work)
{
    size_t in_floats = (size_t)c->in_w * c->in_channels;
    const float *x = c->x + (size_t)image * c->in_h * in_floats;
    for (int b = 0; b < count; b++)
        for (int row = first; row < end; row++) {
            float *plane = plane_in(c, work, b);
            plane += (size_t)(row - first) * c->plane_slices * c->slice_floats;
            gather_row(c, block + b, x + row * in_floats, used, plane);
        }
}

/* --- packing the weights --------------------------------------------------------------------- */

/* The turned weights are [tap, out, in] of the convolution they turn back: lane l of a block finds
 * that of slice 0 at offset[l], that of slice j at j more. */
static void turned_offsets(const Conv *c, int block, size_t *offset)
{
    for (int l = 0; l < lanes_of(c, block); l++) {
        int o = block * VEC + l;
        offset[l] = (size_t)(o % c->group_out) * c->in_channels + channel_read(c, o, 0);
    }
}

/* One tap and slice: a lane per output channel, 0 in lanes past the last. */
static Vec pack_tap(const Conv *c, int block, int tap, int j, const size_t *offset)
{
    int taps = c->kernel * c->kernel, lanes = lanes_of(c, block);
    if (!c->turned || (c->slices == 1 && c->group_out == 1)) {
        size_t row = (size_t)(c->turned ? taps - 1 - tap : tap) * c->slices + j;
        return vec_load_upto(c->weight + row * c->out_channels + block * VEC, lanes);
    }
    const float *weight = c->weight + (size_t)(taps - 1 - tap) * c->group_out * c->in_channels + j;
    float lane[VEC] = { 0 };
    for (int l = 0; l < lanes; l++)
        lane[l] = weight[offset[l]];
    return vec_load(lane);
}

/* The weights that a block needs, [first kx][first ky][ky][slice][kx][VEC]: with a spacing, the
 * taps that are used together lie together. */
static void pack_weights(const Conv *c, int block, float *packed)
{
    size_t offset[VEC];
    int kernel = c->kernel;
    turned_offsets(c, block, offset);
    for (int first_kx = 0; first_kx < c->spacing; first_kx++)
        for (int first_ky = 0; first_ky < c->spacing; first_ky++)
            for (int ky = first_ky; ky < kernel; ky += c->spacing)
                for (int j = 0; j < c->slices; j++)
                    for (int kx = first_kx; kx < kernel; kx += c->spacing, packed += VEC)
                        vec_store(packed, pack_tap(c, block, ky * kernel + kx, j, offset));
}

/* A block's packed weights: those packed beforehand, or packed now, to `own`. */
static const float *weight_of(const Conv *c, int block, float *own)
{
    if (c->packed)
        return c->packed + block * packed_floats(c);
    pack_weights(c, block, own);
    return own;
}

/* How many of a kernel's rows or columns come before those that are `first` modulo spacing. */
static int taps_before(const Conv *c, int first)
{
    int taps = 0;
    for (int i = 0; i < first; i++)
        taps += every(c->kernel, i, c->spacing);
    return taps;
}

/* --- the sum of a strip ---------------------------------------------------------------------- */

/* Rows of the plane, one after the other, and the taps of each. */
typedef struct {
    const float *x, *weight;
    size_t x_step; /* floats from one row to the next */
    int rows, taps, stride, spread;
} Strip;

#define LANE(l, group, j) ((l) / (group) * (group) + (j))
#define LANES_4(l, group, j)                                                                       \
    LANE(l, group, j), LANE(l + 1, group, j), LANE(l + 2, group, j), LANE(l + 3, group, j)
#define LANES_8(l, group, j) LANES_4(l, group, j), LANES_4(l + 4, group, j)
#if VEC == 16
#define LANES(group, j) LANES_8(0, group, j), LANES_8(8, group, j)
#elif VEC == 8
#define LANES(group, j) LANES_8(0, group, j)
#else
#define LANES(group, j) LANES_4(0, group, j)
#endif
#define SPREAD(group, j) VEC_SHUFFLE(VecInt, v, v, LANES(group, j))

/* Lane l of the result is lane l / 4 · 4 + j of v: each group's channel j. j a constant. */
ALWAYS_INLINE Vec spread_4(Vec v, int j)
{
    return j == 0 ? SPREAD(4, 0) : j == 1 ? SPREAD(4, 1) : j == 2 ? SPREAD(4, 2) : SPREAD(4, 3);
}

ALWAYS_INLINE Vec spread_8(Vec v, int j)
{
    return j == 0   ? SPREAD(8, 0)
           : j == 1 ? SPREAD(8, 1)
           : j == 2 ? SPREAD(8, 2)
           : j == 3 ? SPREAD(8, 3)
           : j == 4 ? SPREAD(8, 4)
           : j == 5 ? SPREAD(8, 5)
           : j == 6 ? SPREAD(8, 6)
                    : SPREAD(8, 7);
}

/* What the output channels read of their group's input channel j. group 1: all lanes, as they are;
 * VEC: one lane for all. */
ALWAYS_INLINE Vec load_spread(const float *x, int group, int j)
{
    if (group == VEC)
        return vec_set(x[j]);
    Vec v = vec_load(x);
    return group == 4 ? spread_4(v, j) : group == 8 ? spread_8(v, j) : v;
}

/* Calls row(j) for the channels of a group, j a constant where lanes must be picked. */
#define FOR_GROUP(group, row)                                                                      \
    do {                                                                                           \
        if (group == VEC) {                                                                        \
            for (int j = 0; j < VEC; j++)                                                          \
                row(j);                                                                            \
            break;                                                                                 \
        }                                                                                          \
        row(0);                                                                                    \
        if (group >= 4) {                                                                          \
            row(1);                                                                                \
            row(2);                                                                                \
            row(3);                                                                                \
        }                                                                                          \
        if (group >= 8) {                                                                          \
            row(4);                                                                                \
            row(5);                                                                                \
            row(6);                                                                                \
            row(7);                                                                                \
        }                                                                                          \
    } while (0)

/* sum[t] += Σ over taps of x[t·stride + tap]·weight[tap], t < tile. */
ALWAYS_INLINE void tile_row(const float *x, const float *weight, int taps, int stride, int group,
                            int j, int tile, Vec *sum)
{
    Vec w[7];
    UNROLL(k, taps)
        w[k] = vec_load(weight + k * VEC);
    UNROLL(i, (tile - 1) * stride + taps) {
        Vec v = load_spread(x + i * VEC, group, j);
        UNROLL(t, tile) {
            int k = i - t * stride;
            if (k >= 0 && k < taps)
                sum[t] += v * w[k];
        }
    }
}

/* out[t·step] = Σ over rows, channels of a group and taps of x·weight, t < tile. With taps, stride,
 * group and tile constants, the tile's sums and a row of weights stay in registers, and each x is
 * loaded once for all the sums it is part of. */
ALWAYS_INLINE void strip_tile(const Strip *s, int at, int taps, int stride, int group, int tile,
                              float *out, size_t step)
{
    Vec sum[WIDE] = { { 0 } };
    const float *x = s->x + (size_t)at * stride * VEC, *weight = s->weight;
    for (int r = 0; r < s->rows; r++, x += s->x_step, weight += group * taps * VEC) {
#define ROW(j) tile_row(x, weight + (j)*taps * VEC, taps, stride, group, j, tile, sum)
        FOR_GROUP(group, ROW);
#undef ROW
    }
    UNROLL(t, tile)
        vec_store(out + ((size_t)at + t) * step, sum[t]);
}

/* All `count` pixels of a strip, the last ones as part of a full tile. */
ALWAYS_INLINE void strip_tiles(const Strip *s, int count, int taps, int stride, int group,
                               float *out, size_t step)
{
    int at = 0;
    for (; stride == 1 && WIDE > NARROW && count - at >= WIDE; at += WIDE)
        strip_tile(s, at, taps, stride, group, WIDE, out, step);
    for (; count - at > LEAST; at += NARROW)
        strip_tile(s, at, taps, stride, group, NARROW, out, step);
    if (at < count)
        strip_tile(s, at, taps, stride, group, LEAST, out, step);
}

/* Any number of taps and any stride, four pixels at a time. */
static void strip_any(const Strip *s, int count, float *out, size_t step)
{
    for (int at = 0; at < count; at += LEAST) {
        Vec sum[LEAST] = { { 0 } };
        const float *x = s->x + (size_t)at * s->stride * VEC, *weight = s->weight;
        size_t apart = (size_t)s->stride * VEC;
        for (int r = 0; r < s->rows; r++, x += s->x_step)
            for (int k = 0; k < s->taps; k++, weight += VEC) {
                Vec w = vec_load(weight);
                UNROLL(t, LEAST)
                    sum[t] += vec_load(x + t * apart + k * VEC) * w;
            }
        UNROLL(t, LEAST)
            vec_store(out + ((size_t)at + t) * step, sum[t]);
    }
}

#define STRIP(taps, stride, group)                                                                 \
    static void strip_##taps##_##stride##_##group(const Strip *s, int count, float *out,           \
                                                  size_t step)                                     \
    {                                                                                              \
        strip_tiles(s, count, taps, stride, group, out, step);                                     \
    }

STRIP(1, 1, 1)
STRIP(2, 1, 1)
STRIP(3, 1, 1)
STRIP(4, 1, 1)
STRIP(5, 1, 1)
STRIP(7, 1, 1)
STRIP(3, 2, 1)
STRIP(5, 2, 1)
STRIP(7, 2, 1)
STRIP(3, 1, 4)
STRIP(3, 1, 8)
STRIP(3, 1, VEC)

/* out[pixel·step], pixel < count and a few more: the sums of a strip. */
static void strip(const Strip *s, int count, float *out, size_t step)
{
    typedef void StripKernel(const Strip *, int, float *, size_t);
    static StripKernel *const kernels[2][8] = { { NULL, strip_1_1_1, strip_2_1_1, strip_3_1_1,
                                                  strip_4_1_1, strip_5_1_1, NULL, strip_7_1_1 },
                                                { NULL, NULL, NULL, strip_3_2_1, NULL, strip_5_2_1,
                                                  NULL, strip_7_2_1 } };
    StripKernel *kernel = s->stride <= 2 && s->taps < 8 ? kernels[s->stride - 1][s->taps] : NULL;
    if (s->spread)
        kernel = s->spread == VEC ? strip_3_1_VEC : s->spread == 8 ? strip_3_1_8 : strip_3_1_4;
    (kernel ? kernel : strip_any)(s, count, out, step);
}

/* --- a row of the output --------------------------------------------------------------------- */

/* The kernel's rows that meet rows of the input for output row y: how many, the first of them, and
 * the input row that it meets. */
static int kernel_rows(const Conv *c, int y, int *first_ky, int *in_row)
{
    int ky = modulo(c->pad - y * c->stride, c->spacing), row = y * c->stride + ky - c->pad;
    int rows = every(c->kernel, ky, c->spacing);
    if (c->spacing > 1)
        row /= c->spacing; /* without a remainder */
    int above = int_max(0, -row);
    *first_ky = ky + above * c->spacing;
    *in_row = row + above;
    return int_max(0, int_min(rows - above, c->in_h - *in_row));
}

/* Sums of output row y: row[x][VEC]. plane holds the input's rows from plane_row on. */
static void sum_row(const Conv *c, int y, const float *plane, int plane_row, const float *packed,
                    float *row)
{
    int first_ky, in_row, count = kernel_rows(c, y, &first_ky, &in_row);
    int ky_before = taps_before(c, first_ky % c->spacing) + first_ky / c->spacing;
    if (!count)
        in_row = plane_row, ky_before = 0;
    for (int phase = 0; phase < c->spacing; phase++) {
        int column, kx = first_tap(c, phase, &column), taps = every(c->kernel, kx, c->spacing);
        size_t kx_before = (size_t)taps_before(c, kx) * c->kernel;
        Strip s = { .x = plane + (in_row - plane_row) * c->plane_slices * c->slice_floats +
                         (size_t)(column + c->left) * VEC,
                    .weight = packed + (kx_before + (size_t)ky_before * taps) * c->slices * VEC,
                    .x_step = c->slice_floats,
                    .rows = count * c->plane_slices,
                    .spread = c->spread,
                    .taps = taps,
                    .stride = c->stride };
        strip(&s, every(c->out_w, phase, c->spacing), row + phase * VEC, (size_t)c->spacing * VEC);
    }
}

/* y = act(sums + bias + residual) for one row and block; all pointers at the block's channels. */
ALWAYS_INLINE void finish_pixels(const Conv *c, Act act, const float *row, const float *bias,
                                 const float *residual, int lanes, float *y)
{
    Vec b = bias ? vec_load_upto(bias, lanes) : (Vec){ 0 };
    for (int x = 0; x < c->out_w; x++) {
        size_t at = (size_t)x * c->out_channels;
        Vec v = vec_load(row + (size_t)x * VEC) + b;
        if (residual)
            v += vec_load_upto(residual + at, lanes);
        vec_store_upto(y + at, act_apply(act, v), lanes);
    }
}

/* Where a block's channels of output row y begin. */
static size_t row_at(const Conv *c, int image, int block, int y)
{
    return ((size_t)image * c->out_h + y) * c->out_w * c->out_channels + block * VEC;
}

/* The row's pixels lie far apart, in memory or in another core's cache: they are fetched while the
 * row is summed. */
static void fetch_row(const Conv *c, int image, int block, int y)
{
    const float *to = c->y + row_at(c, image, block, y);
    for (int x = 0; x < c->out_w; x++)
        __builtin_prefetch(to + (size_t)x * c->out_channels, 1);
}

static void finish_row(const Conv *c, int image, int block, int y, const float *row)
{
    size_t at = row_at(c, image, block, y);
    const float *bias = c->bias ? c->bias + block * VEC : NULL;
    const float *residual = c->residual ? c->residual + at : NULL;
    int lanes = lanes_of(c, block);
    if (c->act == RELU)
        finish_pixels(c, RELU, row, bias, residual, lanes, c->y + at);
    else if (c->act == GELU)
        finish_pixels(c, GELU, row, bias, residual, lanes, c->y + at);
    else
        finish_pixels(c, IDENTITY, row, bias, residual, lanes, c->y + at);
}

/* --- convolution ----------------------------------------------------------------------------- */

static void conv_task(void *context, int item, int worker)
{
    const Conv *c = context;
    int band = item / c->runs % c->bands, image = item / c->runs / c->bands;
    int blocks, block = run_blocks(c, item % c->runs, &blocks);
    int start = band * c->band, stop = int_min(start + c->band, c->out_h), first, end;
    float *work = c->work + worker * c->work_floats;
    rows_needed(c, start, stop, &first, &end);
    gather_rows(c, image, block, blocks, first, end, c->width, work);
    for (int b = 0; b < blocks; b++) {
        const float *packed = weight_of(c, block + b, packed_in(c, work, b));
        float *row = row_in(c, work, b);
        for (int y = start; y < stop; y++) {
            fetch_row(c, image, block + b, y);
            sum_row(c, y, plane_in(c, work, b), first, packed, row);
            finish_row(c, image, block + b, y, row);
        }
    }
}

static float *at_line(float *work)
{
    return (float *)(((uintptr_t)work + 63) & ~(uintptr_t)63);
}

static void convolve(Conv *c, float *work)
{
    c->work = at_line(work);
    parallel_for(c->n * c->runs * c->bands, conv_task, c);
}

size_t grouped_packed(const Grouped *g)
{
    Conv c = forward_conv(g);
    return size_mul(packed_floats(&c), c.blocks);
}

void grouped_pack(const Grouped *g, const float *weight, float *packed)
{
    Conv c = forward_conv(g);
    c.weight = weight;
    for (int b = 0; b < c.blocks; b++)
        pack_weights(&c, b, packed + b * packed_floats(&c));
}

void grouped_forward(const Grouped *g, const float *x, const float *weight, const float *packed,
                     const float *bias, const float *residual, Act act, float *y, float *work)
{
    Conv c = forward_conv(g);
    c.x = x, c.weight = weight, c.packed = packed, c.y = y;
    c.bias = bias, c.residual = residual, c.act = act;
    convolve(&c, work);
}

void grouped_backward_input(const Grouped *g, const float *dy, const float *weight, bool accumulate,
                            float *dx, float *work)
{
    Conv c = backward_conv(g);
    c.x = dy, c.weight = weight, c.y = dx;
    c.residual = accumulate ? dx : NULL;
    convolve(&c, work);
}

/* --- the weight's gradient ------------------------------------------------------------------- */

typedef struct {
    Conv conv;
    const float *dy;
    int pieces;     /* of the images */
    float *partial; /* [pieces, blocks, kernel, slices, kernel, VEC] */
    float *dweight;
} WeightGradient;

/* sums[tap] += Σ x[t·stride + tap]·dy[t], t < tile. */
ALWAYS_INLINE void weight_row(const float *x, const Vec *dy, int taps, int stride, int group, int j,
                              int tile, float *sums)
{
    Vec sum[7];
    UNROLL(k, taps)
        sum[k] = vec_load(sums + k * VEC);
    UNROLL(i, (tile - 1) * stride + taps) {
        Vec v = load_spread(x + i * VEC, group, j);
        UNROLL(t, tile) {
            int k = i - t * stride;
            if (k >= 0 && k < taps)
                sum[k] += v * dy[t];
        }
    }
    UNROLL(k, taps)
        vec_store(sums + k * VEC, sum[k]);
}

/* The same for all rows and a group's channels: dy's tile and a row of sums stay in registers. */
ALWAYS_INLINE void weight_tile(const Strip *s, int at, int taps, int stride, int group, int tile,
                               const float *dy, float *sums)
{
    Vec d[WIDE];
    const float *x = s->x + (size_t)at * stride * VEC;
    UNROLL(t, tile)
        d[t] = vec_load(dy + ((size_t)at + t) * VEC);
    for (int r = 0; r < s->rows; r++, x += s->x_step, sums += group * taps * VEC) {
#define ROW(j) weight_row(x, d, taps, stride, group, j, tile, sums + (j)*taps * VEC)
        FOR_GROUP(group, ROW);
#undef ROW
    }
}

ALWAYS_INLINE void weight_tiles(const Strip *s, int count, int taps, int stride, int group,
                                const float *dy, float *sums)
{
    int at = 0;
    for (; stride == 1 && WIDE > NARROW && count - at >= WIDE; at += WIDE)
        weight_tile(s, at, taps, stride, group, WIDE, dy, sums);
    for (; count - at > LEAST; at += NARROW)
        weight_tile(s, at, taps, stride, group, NARROW, dy, sums);
    if (at < count)
        weight_tile(s, at, taps, stride, group, LEAST, dy, sums);
}

static void weight_any(const Strip *s, int count, const float *dy, float *sums)
{
    const float *x = s->x;
    for (int r = 0; r < s->rows; r++, x += s->x_step)
        for (int k = 0; k < s->taps; k++, sums += VEC) {
            Vec sum = vec_load(sums);
            for (int t = 0; t < count; t++)
                sum += vec_load(x + ((size_t)t * s->stride + k) * VEC) *
                       vec_load(dy + (size_t)t * VEC);
            vec_store(sums, sum);
        }
}

#define WEIGHT(taps, stride, group)                                                                \
    static void weight_##taps##_##stride##_##group(const Strip *s, int count, const float *dy,     \
                                                   float *sums)                                    \
    {                                                                                              \
        weight_tiles(s, count, taps, stride, group, dy, sums);                                     \
    }

WEIGHT(3, 1, 1)
WEIGHT(5, 1, 1)
WEIGHT(7, 1, 1)
WEIGHT(3, 2, 1)
WEIGHT(5, 2, 1)
WEIGHT(7, 2, 1)
WEIGHT(3, 1, 4)
WEIGHT(3, 1, 8)
WEIGHT(3, 1, VEC)

static void weight_strip(const Strip *s, int count, const float *dy, float *sums)
{
    typedef void WeightKernel(const Strip *, int, const float *, float *);
    static WeightKernel *const kernels[2][8] = {
        { NULL, NULL, NULL, weight_3_1_1, NULL, weight_5_1_1, NULL, weight_7_1_1 },
        { NULL, NULL, NULL, weight_3_2_1, NULL, weight_5_2_1, NULL, weight_7_2_1 }
    };
    WeightKernel *kernel = s->stride <= 2 && s->taps < 8 ? kernels[s->stride - 1][s->taps] : NULL;
    if (s->spread)
        kernel = s->spread == VEC ? weight_3_1_VEC : s->spread == 8 ? weight_3_1_8 : weight_3_1_4;
    (kernel ? kernel : weight_any)(s, count, dy, sums);
}

/* What row y of dy adds to the block's sums. row: dy's, a vector a pixel, zeros after the last. */
static void add_row_gradient(const Conv *c, int y, const float *plane, int plane_row,
                             const float *row, float *sums)
{
    int first_ky, in_row, count = kernel_rows(c, y, &first_ky, &in_row);
    if (!count)
        return;
    Strip s = { .x = plane + (in_row - plane_row) * c->plane_slices * c->slice_floats,
                .x_step = c->slice_floats,
                .rows = count * c->plane_slices,
                .spread = c->spread,
                .taps = c->kernel,
                .stride = c->stride };
    weight_strip(&s, c->out_w, row, sums + (size_t)first_ky * c->slices * c->kernel * VEC);
}

/* The blocks' sums = the gradient of their weights from one image. */
static void image_gradient(const WeightGradient *w, int image, int block, int blocks, float *work)
{
    const Conv *c = &w->conv;
    int used = (c->out_w - 1) * c->stride + c->kernel;
    for (int b = 0; b < blocks; b++) {
        memset(packed_in(c, work, b), 0, packed_floats(c) * sizeof *work);
        memset(row_in(c, work, b), 0, row_floats(c) * sizeof *work);
    }
    for (int start = 0; start < c->out_h; start += c->band) {
        int stop = int_min(start + c->band, c->out_h), first, end;
        rows_needed(c, start, stop, &first, &end);
        gather_rows(c, image, block, blocks, first, end, used, work);
        for (int b = 0; b < blocks; b++)
            for (int y = start; y < stop; y++) {
                size_t at = ((size_t)image * c->out_h + y) * c->out_w * c->out_channels;
                gather_channels(w->dy + at + (block + b) * VEC, c->out_channels,
                                lanes_of(c, block + b), c->out_w, row_in(c, work, b));
                add_row_gradient(c, y, plane_in(c, work, b), first, row_in(c, work, b),
                                 packed_in(c, work, b));
            }
    }
}

static void weight_task(void *context, int item, int worker)
{
    const WeightGradient *w = context;
    const Conv *c = &w->conv;
    int piece = item / c->runs, blocks, block = run_blocks(c, item % c->runs, &blocks);
    size_t floats = packed_floats(c);
    float *work = c->work + worker * c->work_floats;
    float *partial = w->partial + ((size_t)piece * c->blocks + block) * floats;
    memset(partial, 0, blocks * floats * sizeof *partial);
    int end = (int)piece_start(c->n, w->pieces, piece + 1);
    for (int image = (int)piece_start(c->n, w->pieces, piece); image < end; image++) {
        image_gradient(w, image, block, blocks, work);
        for (int b = 0; b < blocks; b++)
            for (size_t i = 0; i < floats; i++)
                partial[b * floats + i] += packed_in(c, work, b)[i];
    }
}

/* The sum of a vector in each piece, in their order, in float64. */
static Vec add_pieces_of(const float *from, int pieces, size_t piece_floats)
{
    float lanes[VEC];
    for (int half = 0; half < VEC; half += HALF) {
        Doubles sum = { 0 };
        for (int p = 0; p < pieces; p++)
            sum += to_doubles(half_load(from + p * piece_floats + half));
        HalfVec v = __builtin_convertvector(sum, HalfVec);
        memcpy(lanes + half, &v, sizeof v);
    }
    return vec_load(lanes);
}

/* A block's gradient, from the order of the sums to that of the weights. */
static void join_weights(void *context, int block, int worker)
{
    (void)worker;
    const WeightGradient *w = context;
    const Conv *c = &w->conv;
    size_t floats = packed_floats(c), piece_floats = floats * c->blocks;
    const float *from = w->partial + block * floats;
    for (int ky = 0; ky < c->kernel; ky++)
        for (int j = 0; j < c->slices; j++)
            for (int kx = 0; kx < c->kernel; kx++, from += VEC) {
                size_t row = (size_t)(ky * c->kernel + kx) * c->slices + j;
                vec_store_upto(w->dweight + row * c->out_channels + block * VEC,
                               add_pieces_of(from, w->pieces, piece_floats), lanes_of(c, block));
            }
}

void grouped_backward_weight(const Grouped *g, const float *x, const float *dy, float *dweight,
                             float *work)
{
    WeightGradient w = { .conv = forward_conv(g), .dy = dy, .dweight = dweight };
    w.conv.x = x;
    w.conv.work = at_line(work);
    w.pieces = int_min(g->n, MOST_WEIGHT_PIECES);
    w.partial = w.conv.work + thread_count() * w.conv.work_floats;
    parallel_for(w.pieces * w.conv.runs, weight_task, &w);
    parallel_for(w.conv.blocks, join_weights, &w);
}

size_t grouped_work(const Grouped *g)
{
    Conv f = forward_conv(g), b = backward_conv(g);
    size_t threads = thread_count(), partial = size_mul(packed_floats(&f), f.blocks);
    partial = size_mul(partial, int_min(g->n, MOST_WEIGHT_PIECES));
    size_t forward = size_mul(f.work_floats, threads), backward = size_mul(b.work_floats, threads);
    if (partial > SIZE_MAX / 4 || forward > SIZE_MAX / 4 || backward > SIZE_MAX / 4)
        return SIZE_MAX;
    return LINE + (forward + partial > backward ? forward + partial : backward);
}
