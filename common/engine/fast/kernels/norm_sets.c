/* Norms by set: group norm (a set is a sample's group of channels) and layer norm (a row). */
#include "engine/fast/kernels/norm.h"

#include "base/ints.h"
#include "base/parallel.h"
#include "engine/fast/kernels/norm_sums.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- statistics ------------------------------------------------------------------------------ */

/* Sets that are cut. */
typedef struct {
    const SetNorm *norm;
    int pieces;      /* of a set */
    double *moments; /* [sets, pieces, 2]: mean and squares of each */
} CutSets;

/* Adds Σ (x - shift) and Σ (x - shift)². */
ALWAYS_INLINE void add_run(const float *x, size_t count, double shift, double *sum, double *squares)
{
    Doubles sums[4] = { { 0 } }, squared[4] = { { 0 } };
    size_t i = 0;
    for (; i + 4 * HALF <= count; i += 4 * HALF) {
        UNROLL(k, 4) {
            Doubles v = to_doubles(half_load(x + i + k * HALF)) - shift;
            sums[k] += v;
            squared[k] += v * v;
        }
    }
    for (; i + HALF <= count; i += HALF) {
        Doubles v = to_doubles(half_load(x + i)) - shift;
        sums[0] += v;
        squared[0] += v * v;
    }
    *sum += doubles_sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
    *squares += doubles_sum((squared[0] + squared[1]) + (squared[2] + squared[3]));
    for (; i < count; i++) {
        double v = x[i] - shift;
        *sum += v;
        *squares += v * v;
    }
}

/* The mean and squares = Σ (x - mean)² of `rows` runs of `count` floats, `stride` apart. In one
 * pass, from the differences d to the first value: Σ (x - mean)² = Σ d² - (Σ d)²/n. What cancels is
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

/* --- normalisation --------------------------------------------------------------------------- */

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

/* Normalises a row by the statistics of its set. */
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
        if (++row_in_set == s->rows_per_set) {
            row_in_set = 0;
            set++;
        }
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

void set_norm_apply(const SetNorm *n)
{
    parallel_for(piece_count(rows_in(&n->shape), n->shape.channels), apply_piece, (void *)n);
}

/* Normalises a run of whole sets that fit the cache, right after their statistics. */
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

/* Takes the moments of a piece of a set that does not fit the cache. */
static void cut_set_piece(void *context, int item, int worker)
{
    (void)worker;
    const CutSets *c = context;
    const SetShape *s = &c->norm->shape;
    size_t floats = s->rows_per_set * s->channels, set = item / c->pieces;
    size_t start = piece_start(floats, c->pieces, item % c->pieces);
    size_t end = piece_start(floats, c->pieces, item % c->pieces + 1);
    double *moments = c->moments + 2 * (size_t)item;
    set_moments(c->norm->x + set * floats + start, 1, 0, end - start, moments, moments + 1);
}

static void cut_sets(const SetNorm *n, int pieces)
{
    const SetShape *s = &n->shape;
    size_t floats = s->rows_per_set * s->channels, items = size_mul(s->sets, pieces);
    CutSets cut = { n, pieces, mem_alloc(items, 2 * sizeof *cut.moments) };
    parallel_for((int)items, cut_set_piece, &cut);
    for (size_t set = 0; set < s->sets; set++) {
        double *first = cut.moments + 2 * set * pieces, *next = first;
        for (int p = 1; p < pieces; p++) {
            size_t start = piece_start(floats, pieces, p), end = piece_start(floats, pieces, p + 1);
            next += 2;
            join_moments(&(RowMoments){ start, first, first + 1 },
                         &(RowMoments){ end - start, next, next + 1 }, 1);
        }
        set_result(n, set, first[0], first[1]);
    }
    free(cut.moments);
    if (n->y)
        set_norm_apply(n);
}

void set_norm_run(const SetNorm *n)
{
    const SetShape *s = &n->shape;
    size_t floats = s->rows_per_set * s->channels;
    int pieces = (int)(floats / CACHED + (floats % CACHED != 0));
    if (s->groups == 1 && pieces > 1)
        cut_sets(n, pieces);
    else
        parallel_for(piece_count(s->sets, floats), whole_sets_piece, (void *)n);
}

/* --- gradient -------------------------------------------------------------------------------- */

