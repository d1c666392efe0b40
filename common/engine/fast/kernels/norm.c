#include "engine/fast/kernels/norm.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/pieces.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Floats that stay in a core's cache between two passes over them. */
enum { CACHED = 1 << 15 };

/* Every function's scratch memory: four rows of doubles for each piece. */
size_t norm_work(size_t rows, int channels)
{
    size_t pieces = rows < MOST_PIECES ? rows : MOST_PIECES;
    return floats_for_doubles(size_mul(4 * pieces, channels));
}

/* Rows start … end of a piece. */
typedef struct {
    size_t start, end;
} Rows;

static Rows rows_of(size_t rows, int channels, int item)
{
    int pieces = piece_count(rows, channels);
    return (Rows){ piece_start(rows, pieces, item), piece_start(rows, pieces, item + 1) };
}

static int few_rows(size_t left)
{
    return left < FEW_ROWS ? (int)left : FEW_ROWS;
}

/* --- moments by channel ---------------------------------------------------------------------- */

typedef struct {
    const float *x;
    size_t rows;
    int channels;
    double *work; /* [pieces, 4, channels]: mean and squares of the piece, then of a block of it */
} Moments;

/* sums[c] += Σ x, or Σ (x - mean[c])² where there is a mean, over a few rows. */
ALWAYS_INLINE void add_moment(const float *x, int rows, int channels, const double *mean,
                              double *sums)
{
    int c = 0;
    for (; c + HALF <= channels; c += HALF) {
        Doubles sum = doubles_load(sums + c);
        for (int r = 0; r < rows; r++) {
            Doubles v = to_doubles(half_load(x + (size_t)r * channels + c));
            if (mean)
                v -= doubles_load(mean + c), v *= v;
            sum += v;
        }
        doubles_store(sums + c, sum);
    }
    for (; c < channels; c++)
        for (int r = 0; r < rows; r++) {
            double v = x[(size_t)r * channels + c];
            if (mean)
                v -= mean[c], v *= v;
            sums[c] += v;
        }
}

/* mean[c] and squares[c] = Σ (x - mean[c])² of a block of rows, in two passes. */
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

/* Moments of `rows` rows joined by those of `more` others (Chan, Golub, LeVeque: "Updating formulae
 * and a pairwise algorithm for computing sample variances", 1979). */
static void join_moments(double rows, double *mean, double *squares, double more,
                         const double *more_mean, const double *more_squares, int channels)
{
    double share = more / (rows + more);
    for (int c = 0; c < channels; c++) {
        double apart = more_mean[c] - mean[c];
        mean[c] += apart * share;
        squares[c] += more_squares[c] + apart * apart * rows * share;
    }
}

static void moments_piece(void *context, int item, int worker)
{
    (void)worker;
    const Moments *m = context;
    int channels = m->channels;
    Rows piece = rows_of(m->rows, channels, item);
    double *mean = m->work + (size_t)item * 4 * channels, *squares = mean + channels;
    double *block_mean = squares + channels, *block_squares = block_mean + channels;
    size_t step = CACHED / channels < FEW_ROWS ? FEW_ROWS : CACHED / channels;
    memset(mean, 0, 2 * (size_t)channels * sizeof *mean);
    for (size_t row = piece.start; row < piece.end; row += step) {
        size_t rows = piece.end - row < step ? piece.end - row : step;
        block_moments(m->x + row * channels, rows, channels, block_mean, block_squares);
        join_moments(row - piece.start, mean, squares, rows, block_mean, block_squares, channels);
    }
}

void channel_moments(const float *x, size_t rows, int channels, float *mean, float *var,
                     float *work)
{
    Moments m = { x, rows, channels, doubles_in(work) };
    int pieces = piece_count(rows, channels);
    parallel_for(pieces, moments_piece, &m);
    double *first = m.work;
    for (int i = 1; i < pieces; i++) {
        Rows piece = rows_of(rows, channels, i);
        const double *next = m.work + (size_t)i * 4 * channels;
        join_moments(piece.start, first, first + channels, piece.end - piece.start, next,
                     next + channels, channels);
    }
    for (int c = 0; c < channels; c++) {
        mean[c] = (float)first[c];
        var[c] = (float)(first[channels + c] / (double)rows);
    }
}

