/* Takes some tiles at a time, so that what lies between the changes of basis stays in a cache:
 * values[element][tile][in] go into the products, sums[element][tile][out] come out, for each of
 * the 16 elements of the other basis.
 *
 * Where the packed weight is small every thread takes tiles of its own through all three passes.
 * Where it is large, each thread reading all of it would be the slowest part: then all threads
 * share the same tiles, pass by pass, and each multiplies by some of the elements' weights. A
 * tile's arithmetic is the same in either case, and so are the bits. */
#include "engine/fast/kernels/winograd.h"

#include "base/ints.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/gemm.h"
#include "engine/fast/kernels/pack.h"
#include "engine/fast/kernels/pieces.h"

#include <stdlib.h>

/* A tile has 2x2 outputs; its inputs, and the elements of the other basis, are 4x4. */
enum { TILE = 2, SIDE = 4, ELEMENTS = SIDE * SIDE, TAPS = 3 };

enum {
    LEAST_CHANNELS = 32,
    LEAST_TILES = 28,       /* of an image */
    SMALL_WEIGHT = 1 << 18, /* floats of a packed weight that a thread may read again and again */
    OWN_FLOATS = 1 << 17,   /* of values and sums that a thread takes at a time: a second cache */
    SHARED_FLOATS = 1 << 20 /* the same for all threads together: the third */
};

static int tiles_across(const ConvShape *s)
{
    return ceil_div(s->out_w, TILE);
}

static int tiles_down(const ConvShape *s)
{
    return ceil_div(s->out_h, TILE);
}

bool winograd_fits(const ConvShape *s)
{
    return s->kernel == 3 && s->stride == 1 && s->groups == 1 && s->in % VEC == 0 &&
           s->out % VEC == 0 && s->in >= LEAST_CHANNELS && s->out >= LEAST_CHANNELS &&
           tiles_down(s) * tiles_across(s) >= LEAST_TILES;
}

/* --- the kernel's basis ---------------------------------------------------------------------- */

size_t winograd_packed(const ConvShape *s)
{
    return size_mul(ELEMENTS, gemm_packed(s->in, s->out));
}

/* Element (i, j) of G·g·Gᵀ. */
static float kernel_element(const float *g, size_t tap, int i, int j)
{
    static const double G[SIDE][TAPS] = {
        { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 }, { 0, 0, 1 }
    };
    double sum = 0;
    for (int ky = 0; ky < TAPS; ky++)
        for (int kx = 0; kx < TAPS; kx++)
            sum += G[i][ky] * G[j][kx] * g[(size_t)(ky * TAPS + kx) * tap];
    return (float)sum;
}

void winograd_pack(const ConvShape *s, const float *weight, float *packed)
{
    size_t in = (size_t)s->in, out = (size_t)s->out;
    float *matrix = mem_alloc(size_mul(out, in), sizeof *matrix); /* [out,in] */
    for (int e = 0; e < ELEMENTS; e++, packed += gemm_packed(s->in, s->out)) {
        for (size_t o = 0; o < out; o++)
            for (size_t i = 0; i < in; i++)
                matrix[o * in + i] =
                    kernel_element(weight + o * TAPS * TAPS * in + i, in, e / SIDE, e % SIDE);
        gemm_pack((Matrix){ .data = matrix, .row = 1, .col = in }, s->in, s->out, packed);
    }
    free(matrix);
}

/* --- some tiles ------------------------------------------------------------------------------ */

typedef struct {
    const Conv *conv;
    int first, count; /* the tiles */
    float *values;    /* [element][count][in] and a line more: no two elements on the same sets */
    float *sums;      /* [element][count][out], likewise */
} Tiles;

static size_t values_step(const Tiles *t)
{
    return (size_t)t->count * (size_t)t->conv->shape.in + LINE;
}

static size_t sums_step(const Tiles *t)
{
    return (size_t)t->count * (size_t)t->conv->shape.out + LINE;
}

/* A tile's image and first output pixel. */
static void place_tile(const ConvShape *s, int tile, int *image, int *y, int *x)
{
    *x = tile % tiles_across(s) * TILE;
    *y = tile / tiles_across(s) % tiles_down(s) * TILE;
    *image = tile / tiles_across(s) / tiles_down(s);
}

