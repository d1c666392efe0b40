/* Statistics, normalisation and its gradient against their definitions in double. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/kernels/norm.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *random_floats(size_t count, uint64_t stream, double mean)
{
    float *x = mem_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(mean + random_normal((Random){ 3, stream }, i));
    return x;
}

static void check(const char *what, size_t i, double is, double should, double allowed)
{
    cr_assert(fabs(is - should) <= allowed, "%s[%zu] is %.9g, should be %.9g", what, i, is, should);
}

static const struct {
    size_t rows;
    int channels;
} shapes[] = { { 1, 1 },    { 1, 3 },   { 2, 1 },    { 9, 16 },    { 1000, 1 },   { 7, 24 },
               { 333, 24 }, { 49, 37 }, { 3, 3072 }, { 1025, 96 }, { 12544, 17 }, { 500, 384 } };

enum { SHAPES = sizeof shapes / sizeof *shapes };

/* --- by channel ------------------------------------------------------------------------------ */

static void check_moments(size_t rows, int channels, double offset)
{
    float *x = random_floats(rows * channels, 1, offset), *mean = random_floats(channels, 2, 0);
    float *var = random_floats(channels, 3, 0);
    float *work = mem_alloc(norm_work(rows, channels), sizeof *work);
    channel_moments(x, rows, channels, mean, var, work);
    for (int c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (size_t r = 0; r < rows; r++)
            sum += x[r * channels + c];
        sum /= rows;
        for (size_t r = 0; r < rows; r++)
            squares += (x[r * channels + c] - sum) * (x[r * channels + c] - sum);
        check("mean", c, mean[c], sum, 1e-7 * fabs(sum) + 1e-12);
        check("var", c, var[c], squares / rows, 1e-7 * squares / rows + 1e-12);
    }
    free(x);
    free(mean);
    free(var);
    free(work);
}

Test(norm, moments)
{
    for (int s = 0; s < SHAPES; s++) {
        check_moments(shapes[s].rows, shapes[s].channels, 0);
        check_moments(shapes[s].rows, shapes[s].channels, 1000);
    }
}

Test(norm, moments_of_a_constant)
{
    float x[300 * 5], mean[5], var[5], *work = mem_alloc(norm_work(300, 5), sizeof *work);
    for (int i = 0; i < 300 * 5; i++)
        x[i] = 0.1f;
    channel_moments(x, 300, 5, mean, var, work);
    for (int c = 0; c < 5; c++)
        cr_assert(mean[c] == 0.1f && var[c] == 0);
    x[7] = NAN;
    channel_moments(x, 300, 5, mean, var, work);
    for (int c = 0; c < 5; c++)
        cr_assert(!!isnan(mean[c]) == (c == 2) && !!isnan(var[c]) == (c == 2));
    free(work);
}

static double activated(Act act, double x)
{
    return act == RELU ? (x < 0 ? 0 : x) : act == GELU ? x * 0.5 * erfc(-x * sqrt(0.5)) : x;
}

static void check_affine(size_t rows, int channels, Act act, bool in_place)
{
    size_t count = rows * channels;
    float *x = random_floats(count, 1, 0), *scale = random_floats(channels, 2, 0);
    float *shift = random_floats(channels, 3, 0), *y = random_floats(count, in_place ? 1 : 4, 0);
    channel_affine(in_place ? y : x, rows, channels, scale, shift, act, y);
    for (size_t i = 0; i < count; i++) {
        double v = (double)x[i] * scale[i % channels] + shift[i % channels];
        check("affine", i, y[i], activated(act, v), 1e-6 * (1 + fabs(v)));
    }
    free(x);
    free(scale);
    free(shift);
    free(y);
}

Test(norm, affine)
{
    for (int s = 0; s < SHAPES; s++)
        for (int act = IDENTITY; act <= GELU; act++)
            check_affine(shapes[s].rows, shapes[s].channels, act, act == RELU);
}