/* --- affine by channel ----------------------------------------------------------------------- */

typedef struct {
    const float *x, *dy;
    size_t rows;
    int channels;
    const float *a, *b, *c; /* repeated, see repeat_channels */
    Act act;
    bool accumulate;
    float *y;
} Affine;

ALWAYS_INLINE void affine_run(Act act, const Affine *f, size_t start, size_t end)
{
    size_t i = start;
    int c = 0;
    for (; i + VEC <= end; i += VEC, c = next_channel(c, f->channels))
        vec_store(f->y + i,
                  act_apply(act, vec_load(f->x + i) * vec_load(f->a + c) + vec_load(f->b + c)));
    if (i < end) {
        Vec x = vec_load_part(f->x + i, end - i);
        Vec y = act_apply(act, x * vec_load(f->a + c) + vec_load(f->b + c));
        vec_store_part(f->y + i, y, end - i);
    }
}

static void affine_piece(void *context, int item, int worker)
{
    (void)worker;
    const Affine *f = context;
    Rows piece = rows_of(f->rows, f->channels, item);
    size_t start = piece.start * f->channels, end = piece.end * f->channels;
    if (f->act == RELU)
        affine_run(RELU, f, start, end);
    else if (f->act == GELU)
        affine_run(GELU, f, start, end);
    else
        affine_run(IDENTITY, f, start, end);
}

void channel_affine(const float *x, size_t rows, int channels, const float *scale,
                    const float *shift, Act act, float *y)
{
    float *a = repeat_channels(scale, channels), *b = repeat_channels(shift, channels);
    Affine f = { .x = x, .rows = rows, .channels = channels, .a = a, .b = b, .act = act, .y = y };
    parallel_for(piece_count(rows, channels), affine_piece, &f);
    free(a);
    free(b);
}

static void channel_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const Affine *f = context;
    Rows piece = rows_of(f->rows, f->channels, item);
    size_t end = piece.end * f->channels;
    int c = 0;
    for (size_t i = piece.start * f->channels; i < end; i += VEC) {
        int lanes = end - i < VEC ? (int)(end - i) : VEC;
        Vec x = vec_load_upto(f->x + i, lanes), dy = vec_load_upto(f->dy + i, lanes);
        Vec dx = vec_load(f->a + c) * dy + (vec_load(f->b + c) * x + vec_load(f->c + c));
        if (f->accumulate)
            dx += vec_load_upto(f->y + i, lanes);
        vec_store_upto(f->y + i, dx, lanes);
        c = next_channel(c, f->channels);
    }
}

void channel_gradient(const float *x, const float *dy, size_t rows, int channels, const float *a,
                      const float *b, const float *c, bool accumulate, float *dx)
{
    float *ra = repeat_channels(a, channels), *rb = repeat_channels(b, channels);
    float *rc = repeat_channels(c, channels);
    Affine f = { x, dy, rows, channels, ra, rb, rc, IDENTITY, accumulate, dx };
    parallel_for(piece_count(rows, channels), channel_gradient_piece, &f);
    free(ra);
    free(rb);
    free(rc);
}

/* --- sums of the gradient by channel --------------------------------------------------------- */

/* What a mean and a rstd belong to. */
typedef enum { OF_CHANNEL, OF_ROW, OF_SET } Of;

/* sum_dy[c] += Σ dy, sum_xhat[c] += Σ dy·(x - mean)·rstd over a few rows, `stride` floats apart.
 * The terms are float, their sums double. */
