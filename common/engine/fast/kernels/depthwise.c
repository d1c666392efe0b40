/* The planes' convolution: forward, and with the kernel turned round the input's gradient. */
#include "engine/fast/kernels/depthwise.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/pieces.h"
#include "engine/fast/kernels/planes.h"
#include "engine/fast/kernels/strip.h"

/* --- packing the weights --------------------------------------------------------------------- */

/* The turned weights are [tap, out, in] of the convolution they turn back: lane l of a block finds
 * that of slice 0 at offset[l], that of slice j at j more. */
static void turned_offsets(const Planes *p, int block, size_t *offset)
{
    for (int l = 0; l < lanes_of(p, block); l++) {
        int o = block * VEC + l;
        offset[l] = (size_t)(o % p->group_out) * p->s.in + channel_read(p, o, 0);
    }
}

/* The weights of one tap and slice: a lane per output channel, 0 in lanes past the last. */
static Vec pack_tap(const Planes *p, int block, int tap, int j, const size_t *offset)
{
    int taps = p->s.kernel * p->s.kernel, lanes = lanes_of(p, block);
    if (!p->turned || (p->slices == 1 && p->group_out == 1)) {
        size_t row = (size_t)(p->turned ? taps - 1 - tap : tap) * p->slices + j;
        return vec_load_upto(p->conv->weight + row * p->s.out + block * VEC, lanes);
    }
    const float *weight = p->conv->weight + (size_t)(taps - 1 - tap) * p->group_out * p->s.in + j;
    float lane[VEC] = { 0 };
    for (int l = 0; l < lanes; l++)
        lane[l] = weight[offset[l]];
    return vec_load(lane);
}

/* Packs the weights that a block needs, [first kx][first ky][ky][slice][kx][VEC]: with a spacing,
 * the taps that are used together lie together. */
static void pack_weights(const Planes *p, int block, float *packed)
{
    size_t offset[VEC];
    int kernel = p->s.kernel;
    turned_offsets(p, block, offset);
    for (int first_kx = 0; first_kx < p->spacing; first_kx++)
        for (int first_ky = 0; first_ky < p->spacing; first_ky++)
            for (int ky = first_ky; ky < kernel; ky += p->spacing)
                for (int j = 0; j < p->slices; j++)
                    for (int kx = first_kx; kx < kernel; kx += p->spacing, packed += VEC)
                        vec_store(packed, pack_tap(p, block, ky * kernel + kx, j, offset));
}

/* A block's packed weights: those packed beforehand, or packed now, to `own`. */
static const float *weight_of(const Planes *p, int block, float *own)
{
    if (p->conv->packed)
        return p->conv->packed + block * p->packed_floats;
    pack_weights(p, block, own);
    return own;
}

/* The number of a kernel's rows or columns before those that are `first` modulo spacing. */
static int taps_before(const Planes *p, int first)
{
    int taps = 0;
    for (int i = 0; i < first; i++)
        taps += every(p->s.kernel, i, p->spacing);
    return taps;
}

/* --- the sum of a strip ---------------------------------------------------------------------- */

/* sum[t] += Σ over taps of x[t·stride + tap]·weight[j][tap], t < tile. */
ALWAYS_INLINE void tile_row(int j, const float *x, const float *weight, int taps, int stride,
                            int group, int tile, Vec *sum)
{
    Vec w[7];
    UNROLL(k, taps)
        w[k] = vec_load(weight + (j * taps + k) * VEC);
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
        FOR_GROUP(group, tile_row, x, weight, taps, stride, group, tile, sum);
    }
    UNROLL(t, tile)
        vec_store(out + ((size_t)at + t) * step, sum[t]);
}

/* Sums all `count` pixels of a strip, the last ones as part of a full tile. */
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

/* Sums with any number of taps and any stride, four pixels at a time. */
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

