/* Norms by channel, over all rows: batch norm. */
#include "engine/fast/kernels/norm.h"

#include "base/parallel.h"
#include "engine/fast/kernels/norm_sums.h"

#include <stdlib.h>
#include <string.h>

/* Every function's scratch memory: four rows of doubles for each piece. */
size_t norm_work(size_t rows, int channels)
{
    size_t pieces = rows < MOST_PIECES ? rows : MOST_PIECES;
    return floats_for_doubles(size_mul(4 * pieces, channels));
}

/* --- moments by channel ---------------------------------------------------------------------- */

typedef struct {
    const float *x;
    size_t rows;
    int channels;
    double *work; /* [pieces, 4, channels]: mean and squares of the piece, then of a block of it */
} ChannelMoments;

/* sums[c] += Σ x, or Σ (x - mean[c])² where there is a mean, over a few rows. */
ALWAYS_INLINE void add_moment(const float *x, int rows, int channels, const double *mean,
                              double *sums)
{
    int c = 0;
    for (; c + HALF <= channels; c += HALF) {
        Doubles sum = doubles_load(sums + c);
        for (int r = 0; r < rows; r++) {
            Doubles v = to_doubles(half_load(x + (size_t)r * channels + c));
            if (mean) {
                v -= doubles_load(mean + c);
                v *= v;
            }
            sum += v;
        }
        doubles_store(sums + c, sum);
    }
    for (; c < channels; c++)
        for (int r = 0; r < rows; r++) {
            double v = x[(size_t)r * channels + c];
            if (mean) {
                v -= mean[c];
                v *= v;
            }
            sums[c] += v;
        }
}

/* The moments of a block of rows, in two passes. */
static void block_moments(const float *x, size_t rows, int channels, double *mean, double *squares)
{
    memset(mean, 0, channels * sizeof *mean);
    memset(squares, 0, channels * sizeof *squares);
    for (size_t r = 0; r < rows; r += FEW_ROWS)
        add_moment(x + r * channels, few_rows(rows - r), channels, NULL, mean);
    for (int c = 0; c < channels; c++)
        mean[c] /= (double)rows;
    for (size_t r = 0; r < rows; r += FEW_ROWS)
        add_moment(x + r * channels, few_rows(rows - r), channels, mean, squares);
}

static void moments_piece(void *context, int item, int worker)
{
    (void)worker;
    const ChannelMoments *m = context;
    int channels = m->channels;
    Rows piece = rows_of(m->rows, channels, item);
    double *mean = m->work + (size_t)item * 4 * channels, *squares = mean + channels;
    double *block_mean = squares + channels, *block_squares = block_mean + channels;
    size_t step = CACHED / channels < FEW_ROWS ? FEW_ROWS : CACHED / channels;
    memset(mean, 0, 2 * (size_t)channels * sizeof *mean);
    for (size_t row = piece.start; row < piece.end; row += step) {
        size_t rows = piece.end - row < step ? piece.end - row : step;
        block_moments(m->x + row * channels, rows, channels, block_mean, block_squares);
        join_moments(&(RowMoments){ row - piece.start, mean, squares },
                     &(RowMoments){ rows, block_mean, block_squares }, channels);
    }
}

void channel_moments(const float *x, size_t rows, int channels, float *mean, float *var,
                     float *work)
{
    ChannelMoments m = { x, rows, channels, doubles_in(work) };
    int pieces = piece_count(rows, channels);
    parallel_for(pieces, moments_piece, &m);
    double *first = m.work, *next = first;
    for (int i = 1; i < pieces; i++) {
        Rows piece = rows_of(rows, channels, i);
        next += 4 * (size_t)channels;
        join_moments(&(RowMoments){ piece.start, first, first + channels },
                     &(RowMoments){ piece.end - piece.start, next, next + channels }, channels);
    }
    for (int c = 0; c < channels; c++) {
        mean[c] = (float)first[c];
        var[c] = (float)(first[channels + c] / (double)rows);
    }
}