ALWAYS_INLINE void add_gradient(Of of, const float *x, const float *dy, int rows, size_t stride,
                                int channels, const float *mean, const float *rstd, double *sum_dy,
                                double *sum_xhat)
{
    int c = 0;
    for (; c + HALF <= channels; c += HALF) {
        Doubles sum = doubles_load(sum_dy + c), xhat_sum = doubles_load(sum_xhat + c);
        for (int r = 0; r < rows; r++) {
            size_t at = r * stride + c;
            HalfVec d = half_load(dy + at), v = half_load(x + at);
            HalfVec xhat = of == OF_CHANNEL ? (v - half_load(mean + c)) * half_load(rstd + c)
                           : of == OF_ROW   ? (v - mean[r]) * rstd[r]
                                            : (v - mean[0]) * rstd[0];
            sum += to_doubles(d);
            xhat_sum += to_doubles(d * xhat);
        }
        doubles_store(sum_dy + c, sum);
        doubles_store(sum_xhat + c, xhat_sum);
    }
    for (; c < channels; c++)
        for (int r = 0; r < rows; r++) {
            size_t at = r * stride + c;
            int m = of == OF_CHANNEL ? c : of == OF_ROW ? r : 0;
            sum_dy[c] += dy[at];
            sum_xhat[c] += dy[at] * ((x[at] - mean[m]) * rstd[m]);
        }
}

typedef struct {
    const float *x, *dy;
    size_t rows;
    int channels;
    const float *mean, *rstd;
    double *work; /* [pieces, 2, channels] */
} GradientSums;

static void gradient_sums_piece(void *context, int item, int worker)
{
    (void)worker;
    const GradientSums *g = context;
    int channels = g->channels;
    Rows piece = rows_of(g->rows, channels, item);
    double *sums = g->work + (size_t)item * 2 * channels;
    memset(sums, 0, 2 * (size_t)channels * sizeof *sums);
    for (size_t row = piece.start; row < piece.end; row += FEW_ROWS) {
        size_t at = row * channels;
        add_gradient(OF_CHANNEL, g->x + at, g->dy + at, few_rows(piece.end - row), channels,
                     channels, g->mean, g->rstd, sums, sums + channels);
    }
}

/* What the pieces' sums come to: dy's into one row of floats, dy·xhat's into another. */
static void join_gradient_sums(double *sums, int pieces, int channels, float *sum_dy,
                               float *sum_xhat)
{
    add_pieces(sums, pieces, 2 * channels, 2 * (size_t)channels);
    for (int c = 0; c < channels; c++) {
        sum_dy[c] = (float)sums[c];
        sum_xhat[c] = (float)sums[channels + c];
    }
}

void channel_gradient_sums(const float *x, const float *dy, size_t rows, int channels,
                           const float *mean, const float *rstd, float *sum_dy, float *sum_dy_xhat,
                           float *work)
{
    GradientSums g = { x, dy, rows, channels, mean, rstd, doubles_in(work) };
    int pieces = piece_count(rows, channels);
    parallel_for(pieces, gradient_sums_piece, &g);
    join_gradient_sums(g.work, pieces, channels, sum_dy, sum_dy_xhat);
}

/* --- by set: statistics ---------------------------------------------------------------------- */

typedef struct {
    SetShape shape;
    const float *x, *weight, *bias;
    float eps, *mean, *rstd, *y;
    int pieces;      /* of a set that is cut */
    double *moments; /* [sets, pieces, 2]: mean and squares of each */
} SetNorm;

/* Adds Σ (x - shift) and Σ (x - shift)². */
ALWAYS_INLINE void add_run(const float *x, size_t count, double shift, double *sum, double *squares)
{
    Doubles sums[4] = { { 0 } }, squared[4] = { { 0 } };
    size_t i = 0;
    for (; i + 4 * HALF <= count; i += 4 * HALF) {
        UNROLL(k, 4) {
            Doubles v = to_doubles(half_load(x + i + k * HALF)) - shift;
            sums[k] += v, squared[k] += v * v;
        }
    }
    for (; i + HALF <= count; i += HALF) {
        Doubles v = to_doubles(half_load(x + i)) - shift;
        sums[0] += v, squared[0] += v * v;
    }
    *sum += doubles_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
    *squares += doubles_sum((squared[0] + squared[1]) + (squared[2] + squared[3]));
    for (; i < count; i++) {
        double v = x[i] - shift;
        *sum += v, *squares += v * v;
    }
}