static void check_channel_sums(size_t rows, int channels)
{
    size_t count = rows * channels;
    float *x = random_floats(count, 1, 3), *dy = random_floats(count, 2, 0);
    float *mean = random_floats(channels, 3, 3), *rstd = random_floats(channels, 4, 2);
    float *sum = random_floats(channels, 5, 0), *sum_xhat = random_floats(channels, 6, 0);
    float *work = mem_alloc(norm_work(rows, channels), sizeof *work);
    channel_gradient_sums(&(ChannelSums){ x, dy, rows, channels, mean, rstd, sum, sum_xhat, work });
    for (int c = 0; c < channels; c++) {
        double a = 0, b = 0, size_a = 0, size_b = 0;
        for (size_t r = 0; r < rows; r++) {
            double d = dy[r * channels + c];
            double term = d * ((double)x[r * channels + c] - mean[c]) * rstd[c];
            a += d, size_a += fabs(d);
            b += term, size_b += fabs(term);
        }
        check("sum_dy", c, sum[c], a, 1e-7 * size_a);
        check("sum_dy_xhat", c, sum_xhat[c], b, 2e-7 * size_b);
    }
    free(x);
    free(dy);
    free(mean);
    free(rstd);
    free(sum);
    free(sum_xhat);
    free(work);
}

static void check_channel_gradient(size_t rows, int channels, bool accumulate, bool in_place)
{
    size_t count = rows * channels;
    float *x = random_floats(count, 1, 0), *dy = random_floats(count, 2, 0);
    float *a = random_floats(channels, 3, 0), *b = random_floats(channels, 4, 0);
    float *c = random_floats(channels, 5, 0), *dx = random_floats(count, in_place ? 2 : 6, 0);
    float *before = random_floats(count, 6, 0);
    channel_gradient(
        &(ChannelGradient){ x, in_place ? dx : dy, rows, channels, a, b, c, accumulate, dx });
    for (size_t i = 0; i < count; i++) {
        int k = i % channels;
        double v = (double)a[k] * dy[i] + (double)b[k] * x[i] + c[k];
        check("dx", i, dx[i], v + (accumulate ? before[i] : 0), 4e-6 * (1 + fabs(v)));
    }
    free(x);
    free(dy);
    free(a);
    free(b);
    free(c);
    free(dx);
    free(before);
}

Test(norm, gradient_by_channel)
{
    for (int s = 0; s < SHAPES; s++) {
        check_channel_sums(shapes[s].rows, shapes[s].channels);
        check_channel_gradient(shapes[s].rows, shapes[s].channels, false, false);
        check_channel_gradient(shapes[s].rows, shapes[s].channels, true, false);
        check_channel_gradient(shapes[s].rows, shapes[s].channels, false, true);
    }
}

/* --- by set: the definition ------------------------------------------------------------------ */

typedef struct {
    SetShape s;
    size_t count, statistics;
    float *x, *dy, *weight, *bias, *mean, *rstd, *work;
} Case;

static Case case_new(size_t sets, size_t rows_per_set, int channels, int groups)
{
    Case c = { .s = { sets, rows_per_set, channels, groups } };
    c.count = sets * rows_per_set * channels;
    c.statistics = sets * groups;
    c.x = random_floats(c.count, 1, 2);
    c.dy = random_floats(c.count, 2, 0);
    c.weight = random_floats(channels, 3, 1);
    c.bias = random_floats(channels, 4, 0);
    c.mean = mem_alloc(c.statistics, sizeof *c.mean);
    c.rstd = mem_alloc(c.statistics, sizeof *c.rstd);
    c.work = mem_alloc(norm_work(sets * rows_per_set, channels), sizeof *c.work);
    return c;
}

static void case_free(Case *c)
{
    free(c->x);
    free(c->dy);
    free(c->weight);
    free(c->bias);
    free(c->mean);
    free(c->rstd);
    free(c->work);
}

