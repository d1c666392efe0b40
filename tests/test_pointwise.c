/* Element by element, against the same in double. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/kernels/pointwise.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *random_floats(size_t count, uint64_t stream)
{
    float *x = mem_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(2 * random_normal((Random){ 5, stream }, i));
    return x;
}

static void check(const char *what, size_t i, double is, double should, double size)
{
    cr_assert(fabs(is - should) <= 1e-6 * size, "%s[%zu] is %.9g, should be %.9g", what, i, is,
              should);
}

static const size_t counts[] = { 0, 1, 3, 8, 15, 16, 17, 1000, 8192, 100003 };

enum { COUNTS = sizeof counts / sizeof *counts };

/* --- activations ----------------------------------------------------------------------------- */

static double activated(Act act, double x)
{
    return act == RELU ? (x < 0 ? 0 : x) : act == GELU ? x * 0.5 * erfc(-x * sqrt(0.5)) : x;
}

static double slope(Act act, double x)
{
    if (act == RELU)
        return x > 0;
    double density = exp(-x * x / 2) / sqrt(2 * acos(-1));
    return act == GELU ? 0.5 * erfc(-x * sqrt(0.5)) + x * density : 1;
}

static void check_act(Act act, size_t count, bool accumulate, bool in_place)
{
    float *x = random_floats(count, 1), *dy = random_floats(count, 2);
    float *y = random_floats(count, in_place ? 1 : 3), *dx = random_floats(count, in_place ? 2 : 4);
    float *before = random_floats(count, 4);
    act_forward(act, in_place ? y : x, count, y);
    act_backward(act, x, in_place ? dx : dy, count, accumulate, dx);
    for (size_t i = 0; i < count; i++) {
        double gradient = dy[i] * slope(act, x[i]) + (accumulate ? before[i] : 0);
        check("y", i, y[i], activated(act, x[i]), 1 + fabs(x[i]));
        check("dx", i, dx[i], gradient, 4 + fabs(dy[i]));
    }
    free(x);
    free(dy);
    free(y);
    free(dx);
    free(before);
}

Test(pointwise, activations)
{
    for (int act = IDENTITY; act <= GELU; act++)
        for (int i = 0; i < COUNTS; i++) {
            check_act(act, counts[i], false, false);
            check_act(act, counts[i], true, false);
            check_act(act, counts[i], false, true);
        }
}

Test(pointwise, nan_stays)
{
    for (int act = IDENTITY; act <= GELU; act++)
        for (int at = 0; at < 37; at++) {
            float x[37] = { 0 }, y[37], dy[37] = { 0 }, dx[37];
            x[at] = NAN;
            dy[at] = NAN;
            act_forward(act, x, 37, y);
            act_backward(act, x, dy, 37, false, dx);
            for (int i = 0; i < 37; i++)
                cr_assert(!!isnan(y[i]) == (i == at) && !!isnan(dx[i]) == (i == at));
        }
}

Test(pointwise, negative_zero_and_the_kink)
{
    float x[3] = { 0, -1, 1 }, dy[3] = { 5, 6, 7 }, dx[3];
    act_backward(RELU, x, dy, 3, false, dx);
    cr_assert(dx[0] == 0 && dx[1] == 0 && dx[2] == 7);
}

/* --- sums and scales ------------------------------------------------------------------------- */

Test(pointwise, sums_of_arrays)
{
    for (int k = 0; k < COUNTS; k++) {
        size_t count = counts[k];
        float *a = random_floats(count, 1), *b = random_floats(count, 2);
        float *y = random_floats(count, 3), *x = random_floats(count, 1);
        array_add(a, b, count, y);
        for (size_t i = 0; i < count; i++)
            cr_assert_eq(y[i], a[i] + b[i]);
        array_add(a, b, count, a);
        cr_assert_eq(memcmp(a, y, count * sizeof *a), 0, "in place");
        array_scale(x, 0.75f, count, true, a);
        for (size_t i = 0; i < count; i++)
            check("scale", i, a[i], (double)y[i] + x[i] * 0.75, 1 + fabs(y[i]));
        array_scale(x, 0.75f, count, false, y);
        for (size_t i = 0; i < count; i++)
            cr_assert_eq(y[i], x[i] * 0.75f);
        array_scale(x, 0.75f, count, false, x);
        cr_assert_eq(memcmp(x, y, count * sizeof *x), 0, "in place");
        free(a);
        free(b);
        free(y);
        free(x);
    }
}