/* mean and squares = Σ (x - mean)² of `rows` runs of `count` floats, `stride` apart. In one pass,
 * from the differences d to the first value: Σ (x - mean)² = Σ d² - (Σ d)²/n. What cancels is
 * n·(mean - first)², which is no more than n times what is left: so few of float64's digits are
 * lost, however far from 0 the values are. */
static void set_moments(const float *x, size_t rows, size_t stride, size_t count, double *mean,
                        double *squares)
{
    double first = x[0], n = (double)rows * count, sum = 0, total = 0;
    for (size_t r = 0; r < rows; r++)
        add_run(x + r * stride, count, first, &sum, &total);
    *mean = first + sum / n;
    total -= sum * sum / n;
    *squares = total < 0 ? 0 : total; /* of equal values, by rounding */
}

static void set_result(const SetNorm *n, size_t set, double mean, double squares)
{
    const SetShape *s = &n->shape;
    double count = (double)s->rows_per_set * (s->channels / s->groups);
    n->mean[set] = (float)mean;
    n->rstd[set] = (float)(1 / sqrt(squares / count + n->eps));
}

/* --- by set: normalisation ------------------------------------------------------------------- */

static void apply_run(const float *x, int channels, float mean, float rstd, const float *weight,
                      const float *bias, float *y)
{
    int c = 0;
    for (; c + VEC <= channels; c += VEC)
        vec_store(y + c,
                  (vec_load(x + c) - mean) * rstd * vec_load(weight + c) + vec_load(bias + c));
    if (c + HALF <= channels) {
        HalfVec xhat = (half_load(x + c) - mean) * rstd;
        half_store(y + c, xhat * half_load(weight + c) + half_load(bias + c));
        c += HALF;
    }
    if (c < channels) {
        int lanes = channels - c;
        Vec xhat = (vec_load_part(x + c, lanes) - mean) * rstd;
        Vec v = xhat * vec_load_part(weight + c, lanes) + vec_load_part(bias + c, lanes);
        vec_store_part(y + c, v, lanes);
    }
}

/* y of a row, by the statistics of its set. */
static void apply_row(const SetNorm *n, size_t row, size_t set)
{
    const SetShape *s = &n->shape;
    int width = s->channels / s->groups;
    for (int g = 0; g < s->groups; g++) {
        size_t at = row * s->channels + g * width, m = set * s->groups + g;
        apply_run(n->x + at, width, n->mean[m], n->rstd[m], n->weight + g * width,
                  n->bias + g * width, n->y + at);
    }
}

static void apply_rows(const SetNorm *n, size_t start, size_t end)
{
    const SetShape *s = &n->shape;
    size_t set = start / s->rows_per_set, row_in_set = start % s->rows_per_set;
    for (size_t row = start; row < end; row++) {
        apply_row(n, row, set);
        if (++row_in_set == s->rows_per_set)
            row_in_set = 0, set++;
    }
}

static size_t rows_in(const SetShape *s)
{
    return size_mul(s->sets, s->rows_per_set);
}

static void apply_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetNorm *n = context;
    Rows piece = rows_of(rows_in(&n->shape), n->shape.channels, item);
    apply_rows(n, piece.start, piece.end);
}

static void apply_all(SetNorm *n)
{
    parallel_for(piece_count(rows_in(&n->shape), n->shape.channels), apply_piece, n);
}

void set_norm_apply(const SetShape *s, const float *x, const float *weight, const float *bias,
                    const float *mean, const float *rstd, float *y)
{
    SetNorm n = { .shape = *s, .x = x, .weight = weight, .bias = bias, .y = y };
    n.mean = (float *)mean, n.rstd = (float *)rstd; /* only read */
    apply_all(&n);
}