typedef struct {
    SetNormGradient of;
    int pieces;    /* of each set (where they are few) or of all rows or sets */
    double *work;  /* [pieces, 2 or 4, channels] */
    float *shares; /* [sets, groups, 2]: what of g = w·dy is taken off dx, see gradient_run */
} SetGradient;

/* With g = w·dy and means over the set: dx (+)= (g - mean(g) - xhat·mean(g·xhat))·rstd. */
static void gradient_run(const SetGradient *n, size_t at, int c, int channels, size_t set,
                         float mean_g, float mean_gx)
{
    float mean = n->of.mean[set], rstd = n->of.rstd[set];
    const float *x = n->of.x + at, *dy = n->of.dy + at, *weight = n->of.weight + c;
    float *dx = n->of.dx + at;
    for (int i = 0; i < channels; i += VEC) {
        int lanes = channels - i;
        Vec g = vec_load_upto(weight + i, lanes) * vec_load_upto(dy + i, lanes);
        Vec xhat = (vec_load_upto(x + i, lanes) - mean) * rstd;
        Vec v = (g - mean_g - xhat * mean_gx) * rstd;
        if (n->of.accumulate)
            v += vec_load_upto(dx + i, lanes);
        vec_store_upto(dx + i, v, lanes);
    }
}

/* The shares mean(g) and mean(g·xhat) of one row that is a set. */
static void row_shares(const SetGradient *n, size_t row, float *mean_g, float *mean_gx)
{
    int channels = n->of.shape.channels, c = 0;
    const float *x = n->of.x + row * channels, *dy = n->of.dy + row * channels;
    float mean = n->of.mean[row], rstd = n->of.rstd[row];
    Doubles sum_g = { 0 }, sum_gx = { 0 };
    for (; c + HALF <= channels; c += HALF) {
        HalfVec g = half_load(n->of.weight + c) * half_load(dy + c);
        sum_g += to_doubles(g);
        sum_gx += to_doubles(g * ((half_load(x + c) - mean) * rstd));
    }
    double total_g = doubles_sum(sum_g), total_gx = doubles_sum(sum_gx);
    for (; c < channels; c++) {
        float g = n->of.weight[c] * dy[c];
        total_g += g;
        total_gx += g * ((x[c] - mean) * rstd);
    }
    *mean_g = (float)(total_g / channels);
    *mean_gx = (float)(total_gx / channels);
}

/* Takes a few rows of layer norm at a time, first the sums by channel, then dx, which may be dy. */
static void row_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    int channels = n->of.shape.channels;
    Rows piece = rows_of(n->of.shape.sets, channels, item);
    double *sums = n->work + (size_t)item * 2 * channels;
    memset(sums, 0, 2 * (size_t)channels * sizeof *sums);
    for (size_t row = piece.start; row < piece.end; row += FEW_ROWS) {
        int rows = few_rows(piece.end - row);
        size_t at = row * channels;
        GradientRows g = { .x = n->of.x + at,
                           .dy = n->of.dy + at,
                           .rows = rows,
                           .channels = channels,
                           .stride = channels,
                           .mean = n->of.mean + row,
                           .rstd = n->of.rstd + row };
        add_gradient(OF_ROW, g, sums, sums + channels);
        for (int r = 0; n->of.dx && r < rows; r++) {
            float mean_g, mean_gx;
            row_shares(n, row + r, &mean_g, &mean_gx);
            gradient_run(n, at + (size_t)r * channels, 0, channels, row + r, mean_g, mean_gx);
        }
    }
}

/* sums = Σ dy and Σ dy·xhat by channel, over rows start … end of one set. */
static void set_channel_sums(const SetGradient *n, size_t set, Rows rows, double *sums)
{
    const SetShape *s = &n->of.shape;
    int width = s->channels / s->groups;
    memset(sums, 0, 2 * (size_t)s->channels * sizeof *sums);
    for (size_t row = rows.start; row < rows.end; row += FEW_ROWS)
        for (int g = 0; g < s->groups; g++) {
            size_t at = (set * s->rows_per_set + row) * s->channels + g * width;
            size_t m = set * s->groups + g;
            GradientRows of = { .x = n->of.x + at,
                                .dy = n->of.dy + at,
                                .rows = few_rows(rows.end - row),
                                .channels = width,
                                .stride = s->channels,
                                .mean = n->of.mean + m,
                                .rstd = n->of.rstd + m };
            add_gradient(OF_SET, of, sums + g * width, sums + s->channels + g * width);
        }
}