/* The set that element i is in. */
static size_t set_of(const SetShape *s, size_t i)
{
    return i / s->channels / s->rows_per_set * s->groups +
           i % s->channels / (s->channels / s->groups);
}

/* mean[set] of `values` (by their sets). */
static double *set_means(const Case *c, const double *values)
{
    double *mean = mem_alloc(c->statistics, sizeof *mean);
    for (size_t i = 0; i < c->count; i++)
        mean[set_of(&c->s, i)] += values[i] / ((double)c->count / c->statistics);
    return mean;
}

/* The normalised x, and rstd by set. */
static double *normalised(const Case *c, const float *x, double eps, double **rstd)
{
    double *xhat = mem_alloc(c->count, sizeof *xhat), *square = mem_alloc(c->count, sizeof *xhat);
    for (size_t i = 0; i < c->count; i++)
        xhat[i] = x[i];
    double *mean = set_means(c, xhat);
    for (size_t i = 0; i < c->count; i++) {
        xhat[i] -= mean[set_of(&c->s, i)];
        square[i] = xhat[i] * xhat[i];
    }
    *rstd = set_means(c, square);
    for (size_t set = 0; set < c->statistics; set++)
        (*rstd)[set] = 1 / sqrt((*rstd)[set] + eps);
    for (size_t i = 0; i < c->count; i++)
        xhat[i] *= (*rstd)[set_of(&c->s, i)];
    free(mean);
    free(square);
    return xhat;
}

/* --- by set: checks -------------------------------------------------------------------------- */

enum { EPS_INVERSE = 100000 };

static void check_forward(Case *c, const double *xhat, const double *rstd)
{
    float *y = random_floats(c->count, 5, 0), *again = random_floats(c->count, 1, 2);
    SetNorm n = { c->s, c->x, c->weight, c->bias, 1.0f / EPS_INVERSE, c->mean, c->rstd, y };
    set_norm_run(&n);
    for (size_t i = 0; i < c->count; i++)
        check("y", i, y[i], xhat[i] * c->weight[i % c->s.channels] + c->bias[i % c->s.channels],
              4e-6 * (1 + fabs(xhat[i])) * (1 + rstd[set_of(&c->s, i)]));
    for (size_t set = 0; set < c->statistics; set++)
        check("rstd", set, c->rstd[set], rstd[set], 1e-6 * rstd[set]);
    n.x = n.y = again;
    set_norm_apply(&n);
    cr_assert_eq(memcmp(y, again, c->count * sizeof *y), 0, "applied is what was normalised");
    float *mean = mem_alloc(c->statistics, sizeof *mean);
    n.x = c->x, n.mean = mean, n.y = NULL;
    set_norm_run(&n);
    cr_assert_eq(memcmp(mean, c->mean, c->statistics * sizeof *mean), 0, "statistics only");
    free(mean);
    free(y);
    free(again);
}

/* dx in double: (g - mean(g) - xhat·mean(g·xhat))·rstd with g = w·dy. */
static double *input_gradient(const Case *c, const double *xhat, const double *rstd)
{
    double *g = mem_alloc(c->count, sizeof *g), *gx = mem_alloc(c->count, sizeof *gx);
    for (size_t i = 0; i < c->count; i++) {
        g[i] = (double)c->dy[i] * c->weight[i % c->s.channels];
        gx[i] = g[i] * xhat[i];
    }
    double *mean_g = set_means(c, g), *mean_gx = set_means(c, gx);
    for (size_t i = 0; i < c->count; i++) {
        size_t set = set_of(&c->s, i);
        g[i] = (g[i] - mean_g[set] - xhat[i] * mean_gx[set]) * rstd[set];
    }
    free(gx);
    free(mean_g);
    free(mean_gx);
    return g;
}