/* A run of whole sets that fit the cache: statistics and normalisation at once. */
static void whole_sets_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetNorm *n = context;
    const SetShape *s = &n->shape;
    size_t set_floats = s->rows_per_set * s->channels, width = s->channels / s->groups;
    int pieces = piece_count(s->sets, set_floats);
    size_t end = piece_start(s->sets, pieces, item + 1);
    for (size_t set = piece_start(s->sets, pieces, item); set < end; set++) {
        const float *x = n->x + set * set_floats;
        double mean, squares;
        for (int g = 0; g < s->groups; g++) {
            if (s->groups == 1)
                set_moments(x, 1, 0, set_floats, &mean, &squares);
            else
                set_moments(x + g * width, s->rows_per_set, s->channels, width, &mean, &squares);
            set_result(n, set * s->groups + g, mean, squares);
        }
        for (size_t row = 0; n->y && row < s->rows_per_set; row++)
            apply_row(n, set * s->rows_per_set + row, set);
    }
}

/* A piece of a set that does not fit the cache. */
static void cut_set_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetNorm *n = context;
    size_t floats = n->shape.rows_per_set * n->shape.channels, set = item / n->pieces;
    size_t start = piece_start(floats, n->pieces, item % n->pieces);
    size_t end = piece_start(floats, n->pieces, item % n->pieces + 1);
    double *moments = n->moments + 2 * (size_t)item;
    set_moments(n->x + set * floats + start, 1, 0, end - start, moments, moments + 1);
}

static void cut_sets(SetNorm *n)
{
    const SetShape *s = &n->shape;
    size_t floats = s->rows_per_set * s->channels, items = size_mul(s->sets, n->pieces);
    n->moments = mem_alloc(items, 2 * sizeof *n->moments);
    parallel_for((int)items, cut_set_piece, n);
    for (size_t set = 0; set < s->sets; set++) {
        double *first = n->moments + 2 * set * n->pieces;
        for (int p = 1; p < n->pieces; p++) {
            size_t start = piece_start(floats, n->pieces, p);
            size_t end = piece_start(floats, n->pieces, p + 1);
            join_moments(start, first, first + 1, end - start, first + 2 * p, first + 2 * p + 1, 1);
        }
        set_result(n, set, first[0], first[1]);
    }
    free(n->moments);
    if (n->y)
        apply_all(n);
}

void set_norm_run(const SetShape *s, const float *x, float eps, const float *weight,
                  const float *bias, float *mean, float *rstd, float *y)
{
    SetNorm n = { *s, x, weight, bias, eps, mean, rstd, y, 1, NULL };
    size_t floats = s->rows_per_set * s->channels;
    n.pieces = (int)(floats / CACHED + (floats % CACHED != 0));
    if (s->groups == 1 && n.pieces > 1)
        cut_sets(&n);
    else
        parallel_for(piece_count(s->sets, floats), whole_sets_piece, &n);
}

/* --- by set: gradient ------------------------------------------------------------------------ */

typedef struct {
    SetShape shape;
    const float *x, *dy, *weight, *mean, *rstd;
    bool accumulate;
    float *dx;
    int pieces;    /* of each set (where they are few) or of all rows or sets */
    double *work;  /* [pieces, 2 or 4, channels] */
    float *shares; /* [sets, groups, 2]: what of g = w·dy is taken off dx, see gradient_run */
} SetGradient;

/* With g = w·dy and means over the set: dx (+)= (g - mean(g) - xhat·mean(g·xhat))·rstd. */
static void gradient_run(const SetGradient *n, size_t at, int c, int channels, size_t set,
                         float mean_g, float mean_gx)
{
    float mean = n->mean[set], rstd = n->rstd[set];
    const float *x = n->x + at, *dy = n->dy + at, *weight = n->weight + c;
    float *dx = n->dx + at;
    for (int i = 0; i < channels; i += VEC) {
        int lanes = channels - i < VEC ? channels - i : VEC;
        Vec g = vec_load_upto(weight + i, lanes) * vec_load_upto(dy + i, lanes);
        Vec xhat = (vec_load_upto(x + i, lanes) - mean) * rstd;
        Vec v = (g - mean_g - xhat * mean_gx) * rstd;
        if (n->accumulate)
            v += vec_load_upto(dx + i, lanes);
        vec_store_upto(dx + i, v, lanes);
    }
}