/* Sums output row y: row[x][VEC]. plane holds the input's rows from plane_row on. */
static void sum_row(const Planes *p, int y, const float *plane, int plane_row, const float *packed,
                    float *row)
{
    int first_ky, in_row, count = planes_kernel_rows(p, y, &first_ky, &in_row);
    int ky_before = taps_before(p, first_ky % p->spacing) + first_ky / p->spacing;
    if (!count) {
        in_row = plane_row;
        ky_before = 0;
    }
    for (int phase = 0; phase < p->spacing; phase++) {
        int column, kx = planes_first_tap(p, phase, &column),
                    taps = every(p->s.kernel, kx, p->spacing);
        size_t kx_before = (size_t)taps_before(p, kx) * p->s.kernel;
        Strip s = { .x = plane + (in_row - plane_row) * p->plane_slices * p->slice_floats +
                         (size_t)(column + p->left) * VEC,
                    .weight = packed + (kx_before + (size_t)ky_before * taps) * p->slices * VEC,
                    .x_step = p->slice_floats,
                    .rows = count * p->plane_slices,
                    .spread = p->spread,
                    .taps = taps,
                    .stride = p->s.stride };
        strip(&s, every(p->s.out_w, phase, p->spacing), row + phase * VEC,
              (size_t)p->spacing * VEC);
    }
}

/* y = act(sums + bias + residual) for one row and block; all pointers at the block's channels. */
ALWAYS_INLINE void finish_pixels(Act act, const Planes *p, const float *row, const float *bias,
                                 const float *residual, int lanes, float *y)
{
    Vec b = bias ? vec_load_upto(bias, lanes) : (Vec){ 0 };
    for (int x = 0; x < p->s.out_w; x++) {
        size_t at = (size_t)x * p->s.out;
        Vec v = vec_load(row + (size_t)x * VEC) + b;
        if (residual)
            v += vec_load_upto(residual + at, lanes);
        vec_store_upto(y + at, act_apply(act, v), lanes);
    }
}

/* The element at which a block's channels of output row y begin. */
static size_t row_at(const Planes *p, int image, int block, int y)
{
    return ((size_t)image * p->s.out_h + y) * p->s.out_w * p->s.out + block * VEC;
}

/* Fetches the row's pixels while the row is summed: they lie far apart, in memory or in another
 * core's cache. */
static void fetch_row(const Planes *p, int image, int block, int y)
{
    const float *to = p->conv->y + row_at(p, image, block, y);
    for (int x = 0; x < p->s.out_w; x++)
        __builtin_prefetch(to + (size_t)x * p->s.out, 1);
}

static void finish_row(const Planes *p, int image, int block, int y, const float *row)
{
    size_t at = row_at(p, image, block, y);
    const float *bias = p->conv->bias ? p->conv->bias + block * VEC : NULL;
    const float *residual = p->conv->residual ? p->conv->residual + at : NULL;
    ACT_CALL(p->conv->act, finish_pixels, p, row, bias, residual, lanes_of(p, block),
             p->conv->y + at);
}

/* --- convolution ----------------------------------------------------------------------------- */

static void conv_task(void *context, int item, int worker)
{
    const Planes *p = context;
    int band = item / p->runs % p->bands, image = item / p->runs / p->bands;
    int blocks, block = planes_run(p, item % p->runs, &blocks);
    int start = band * p->band, stop = int_min(start + p->band, p->s.out_h);
    float *work = p->work + worker * p->work_floats;
    Gather gather = { image, block, blocks, start, stop, p->width };
    int first = planes_gather(p, &gather, work);
    for (int b = 0; b < blocks; b++) {
        const float *packed = weight_of(p, block + b, planes_packed(p, work, b));
        float *row = planes_row(p, work, b);
        for (int y = start; y < stop; y++) {
            fetch_row(p, image, block + b, y);
            sum_row(p, y, planes_plane(p, work, b), first, packed, row);
            finish_row(p, image, block + b, y, row);
        }
    }
}

static void convolve(Planes p, const Conv *conv, float *work)
{
    planes_set(&p, conv, work);
    parallel_for(p.s.n * p.runs * p.bands, conv_task, &p);
}

size_t grouped_packed(const ConvShape *s)
{
    Planes p = planes_forward(s);
    return size_mul(p.packed_floats, p.blocks);
}

void grouped_pack(const ConvShape *s, const float *weight, float *packed)
{
    Planes p = planes_forward(s);
    p.conv = &(Conv){ .weight = weight };
    for (int b = 0; b < p.blocks; b++)
        pack_weights(&p, b, packed + b * p.packed_floats);
}

void grouped_forward(const Conv *c)
{
    convolve(planes_forward(&c->shape), c, c->work);
}

void grouped_backward_input(const ConvShape *s, const float *dy, const float *weight,
                            bool accumulate, float *dx, float *work)
{
    Conv conv = { .x = dy, .weight = weight, .residual = accumulate ? dx : NULL, .y = dx };
    convolve(planes_backward(s), &conv, work);
}