/* Multiplies four inputs in a row or column by Bᵀ, in place. */
ALWAYS_INLINE void change_inputs(Vec *a, Vec *b, Vec *c, Vec *d)
{
    Vec second = *b + *c, third = *c - *b;
    *a = *a - *c;
    *d = *b - *d;
    *b = second;
    *c = third;
}

/* Multiplies four sums by Aᵀ: two outputs. */
ALWAYS_INLINE void change_sums(Vec a, Vec b, Vec c, Vec d, Vec *first, Vec *second)
{
    *first = a + b + c;
    *second = b - c - d;
}

/* Brings the inputs of tile `at` into the other basis. */
static void change_tile(const Tiles *t, int at)
{
    static const float zeros[VEC];
    const ConvShape *s = &t->conv->shape;
    int image, y, x;
    const float *from[ELEMENTS];
    int step[ELEMENTS]; /* 0 outside the image, where all channels are the same zeros */
    place_tile(s, t->first + at, &image, &y, &x);
    for (int e = 0; e < ELEMENTS; e++) {
        int iy = y - s->pad + e / SIDE, ix = x - s->pad + e % SIDE;
        step[e] = iy >= 0 && iy < s->h && ix >= 0 && ix < s->w;
        from[e] = step[e] ? t->conv->x + (((size_t)image * s->h + iy) * s->w + ix) * s->in : zeros;
    }
    float *to = t->values + (size_t)at * s->in;
    for (int c = 0; c < s->in; c += VEC, to += VEC) {
        Vec v[ELEMENTS];
        UNROLL(e, ELEMENTS)
            v[e] = vec_load(from[e] + c * step[e]);
        UNROLL(i, SIDE)
            change_inputs(&v[i], &v[i + SIDE], &v[i + 2 * SIDE], &v[i + 3 * SIDE]);
        UNROLL(i, SIDE)
            change_inputs(&v[SIDE * i], &v[SIDE * i + 1], &v[SIDE * i + 2], &v[SIDE * i + 3]);
        UNROLL(e, ELEMENTS)
            vec_store(to + e * values_step(t), v[e]);
    }
}

/* Multiplies the values of element e by its weight. */
static void multiply_element(const Tiles *t, int e)
{
    const ConvShape *s = &t->conv->shape;
    gemm_run(
        &(Gemm){ .m = t->count,
                 .n = s->out,
                 .k = s->in,
                 .a = { .data = t->values + e * values_step(t), .row = (size_t)s->in, .col = 1 },
                 .packed_b = t->conv->packed + e * gemm_packed(s->in, s->out),
                 .c = t->sums + e * sums_step(t),
                 .c_row = (size_t)s->out,
                 .work = t->conv->work });
}

/* Makes the outputs of tile `at` of its sums; leaves out those past an odd edge. */
ALWAYS_INLINE void finish_tile(Act act, const Tiles *t, int at)
{
    const ConvShape *s = &t->conv->shape;
    int image, y, x;
    place_tile(s, t->first + at, &image, &y, &x);
    int rows = s->out_h - y, columns = s->out_w - x;
    size_t pixel = (((size_t)image * s->out_h + y) * s->out_w + x) * s->out;
    size_t row = (size_t)s->out_w * s->out;
    const float *from = t->sums + (size_t)at * s->out;
    for (int c = 0; c < s->out; c += VEC, from += VEC) {
        Vec sum[ELEMENTS], half[TILE][SIDE], out[TILE][TILE];
        UNROLL(e, ELEMENTS)
            sum[e] = vec_load(from + e * sums_step(t));
        UNROLL(i, SIDE)
            change_sums(sum[i], sum[i + SIDE], sum[i + 2 * SIDE], sum[i + 3 * SIDE], &half[0][i],
                        &half[1][i]);
        UNROLL(i, TILE)
            change_sums(half[i][0], half[i][1], half[i][2], half[i][3], &out[i][0], &out[i][1]);
        Vec bias = t->conv->bias ? vec_load(t->conv->bias + c) : (Vec){ 0 };
        UNROLL(i, TILE * TILE) {
            int dy = i / TILE, dx = i % TILE;
            if (dy >= rows || dx >= columns)
                continue;
            size_t to = pixel + dy * row + (size_t)(dx * s->out + c);
            Vec v = out[dy][dx] + bias;
            if (t->conv->residual)
                v += vec_load(t->conv->residual + to);
            vec_store(t->conv->y + to, act_apply(act, v));
        }
    }
}