static void check_parameters(const Case *c, const double *xhat, const float *dweight,
                             const float *dbias)
{
    int channels = c->s.channels;
    for (int k = 0; k < channels; k++) {
        double sum = 0, weighted = 0, size = 0, weighted_size = 0;
        for (size_t i = k; i < c->count; i += channels) {
            sum += c->dy[i], size += fabs(c->dy[i]);
            weighted += c->dy[i] * xhat[i], weighted_size += fabs(c->dy[i] * xhat[i]);
        }
        check("dbias", k, dbias[k], sum, 1e-7 * size);
        check("dweight", k, dweight[k], weighted, 4e-6 * (size + weighted_size));
    }
}

static void check_gradient(Case *c, const double *xhat, const double *rstd, bool accumulate,
                           bool in_place)
{
    float *dx = random_floats(c->count, in_place ? 2 : 7, 0),
          *before = random_floats(c->count, 7, 0);
    float *dweight = random_floats(c->s.channels, 8, 0),
          *dbias = random_floats(c->s.channels, 9, 0);
    double *expected = input_gradient(c, xhat, rstd);
    SetNormGradient g = { .shape = c->s,
                          .x = c->x,
                          .dy = in_place ? dx : c->dy,
                          .weight = c->weight,
                          .mean = c->mean,
                          .rstd = c->rstd,
                          .accumulate = accumulate,
                          .dx = dx,
                          .dweight = dweight,
                          .dbias = dbias,
                          .work = c->work };
    set_norm_gradient(&g);
    for (size_t i = 0; i < c->count; i++)
        check("dx", i, dx[i], expected[i] + (accumulate ? before[i] : 0),
              8e-6 * (2 + fabs(xhat[i])) * (1 + rstd[set_of(&c->s, i)]) *
                  (1 + rstd[set_of(&c->s, i)]));
    check_parameters(c, xhat, dweight, dbias);
    g.dy = c->dy, g.accumulate = false, g.dx = NULL;
    set_norm_gradient(&g);
    check_parameters(c, xhat, dweight, dbias);
    free(dx);
    free(before);
    free(dweight);
    free(dbias);
    free(expected);
}

static void check_case(size_t sets, size_t rows_per_set, int channels, int groups)
{
    Case c = case_new(sets, rows_per_set, channels, groups);
    double *rstd, *xhat = normalised(&c, c.x, 1.0f / EPS_INVERSE, &rstd);
    check_forward(&c, xhat, rstd);
    check_gradient(&c, xhat, rstd, false, false);
    check_gradient(&c, xhat, rstd, true, false);
    check_gradient(&c, xhat, rstd, false, true);
    free(xhat);
    free(rstd);
    case_free(&c);
}

Test(norm, layer_norm)
{
    for (int s = 0; s < SHAPES; s++)
        if (shapes[s].channels > 1)
            check_case(shapes[s].rows, 1, shapes[s].channels, 1);
}

/* Statistics of one row against two passes in long double. */
static void check_row(const float *x, int channels, float eps)
{
    float mean = NAN, rstd = NAN;
    set_norm_run(&(SetNorm){
        .shape = { 1, 1, channels, 1 }, .x = x, .eps = eps, .mean = &mean, .rstd = &rstd });
    long double sum = 0, squares = 0;
    for (int i = 0; i < channels; i++)
        sum += x[i];
    sum /= channels;
    for (int i = 0; i < channels; i++)
        squares += (x[i] - sum) * (x[i] - sum);
    double should = (double)(1 / sqrtl(squares / channels + eps));
    check("mean", channels, mean, (double)sum, 1e-7 * fabs((double)sum));
    check("rstd", channels, rstd, should, 1e-7 * should);
}