/* mean(g) and mean(g·xhat) of one row that is a set. */
static void row_shares(const SetGradient *n, size_t row, float *mean_g, float *mean_gx)
{
    int channels = n->shape.channels, c = 0;
    const float *x = n->x + row * channels, *dy = n->dy + row * channels;
    float mean = n->mean[row], rstd = n->rstd[row];
    Doubles sum_g = { 0 }, sum_gx = { 0 };
    for (; c + HALF <= channels; c += HALF) {
        HalfVec g = half_load(n->weight + c) * half_load(dy + c);
        sum_g += to_doubles(g);
        sum_gx += to_doubles(g * ((half_load(x + c) - mean) * rstd));
    }
    double total_g = doubles_sum(sum_g), total_gx = doubles_sum(sum_gx);
    for (; c < channels; c++) {
        float g = n->weight[c] * dy[c];
        total_g += g;
        total_gx += g * ((x[c] - mean) * rstd);
    }
    *mean_g = (float)(total_g / channels);
    *mean_gx = (float)(total_gx / channels);
}

/* Layer norm: a few rows at a time, first the sums by channel, then dx, which may be dy. */
static void row_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    int channels = n->shape.channels;
    Rows piece = rows_of(n->shape.sets, channels, item);
    double *sums = n->work + (size_t)item * 2 * channels;
    memset(sums, 0, 2 * (size_t)channels * sizeof *sums);
    for (size_t row = piece.start; row < piece.end; row += FEW_ROWS) {
        int rows = few_rows(piece.end - row);
        size_t at = row * channels;
        add_gradient(OF_ROW, n->x + at, n->dy + at, rows, channels, channels, n->mean + row,
                     n->rstd + row, sums, sums + channels);
        for (int r = 0; n->dx && r < rows; r++) {
            float mean_g, mean_gx;
            row_shares(n, row + r, &mean_g, &mean_gx);
            gradient_run(n, at + (size_t)r * channels, 0, channels, row + r, mean_g, mean_gx);
        }
    }
}

/* sums = Σ dy and Σ dy·xhat by channel, over rows start … end of one set. */
static void set_channel_sums(const SetGradient *n, size_t set, Rows rows, double *sums)
{
    const SetShape *s = &n->shape;
    int width = s->channels / s->groups;
    memset(sums, 0, 2 * (size_t)s->channels * sizeof *sums);
    for (size_t row = rows.start; row < rows.end; row += FEW_ROWS)
        for (int g = 0; g < s->groups; g++) {
            size_t at = (set * s->rows_per_set + row) * s->channels + g * width;
            size_t m = set * s->groups + g;
            add_gradient(OF_SET, n->x + at, n->dy + at, few_rows(rows.end - row), s->channels,
                         width, n->mean + m, n->rstd + m, sums + g * width,
                         sums + s->channels + g * width);
        }
}

/* mean(g) and mean(g·xhat) of each group of a set: its sums by channel, weighted. */
static void set_shares(const SetGradient *n, const double *sums, float *shares)
{
    const SetShape *s = &n->shape;
    int width = s->channels / s->groups;
    double count = (double)s->rows_per_set * width;
    for (int g = 0; g < s->groups; g++) {
        double total_g = 0, total_gx = 0;
        for (int c = g * width; c < (g + 1) * width; c++) {
            total_g += n->weight[c] * sums[c];
            total_gx += n->weight[c] * sums[s->channels + c];
        }
        shares[2 * g] = (float)(total_g / count);
        shares[2 * g + 1] = (float)(total_gx / count);
    }
}