/* --- affine by channel ----------------------------------------------------------------------- */

typedef struct {
    const float *x;
    size_t rows;
    int channels;
    const float *scale, *shift; /* repeated, see repeat_channels */
    Act act;
    float *y;
} Affine;

ALWAYS_INLINE void affine_run(Act act, const Affine *f, size_t start, size_t end)
{
    size_t i = start;
    int c = 0;
    for (; i + VEC <= end; i += VEC, c = next_channel(c, f->channels))
        vec_store(f->y + i, act_apply(act, vec_load(f->x + i) * vec_load(f->scale + c) +
                                               vec_load(f->shift + c)));
    if (i < end) {
        Vec x = vec_load_part(f->x + i, end - i);
        Vec y = act_apply(act, x * vec_load(f->scale + c) + vec_load(f->shift + c));
        vec_store_part(f->y + i, y, end - i);
    }
}

static void affine_piece(void *context, int item, int worker)
{
    (void)worker;
    const Affine *f = context;
    Rows piece = rows_of(f->rows, f->channels, item);
    size_t start = piece.start * f->channels, end = piece.end * f->channels;
    ACT_CALL(f->act, affine_run, f, start, end);
}

void channel_affine(const float *x, size_t rows, int channels, const float *scale,
                    const float *shift, Act act, float *y)
{
    float *scales = repeat_channels(scale, channels), *shifts = repeat_channels(shift, channels);
    Affine f = { x, rows, channels, scales, shifts, act, y };
    parallel_for(piece_count(rows, channels), affine_piece, &f);
    free(scales);
    free(shifts);
}

/* --- gradient by channel --------------------------------------------------------------------- */

static void gradient_sums_piece(void *context, int item, int worker)
{
    (void)worker;
    const ChannelSums *s = context;
    int channels = s->channels;
    Rows piece = rows_of(s->rows, channels, item);
    double *sums = doubles_in(s->work) + (size_t)item * 2 * channels;
    memset(sums, 0, 2 * (size_t)channels * sizeof *sums);
    for (size_t row = piece.start; row < piece.end; row += FEW_ROWS) {
        GradientRows g = { .x = s->x + row * channels,
                           .dy = s->dy + row * channels,
                           .rows = few_rows(piece.end - row),
                           .channels = channels,
                           .stride = channels,
                           .mean = s->mean,
                           .rstd = s->rstd };
        add_gradient(OF_CHANNEL, g, sums, sums + channels);
    }
}

void channel_gradient_sums(const ChannelSums *s)
{
    int pieces = piece_count(s->rows, s->channels);
    parallel_for(pieces, gradient_sums_piece, (void *)s);
    join_gradient_sums(doubles_in(s->work), pieces, s->channels, s->sum_dy, s->sum_dy_xhat);
}

static void gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const ChannelGradient *g = context; /* a, b and c repeated, see repeat_channels */
    Rows piece = rows_of(g->rows, g->channels, item);
    size_t end = piece.end * g->channels;
    int c = 0;
    for (size_t i = piece.start * g->channels; i < end; i += VEC) {
        int lanes = lanes_left(i, end);
        Vec x = vec_load_upto(g->x + i, lanes), dy = vec_load_upto(g->dy + i, lanes);
        Vec dx = vec_load(g->a + c) * dy + (vec_load(g->b + c) * x + vec_load(g->c + c));
        if (g->accumulate)
            dx += vec_load_upto(g->dx + i, lanes);
        vec_store_upto(g->dx + i, dx, lanes);
        c = next_channel(c, g->channels);
    }
}

void channel_gradient(const ChannelGradient *g)
{
    float *a = repeat_channels(g->a, g->channels), *b = repeat_channels(g->b, g->channels);
    float *c = repeat_channels(g->c, g->channels);
    ChannelGradient repeated = *g;
    repeated.a = a;
    repeated.b = b;
    repeated.c = c;
    parallel_for(piece_count(g->rows, g->channels), gradient_piece, &repeated);
    free(a);
    free(b);
    free(c);
}
