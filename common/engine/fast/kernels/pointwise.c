#include "engine/fast/kernels/pointwise.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/pieces.h"

#include <stdlib.h>
#include <string.h>

/* --- flat arrays ----------------------------------------------------------------------------- */

typedef struct {
    const float *a, *b;
    float *y;
    size_t count;
    float factor;
    Act act;
    bool accumulate;
} Flat;

static void flat_for(Flat f, ParallelBody *body)
{
    if (f.count)
        parallel_for(piece_count(f.count, 1), body, &f);
}

/* The first element of piece `item` of the array, and how many it has. */
static size_t flat_piece(const Flat *f, int item, size_t *count)
{
    Rows piece = rows_of(f->count, 1, item);
    *count = piece.end - piece.start;
    return piece.start;
}

/* --- activations ----------------------------------------------------------------------------- */

ALWAYS_INLINE void act_forward_run(Act act, const float *x, size_t count, float *y)
{
    size_t i = 0;
    for (; i + VEC <= count; i += VEC)
        vec_store(y + i, act_apply(act, vec_load(x + i)));
    if (i < count)
        vec_store_part(y + i, act_apply(act, vec_load_part(x + i, count - i)), count - i);
}

static void act_forward_piece(void *context, int item, int worker)
{
    (void)worker;
    const Flat *f = context;
    size_t count, start = flat_piece(f, item, &count);
    ACT_CALL(f->act, act_forward_run, f->a + start, count, f->y + start);
}

void act_forward(Act act, const float *x, size_t count, float *y)
{
    if (act != IDENTITY || x != y)
        flat_for((Flat){ .a = x, .y = y, .count = count, .act = act }, act_forward_piece);
}

ALWAYS_INLINE void act_backward_run(Act act, bool accumulate, const float *x, const float *dy,
                                    size_t count, float *dx)
{
    for (size_t i = 0; i < count; i += VEC) {
        int lanes = lanes_left(i, count);
        Vec v = act_gradient(act, vec_load_upto(x + i, lanes), vec_load_upto(dy + i, lanes));
        if (accumulate)
            v += vec_load_upto(dx + i, lanes);
        vec_store_upto(dx + i, v, lanes);
    }
}

static void act_backward_piece(void *context, int item, int worker)
{
    (void)worker;
    const Flat *f = context;
    size_t count, start = flat_piece(f, item, &count);
    ACT_CALL(f->act, act_backward_run, f->accumulate, f->a + start, f->b + start, count,
             f->y + start);
}

void act_backward(Act act, const float *x, const float *dy, size_t count, bool accumulate,
                  float *dx)
{
    Flat f = { .a = x, .b = dy, .y = dx, .count = count, .act = act, .accumulate = accumulate };
    flat_for(f, act_backward_piece);
}

/* --- sums and multiples of arrays ------------------------------------------------------------ */

static void add_piece(void *context, int item, int worker)
{
    (void)worker;
    const Flat *f = context;
    size_t count, start = flat_piece(f, item, &count);
    for (size_t i = start; i < start + count; i++)
        f->y[i] = f->a[i] + f->b[i];
}

void array_add(const float *a, const float *b, size_t count, float *y)
{
    flat_for((Flat){ .a = a, .b = b, .y = y, .count = count }, add_piece);
}

static void scale_piece(void *context, int item, int worker)
{
    (void)worker;
    const Flat *f = context;
    size_t count, start = flat_piece(f, item, &count);
    for (size_t i = start; i < start + count; i += VEC) {
        int lanes = lanes_left(i, start + count);
        Vec v = vec_load_upto(f->a + i, lanes) * f->factor;
        if (f->accumulate)
            v += vec_load_upto(f->y + i, lanes);
        vec_store_upto(f->y + i, v, lanes);
    }
}

void array_scale(const float *x, float factor, size_t count, bool accumulate, float *y)
{
    Flat f = { .a = x, .y = y, .count = count, .factor = factor, .accumulate = accumulate };
    flat_for(f, scale_piece);
}

/* --- by channel ------------------------------------------------------------------------------ */

typedef struct {
    const float *x, *scale; /* scale: repeated, see repeat_channels */
    size_t rows;
    int channels;
    bool accumulate;
    float *y;
} Scale;

static void channel_scale_piece(void *context, int item, int worker)
{
    (void)worker;
    const Scale *s = context;
    Rows piece = rows_of(s->rows, s->channels, item);
    size_t start = piece.start * s->channels, end = piece.end * s->channels;
    int c = 0;
    for (size_t i = start; i < end; i += VEC) {
        int lanes = lanes_left(i, end);
        Vec v = vec_load_upto(s->x + i, lanes) * vec_load(s->scale + c);
        if (s->accumulate)
            v += vec_load_upto(s->y + i, lanes);
        vec_store_upto(s->y + i, v, lanes);
        c = next_channel(c, s->channels);
    }
}

void channel_scale(const float *x, size_t rows, int channels, const float *scale, bool accumulate,
                   float *y)
{
    float *repeated = repeat_channels(scale, channels);
    Scale s = { x, repeated, rows, channels, accumulate, y };
    parallel_for(piece_count(rows, channels), channel_scale_piece, &s);
    free(repeated);
}

/* --- sums by channel ------------------------------------------------------------------------- */

typedef struct {
    const float *a, *b; /* b may be NULL */
    size_t rows;
    int channels;
    double *sums; /* [pieces, channels] */
} ChannelSum;

/* sums[c] += Σ of a few rows: few, so that sums[c] is read and written seldom. */
static void add_few_rows(const float *a, const float *b, int rows, int channels, double *sums)
{
    int c = 0;
    for (; c + HALF <= channels; c += HALF) {
        Doubles sum = doubles_load(sums + c);
        for (int r = 0; r < rows; r++) {
            size_t at = (size_t)r * channels + c;
            Doubles term = to_doubles(half_load(a + at));
            sum += b ? term * to_doubles(half_load(b + at)) : term;
        }
        doubles_store(sums + c, sum);
    }
    for (; c < channels; c++)
        for (int r = 0; r < rows; r++) {
            size_t at = (size_t)r * channels + c;
            sums[c] += b ? (double)a[at] * b[at] : a[at];
        }
}

static void channel_sum_piece(void *context, int item, int worker)
{
    (void)worker;
    const ChannelSum *s = context;
    Rows piece = rows_of(s->rows, s->channels, item);
    double *sums = s->sums + (size_t)item * s->channels;
    memset(sums, 0, s->channels * sizeof *sums);
    for (size_t row = piece.start; row < piece.end; row += FEW_ROWS) {
        size_t at = row * s->channels;
        add_few_rows(s->a + at, s->b ? s->b + at : NULL, few_rows(piece.end - row), s->channels,
                     sums);
    }
}

size_t channel_sum_work(size_t rows, int channels)
{
    return floats_for_doubles(size_mul(piece_count(rows, channels), channels));
}

void channel_sum(const float *a, const float *b, size_t rows, int channels, float *sum, float *work)
{
    ChannelSum s = { a, b, rows, channels, doubles_in(work) };
    int pieces = piece_count(rows, channels);
    parallel_for(pieces, channel_sum_piece, &s);
    add_pieces(s.sums, pieces, channels, channels);
    for (int c = 0; c < channels; c++)
        sum[c] = (float)s.sums[c];
}