static void set_gradient_rows(const SetGradient *n, size_t set, Rows rows)
{
    const SetShape *s = &n->shape;
    int width = s->channels / s->groups;
    for (size_t row = rows.start; row < rows.end; row++)
        for (int g = 0; g < s->groups; g++) {
            size_t at = (set * s->rows_per_set + row) * s->channels + g * width;
            const float *share = n->shares + 2 * (set * s->groups + g);
            gradient_run(n, at, g * width, width, set * s->groups + g, share[0], share[1]);
        }
}

/* Many sets: each is one thread's, its sums by channel beside those of the piece. */
static void set_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    const SetShape *s = &n->shape;
    size_t two_rows = 2 * (size_t)s->channels, set = piece_start(s->sets, n->pieces, item);
    double *total = n->work + item * two_rows, *sums = n->work + (n->pieces + item) * two_rows;
    Rows all = { 0, s->rows_per_set };
    memset(total, 0, two_rows * sizeof *total);
    for (; set < piece_start(s->sets, n->pieces, item + 1); set++) {
        set_channel_sums(n, set, all, sums);
        for (size_t c = 0; c < two_rows; c++)
            total[c] += sums[c];
        if (n->dx) {
            set_shares(n, sums, n->shares + 2 * set * s->groups);
            set_gradient_rows(n, set, all);
        }
    }
}

/* Few sets: each is cut into pieces, first for its sums … */
static Rows cut_rows(const SetGradient *n, int item, size_t *set)
{
    size_t rows = n->shape.rows_per_set;
    *set = item / n->pieces;
    return (Rows){ piece_start(rows, n->pieces, item % n->pieces),
                   piece_start(rows, n->pieces, item % n->pieces + 1) };
}

static void cut_sums_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    size_t set;
    Rows rows = cut_rows(n, item, &set);
    set_channel_sums(n, set, rows, n->work + (size_t)item * 2 * n->shape.channels);
}

/* … and then for dx. */
static void cut_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    size_t set;
    Rows rows = cut_rows(n, item, &set);
    set_gradient_rows(n, set, rows);
}

/* The pieces' sums end up in the first of each set, and those in the first of all. */
static void cut_set_gradient(SetGradient *n)
{
    const SetShape *s = &n->shape;
    int items = (int)s->sets * n->pieces, columns = 2 * s->channels;
    parallel_for(items, cut_sums_piece, n);
    for (size_t set = 0; set < s->sets; set++) {
        double *sums = n->work + set * n->pieces * columns;
        add_pieces(sums, n->pieces, columns, columns);
        set_shares(n, sums, n->shares + 2 * set * s->groups);
    }
    if (n->dx)
        parallel_for(items, cut_gradient_piece, n);
    add_pieces(n->work, (int)s->sets, columns, (size_t)n->pieces * columns);
}

void set_norm_gradient(const SetShape *s, const float *x, const float *dy, const float *weight,
                       const float *mean, const float *rstd, bool accumulate, float *dx,
                       float *dweight, float *dbias, float *work)
{
    SetGradient n = { *s, x, dy, weight, mean, rstd, accumulate, dx, 1, doubles_in(work), NULL };
    int joined = 1;
    if (s->rows_per_set == 1 && s->groups == 1) {
        joined = n.pieces = piece_count(s->sets, s->channels);
        parallel_for(n.pieces, row_gradient_piece, &n);
    } else {
        n.shares = mem_alloc(size_mul(s->sets, s->groups), 2 * sizeof *n.shares);
        if (s->sets < MOST_PIECES / 4) {
            int most = MOST_PIECES / (int)s->sets;
            n.pieces = piece_count(s->rows_per_set, s->channels);
            n.pieces = n.pieces < most ? n.pieces : most;
            cut_set_gradient(&n);
        } else {
            joined = n.pieces = piece_count(s->sets, s->rows_per_set * s->channels);
            parallel_for(n.pieces, set_gradient_piece, &n);
        }
        free(n.shares);
    }
    join_gradient_sums(n.work, joined, s->channels, dbias, dweight);
}