/* What is infinite stays that; nothing else of the array comes in. */
Test(pointwise, infinity_scaled)
{
    float x[3] = { INFINITY, -INFINITY, 1 }, y[3] = { NAN, NAN, NAN };
    array_scale(x, 1.25f, 3, false, y);
    cr_expect(y[0] == INFINITY && y[1] == -INFINITY && y[2] == 1.25f, "%g %g %g", (double)y[0],
              (double)y[1], (double)y[2]);
}

static const struct {
    size_t rows;
    int channels;
} shapes[] = { { 1, 1 },  { 1, 5 },    { 100, 1 },   { 33, 3 },    { 7, 16 },
               { 9, 24 }, { 3, 1000 }, { 6272, 24 }, { 1568, 97 }, { 40000, 2 } };

enum { SHAPES = sizeof shapes / sizeof *shapes };

Test(pointwise, channel_scale)
{
    for (int k = 0; k < SHAPES; k++) {
        size_t count = shapes[k].rows * shapes[k].channels;
        int channels = shapes[k].channels;
        float *x = random_floats(count, 1), *scale = random_floats(channels, 2);
        float *y = random_floats(count, 3), *sum = random_floats(count, 4);
        float *before = random_floats(count, 4);
        channel_scale(x, shapes[k].rows, channels, scale, false, y);
        channel_scale(x, shapes[k].rows, channels, scale, true, sum);
        for (size_t i = 0; i < count; i++) {
            double v = (double)x[i] * scale[i % channels];
            check("y", i, y[i], v, fabs(v));
            check("sum", i, sum[i], v + before[i], 1 + fabs(v) + fabs(before[i]));
        }
        channel_scale(x, shapes[k].rows, channels, scale, false, x);
        cr_assert_eq(memcmp(x, y, count * sizeof *x), 0, "in place");
        free(x);
        free(scale);
        free(y);
        free(sum);
        free(before);
    }
}

static float *summed(const float *a, const float *b, size_t rows, int channels, int threads)
{
    thread_count_set(threads);
    float *sum = random_floats(channels, 9);
    float *work = mem_alloc(channel_sum_work(rows, channels), sizeof *work);
    channel_sum(a, b, rows, channels, sum, work);
    free(work);
    return sum;
}

Test(pointwise, channel_sum)
{
    for (int k = 0; k < 2 * SHAPES; k++) {
        size_t rows = shapes[k / 2].rows;
        int channels = shapes[k / 2].channels;
        float *a = random_floats(rows * channels, 1), *b = random_floats(rows * channels, 2);
        if (k % 2)
            free(b), b = NULL;
        float *sum = summed(a, b, rows, channels, 1);
        for (int c = 0; c < channels; c++) {
            double total = 0, size = 0;
            for (size_t i = c; i < rows * channels; i += channels) {
                total += (double)a[i] * (b ? b[i] : 1);
                size += fabs((double)a[i] * (b ? b[i] : 1));
            }
            check("sum", c, sum[c], total, 0.1 * size);
        }
        for (int threads = 2; threads <= 7; threads += threads == 2 ? 1 : 4) {
            float *same = summed(a, b, rows, channels, threads);
            cr_assert_eq(memcmp(sum, same, channels * sizeof *sum), 0, "%d threads", threads);
            free(same);
        }
        free(sum);
        free(a);
        free(b);
    }
}