static void finish_tiles(const Tiles *t, int first, int end)
{
    for (int at = first; at < end; at++)
        ACT_CALL(t->conv->act, finish_tile, t, at);
}

/* --- a thread alone -------------------------------------------------------------------------- */

static size_t tile_floats(const ConvShape *s)
{
    return size_mul(ELEMENTS, (size_t)s->in + (size_t)s->out);
}

/* The tiles at a time that fit into so many floats: as many as a product has rows in registers, or
 * a multiple of that. */
static int tiles_in(const ConvShape *s, size_t floats)
{
    size_t all = size_mul(size_mul((size_t)s->n, (size_t)tiles_down(s)), (size_t)tiles_across(s));
    size_t fit = floats / tile_floats(s) / MR * MR;
    fit = fit < MR ? MR : fit;
    return (int)(fit < all ? fit : all);
}

static size_t tiles_work(const ConvShape *s, int tiles)
{
    return size_mul(tile_floats(s), (size_t)tiles) + 2 * ELEMENTS * LINE +
           THREAD_GAP / sizeof(float);
}

static bool is_small(const ConvShape *s)
{
    return winograd_packed(s) <= SMALL_WEIGHT;
}

/* Lays the values and sums of `count` tiles out in memory for them. */
static void lay_out(Tiles *t, int first, int count, float *memory)
{
    t->first = first;
    t->count = count;
    t->values = memory;
    t->sums = memory + ELEMENTS * values_step(t);
}

typedef struct {
    const Tiles *tiles;
    int all, each; /* tiles: of the whole, of an item */
    float *memory; /* for every worker */
} Alone;

static void run_alone(void *context, int item, int worker)
{
    const Alone *a = context;
    Tiles t = *a->tiles;
    int first = item * a->each, left = a->all - first;
    lay_out(&t, first, left < a->each ? left : a->each,
            a->memory + worker * tiles_work(&t.conv->shape, a->each));
    for (int at = 0; at < t.count; at++)
        change_tile(&t, at);
    for (int e = 0; e < ELEMENTS; e++)
        multiply_element(&t, e);
    finish_tiles(&t, 0, t.count);
}

/* --- all threads together -------------------------------------------------------------------- */

/* Tiles that are taken at once where only the basis is changed. */
enum { FEW = 4 };

static void change_few(void *context, int item, int worker)
{
    (void)worker;
    const Tiles *t = context;
    for (int at = item * FEW; at < t->count && at < (item + 1) * FEW; at++)
        change_tile(t, at);
}

static void multiply_one(void *context, int item, int worker)
{
    (void)worker;
    multiply_element(context, item);
}

static void finish_few(void *context, int item, int worker)
{
    (void)worker;
    const Tiles *t = context;
    int end = (item + 1) * FEW;
    finish_tiles(t, item * FEW, end < t->count ? end : t->count);
}

static void run_together(Tiles *t, int all, int each, float *memory)
{
    for (int first = 0; first < all; first += each) {
        lay_out(t, first, all - first < each ? all - first : each, memory);
        parallel_for(ceil_div(t->count, FEW), change_few, t);
        parallel_for(ELEMENTS, multiply_one, t);
        parallel_for(ceil_div(t->count, FEW), finish_few, t);
    }
}

/* --------------------------------------------------------------------------------------------- */

size_t winograd_work(const ConvShape *s)
{
    size_t tiles = is_small(s)
                       ? size_mul((size_t)thread_count(), tiles_work(s, tiles_in(s, OWN_FLOATS)))
                       : tiles_work(s, tiles_in(s, SHARED_FLOATS));
    return gemm_work() + tiles;
}

void winograd_forward(const Conv *c)
{
    const ConvShape *s = &c->shape;
    Tiles tiles = { .conv = c };
    float *memory = c->work + gemm_work();
    int all = s->n * tiles_down(s) * tiles_across(s);
    if (is_small(s)) {
        Alone alone = { &tiles, all, tiles_in(s, OWN_FLOATS), memory };
        parallel_for(ceil_div(all, alone.each), run_alone, &alone);
    } else {
        run_together(&tiles, all, tiles_in(s, SHARED_FLOATS), memory);
    }
}
