/* The weight's gradient: each piece of the images is summed by one thread, in the order of packed
 * weights; then the pieces are joined. */
#include "engine/fast/kernels/depthwise.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/pieces.h"
#include "engine/fast/kernels/planes.h"
#include "engine/fast/kernels/strip.h"

#include <string.h>

enum { MOST_WEIGHT_PIECES = 8 };

typedef struct {
    Planes planes;
    const float *dy;
    int pieces;     /* of the images */
    float *partial; /* [pieces, blocks, kernel, slices, kernel, VEC] */
    float *dweight;
} WeightGradient;

/* sums[j][tap] += Σ x[t·stride + tap]·dy[t], t < tile. */
ALWAYS_INLINE void weight_row(int j, const float *x, const Vec *dy, int taps, int stride, int group,
                              int tile, float *sums)
{
    Vec sum[7];
    sums += j * taps * VEC;
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
        FOR_GROUP(group, weight_row, x, d, taps, stride, group, tile, sums);
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

/* Adds what row y of dy gives to the block's sums. row: dy's, a vector per pixel, zeros after the
 * last. */
static void add_row_gradient(const Planes *p, int y, const float *plane, int plane_row,
                             const float *row, float *sums)
{
    int first_ky, in_row, count = planes_kernel_rows(p, y, &first_ky, &in_row);
    if (!count)
        return;
    Strip s = { .x = plane + (in_row - plane_row) * p->plane_slices * p->slice_floats,
                .x_step = p->slice_floats,
                .rows = count * p->plane_slices,
                .spread = p->spread,
                .taps = p->s.kernel,
                .stride = p->s.stride };
    weight_strip(&s, p->s.out_w, row, sums + (size_t)first_ky * p->slices * p->s.kernel * VEC);
}

/* Sets the blocks' sums to the gradient of their weights from one image. */
static void image_gradient(const WeightGradient *w, int image, int block, int blocks, float *work)
{
    const Planes *p = &w->planes;
    int used = (p->s.out_w - 1) * p->s.stride + p->s.kernel;
    for (int b = 0; b < blocks; b++) {
        memset(planes_packed(p, work, b), 0, p->packed_floats * sizeof *work);
        memset(planes_row(p, work, b), 0, p->row_floats * sizeof *work);
    }
    for (int start = 0; start < p->s.out_h; start += p->band) {
        int stop = int_min(start + p->band, p->s.out_h);
        Gather gather = { image, block, blocks, start, stop, used };
        int first = planes_gather(p, &gather, work);
        for (int b = 0; b < blocks; b++)
            for (int y = start; y < stop; y++) {
                size_t at = ((size_t)image * p->s.out_h + y) * p->s.out_w * p->s.out;
                planes_gather_channels(w->dy + at + (block + b) * VEC, p->s.out,
                                       lanes_of(p, block + b), p->s.out_w, planes_row(p, work, b));
                add_row_gradient(p, y, planes_plane(p, work, b), first, planes_row(p, work, b),
                                 planes_packed(p, work, b));
            }
    }
}

static void weight_task(void *context, int item, int worker)
{
    const WeightGradient *w = context;
    const Planes *p = &w->planes;
    int piece = item / p->runs, blocks, block = planes_run(p, item % p->runs, &blocks);
    size_t floats = p->packed_floats;
    float *work = p->work + worker * p->work_floats;
    float *partial = w->partial + ((size_t)piece * p->blocks + block) * floats;
    memset(partial, 0, blocks * floats * sizeof *partial);
    int end = (int)piece_start(p->s.n, w->pieces, piece + 1);
    for (int image = (int)piece_start(p->s.n, w->pieces, piece); image < end; image++) {
        image_gradient(w, image, block, blocks, work);
        for (int b = 0; b < blocks; b++) {
            const float *sums = planes_packed(p, work, b);
            for (size_t i = 0; i < floats; i++)
                partial[b * floats + i] += sums[i];
        }
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

/* Joins a block's gradient, and brings it from the order of the sums to that of the weights. */
static void join_weights(void *context, int block, int worker)
{
    (void)worker;
    const WeightGradient *w = context;
    const Planes *p = &w->planes;
    size_t floats = p->packed_floats, piece_floats = floats * p->blocks;
    const float *from = w->partial + block * floats;
    for (int ky = 0; ky < p->s.kernel; ky++)
        for (int j = 0; j < p->slices; j++)
            for (int kx = 0; kx < p->s.kernel; kx++, from += VEC) {
                size_t row = (size_t)(ky * p->s.kernel + kx) * p->slices + j;
                vec_store_upto(w->dweight + row * p->s.out + block * VEC,
                               add_pieces_of(from, w->pieces, piece_floats), lanes_of(p, block));
            }
}

void grouped_backward_weight(const ConvShape *s, const float *x, const float *dy, float *dweight,
                             float *work)
{
    Conv conv = { .x = x };
    WeightGradient w = { .planes = planes_forward(s), .dy = dy, .dweight = dweight };
    planes_set(&w.planes, &conv, work);
    w.pieces = int_min(s->n, MOST_WEIGHT_PIECES);
    w.partial = w.planes.work + thread_count() * w.planes.work_floats;
    parallel_for(w.pieces * w.planes.runs, weight_task, &w);
    parallel_for(w.planes.blocks, join_weights, &w);
}

size_t grouped_work(const ConvShape *s)
{
    Planes f = planes_forward(s), b = planes_backward(s);
    size_t threads = thread_count(), partial = size_mul(f.packed_floats, f.blocks);
    partial = size_mul(partial, int_min(s->n, MOST_WEIGHT_PIECES));
    size_t forward = size_mul(f.work_floats, threads), backward = size_mul(b.work_floats, threads);
    if (partial > SIZE_MAX / 4 || forward > SIZE_MAX / 4 || backward > SIZE_MAX / 4)
        return SIZE_MAX;
    return LINE + (forward + partial > backward ? forward + partial : backward);
}