/* The shares mean(g) and mean(g·xhat) of each group of a set: its sums by channel, weighted. */
static void set_shares(const SetGradient *n, const double *sums, float *shares)
{
    const SetShape *s = &n->of.shape;
    int width = s->channels / s->groups;
    double count = (double)s->rows_per_set * width;
    for (int g = 0; g < s->groups; g++) {
        double total_g = 0, total_gx = 0;
        for (int c = g * width; c < (g + 1) * width; c++) {
            total_g += n->of.weight[c] * sums[c];
            total_gx += n->of.weight[c] * sums[s->channels + c];
        }
        shares[2 * g] = (float)(total_g / count);
        shares[2 * g + 1] = (float)(total_gx / count);
    }
}

static void set_gradient_rows(const SetGradient *n, size_t set, Rows rows)
{
    const SetShape *s = &n->of.shape;
    int width = s->channels / s->groups;
    for (size_t row = rows.start; row < rows.end; row++)
        for (int g = 0; g < s->groups; g++) {
            size_t at = (set * s->rows_per_set + row) * s->channels + g * width;
            const float *share = n->shares + 2 * (set * s->groups + g);
            gradient_run(n, at, g * width, width, set * s->groups + g, share[0], share[1]);
        }
}

/* Takes whole sets where they are many, their sums by channel beside those of the piece. */
static void set_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    const SetShape *s = &n->of.shape;
    size_t two_rows = 2 * (size_t)s->channels, set = piece_start(s->sets, n->pieces, item);
    double *total = n->work + item * two_rows, *sums = n->work + (n->pieces + item) * two_rows;
    Rows all = { 0, s->rows_per_set };
    memset(total, 0, two_rows * sizeof *total);
    for (; set < piece_start(s->sets, n->pieces, item + 1); set++) {
        set_channel_sums(n, set, all, sums);
        for (size_t c = 0; c < two_rows; c++)
            total[c] += sums[c];
        if (n->of.dx) {
            set_shares(n, sums, n->shares + 2 * set * s->groups);
            set_gradient_rows(n, set, all);
        }
    }
}

/* The rows of an item where the sets are few, and each is cut into pieces. */
static Rows cut_rows(const SetGradient *n, int item, size_t *set)
{
    size_t rows = n->of.shape.rows_per_set;
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
    set_channel_sums(n, set, rows, n->work + (size_t)item * 2 * n->of.shape.channels);
}

static void cut_gradient_piece(void *context, int item, int worker)
{
    (void)worker;
    const SetGradient *n = context;
    size_t set;
    Rows rows = cut_rows(n, item, &set);
    set_gradient_rows(n, set, rows);
}

/* Takes the sums of all pieces, joined in the first of each set, then dx, whose shares they make,
 * and joins the sets' sums in the first of all. */
static void cut_set_gradient(SetGradient *n)
{
    const SetShape *s = &n->of.shape;
    int items = (int)s->sets * n->pieces, columns = 2 * s->channels;
    parallel_for(items, cut_sums_piece, n);
    for (size_t set = 0; set < s->sets; set++) {
        double *sums = n->work + set * n->pieces * columns;
        add_pieces(sums, n->pieces, columns, columns);
        set_shares(n, sums, n->shares + 2 * set * s->groups);
    }
    if (n->of.dx)
        parallel_for(items, cut_gradient_piece, n);
    add_pieces(n->work, (int)s->sets, columns, (size_t)n->pieces * columns);
}

void set_norm_gradient(const SetNormGradient *g)
{
    const SetShape *s = &g->shape;
    SetGradient n = { *g, 1, doubles_in(g->work), NULL };
    int joined = 1;
    if (s->rows_per_set == 1 && s->groups == 1) {
        joined = n.pieces = piece_count(s->sets, s->channels);
        parallel_for(n.pieces, row_gradient_piece, &n);
    } else {
        n.shares = mem_alloc(size_mul(s->sets, s->groups), 2 * sizeof *n.shares);
        if (s->sets < MOST_PIECES / 4) {
            n.pieces =
                int_min(piece_count(s->rows_per_set, s->channels), MOST_PIECES / (int)s->sets);
            cut_set_gradient(&n);
        } else {
            joined = n.pieces = piece_count(s->sets, s->rows_per_set * s->channels);
            parallel_for(n.pieces, set_gradient_piece, &n);
        }
        free(n.shares);
    }
    join_gradient_sums(n.work, joined, s->channels, g->dbias, g->dweight);
}