Test(norm, statistics_where_little_is_left_of_large_values)
{
    enum { MOST = 801 };
    float x[MOST];
    for (int channels = 2; channels <= MOST; channels = channels * 3 / 2 + 1) {
        for (int i = 0; i < channels; i++)
            x[i] = 8388608 + (i * 7 % 5 == 0); /* the last digit of a float */
        check_row(x, channels, 0);
        for (int i = 0; i < channels; i++)
            x[i] = i == 0 ? 3e7f : 1e-3f * (float)(i % 9);
        check_row(x, channels, 0);
        for (int i = 0; i < channels; i++)
            x[i] = 0.1f;
        check_row(x, channels, 1e-6f);
    }
}

Test(norm, group_norm_of_one_group)
{
    check_case(1, 3136, 24, 1);
    check_case(1, 3137, 41, 1);
    check_case(3, 784, 96, 1);
    check_case(5, 4, 7, 1);
    check_case(100, 9, 5, 1);
    check_case(1, 1, 8, 1);
    check_case(2, 400, 1, 1);
}

Test(norm, group_norm_of_many_groups)
{
    check_case(1, 100, 24, 3);
    check_case(2, 1, 24, 3);
    check_case(40, 9, 20, 5);
    check_case(3, 3000, 34, 2);
    check_case(2, 50, 6, 6);
}

/* The definition's gradient itself, against finite differences of its forward pass. */
Test(norm, gradient_is_that_of_the_definition)
{
    Case c = case_new(2, 3, 6, 2);
    double *rstd, *xhat = normalised(&c, c.x, 1.0f / EPS_INVERSE, &rstd);
    double *gradient = input_gradient(&c, xhat, rstd);
    for (size_t i = 0; i < c.count; i++) {
        double loss[2], at[2];
        float x = c.x[i];
        for (int side = 0; side < 2; side++) {
            double *unused;
            c.x[i] = x + (side ? 1 : -1) * 0x1p-10f;
            at[side] = c.x[i];
            double *moved = normalised(&c, c.x, 1.0f / EPS_INVERSE, &unused);
            loss[side] = 0;
            for (size_t k = 0; k < c.count; k++)
                loss[side] += c.dy[k] * c.weight[k % 6] * moved[k];
            free(moved);
            free(unused);
        }
        c.x[i] = x;
        check("difference", i, (loss[1] - loss[0]) / (at[1] - at[0]), gradient[i], 1e-4);
    }
    free(gradient);
    free(xhat);
    free(rstd);
    case_free(&c);
}

/* --- threads --------------------------------------------------------------------------------- */

/* Everything that is summed, one after the other. */
static float *all_sums(size_t sets, size_t rows_per_set, int channels, int groups, int threads,
                       size_t *count)
{
    thread_count_set(threads);
    Case c = case_new(sets, rows_per_set, channels, groups);
    *count = 4 * (size_t)channels + 2 * c.count;
    float *all = mem_alloc(*count, sizeof *all), *y = all + 4 * channels, *dx = y + c.count;
    channel_moments(c.x, sets * rows_per_set, channels, all, all + channels, c.work);
    set_norm_run(&(SetNorm){ c.s, c.x, c.weight, c.bias, 1e-5f, c.mean, c.rstd, y });
    set_norm_gradient(&(SetNormGradient){ c.s, c.x, c.dy, c.weight, c.mean, c.rstd, false, dx,
                                          all + 2 * channels, all + 3 * channels, c.work });
    case_free(&c);
    return all;
}

Test(norm, same_bits_for_any_threads)
{
    static const size_t sets[] = { 5000, 1, 3, 50 }, rows[] = { 1, 3000, 700, 30 };
    for (int i = 0; i < 4; i++) {
        size_t count;
        float *one = all_sums(sets[i], rows[i], 36, i == 3 ? 3 : 1, 1, &count);
        for (int threads = 2; threads <= 7; threads += threads == 2 ? 1 : 4) {
            float *many = all_sums(sets[i], rows[i], 36, i == 3 ? 3 : 1, threads, &count);
            cr_assert_eq(memcmp(one, many, count * sizeof *one), 0, "%d threads", threads);
            free(many);
        }
        free(one);
    }
}
