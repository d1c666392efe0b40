/* Depthwise and grouped convolutions against their definition in double. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/kernels/depthwise.h"

#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the definition -------------------------------------------------------------------------- */

typedef struct {
    ConvShape s;
    size_t in, out, weights; /* elements of x, y and weight */
    float *x, *y, *weight, *bias, *residual, *dy, *work;
    double *expected, *magnitude; /* the sums, and those of the terms' magnitudes */
} Case;

typedef void Visit(Case *c, size_t x, size_t weight, size_t y);

/* Visits every multiplication there is: the elements of x and weight, and that of y it goes to. */
static void visit_all(Case *c, Visit *visit)
{
    const ConvShape *s = &c->s;
    int in = s->in, out = s->out, group_in = in / s->groups, group_out = out / s->groups;
    for (int n = 0; n < s->n; n++)
        for (int oy = 0; oy < s->out_h; oy++)
            for (int ox = 0; ox < s->out_w; ox++)
                for (int o = 0; o < out; o++)
                    for (int ky = 0; ky < s->kernel; ky++)
                        for (int kx = 0; kx < s->kernel; kx++)
                            for (int j = 0; j < group_in; j++) {
                                int iy = oy * s->stride + ky - s->pad;
                                int ix = ox * s->stride + kx - s->pad;
                                int i = o / group_out * group_in + j;
                                int tap = ky * s->kernel + kx;
                                if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w)
                                    continue;
                                visit(c, (((size_t)n * s->h + iy) * s->w + ix) * in + i,
                                      ((size_t)tap * group_in + j) * out + o,
                                      (((size_t)n * s->out_h + oy) * s->out_w + ox) * out + o);
                            }
}

static void add_term(Case *c, size_t at, double term)
{
    c->expected[at] += term;
    c->magnitude[at] += fabs(term);
}

static void visit_forward(Case *c, size_t x, size_t weight, size_t y)
{
    add_term(c, y, (double)c->x[x] * c->weight[weight]);
}

static void visit_input(Case *c, size_t x, size_t weight, size_t y)
{
    add_term(c, x, (double)c->dy[y] * c->weight[weight]);
}

static void visit_weight(Case *c, size_t x, size_t weight, size_t y)
{
    add_term(c, weight, (double)c->x[x] * c->dy[y]);
}

static void expect(Case *c, Visit *visit)
{
    size_t most = c->in + c->out + c->weights;
    memset(c->expected, 0, most * sizeof *c->expected);
    memset(c->magnitude, 0, most * sizeof *c->magnitude);
    visit_all(c, visit);
}

/* --- cases ----------------------------------------------------------------------------------- */

static float *random_floats(size_t count, uint64_t stream)
{
    float *x = mem_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)random_normal((Random){ 7, stream }, i);
    return x;
}

static Case case_new(int n, int h, int w, int groups, int group_in, int group_out, int kernel,
                     int stride, int pad)
{
    Case c = { .s = { .n = n,
                      .h = h,
                      .w = w,
                      .in = groups * group_in,
                      .out_h = (h + 2 * pad - kernel) / stride + 1,
                      .out_w = (w + 2 * pad - kernel) / stride + 1,
                      .out = groups * group_out,
                      .groups = groups,
                      .kernel = kernel,
                      .stride = stride,
                      .pad = pad } };
    c.in = (size_t)n * h * w * c.s.in;
    c.out = (size_t)n * c.s.out_h * c.s.out_w * c.s.out;
    c.weights = (size_t)kernel * kernel * group_in * groups * group_out;
    c.x = random_floats(c.in, 1);
    c.y = random_floats(c.out, 2);
    c.weight = random_floats(c.weights, 3);
    c.bias = random_floats((size_t)groups * group_out, 4);
    c.residual = random_floats(c.out, 5);
    c.dy = random_floats(c.out, 6);
    c.work = mem_alloc(grouped_work(&c.s), sizeof *c.work);
    c.expected = mem_alloc(c.in + c.out + c.weights, sizeof *c.expected);
    c.magnitude = mem_alloc(c.in + c.out + c.weights, sizeof *c.magnitude);
    return c;
}

static void case_free(Case *c)
{
    free(c->x);
    free(c->y);
    free(c->weight);
    free(c->bias);
    free(c->residual);
    free(c->dy);
    free(c->work);
    free(c->expected);
    free(c->magnitude);
}

static void check(const Case *c, const char *what, size_t i, double is, double should, double scale)
{
    const ConvShape *s = &c->s;
    cr_assert(fabs(is - should) <= 2e-6 * (scale + 1),
              "%s[%zu] is %.9g, should be %.9g: %dx%dx%d, %d groups of %d to %d, kernel %d, "
              "stride %d, pad %d",
              what, i, is, should, s->n, s->h, s->w, s->groups, s->in / s->groups,
              s->out / s->groups, s->kernel, s->stride, s->pad);
}

static double activated(Act act, double x)
{
    return act == RELU ? (x < 0 ? 0 : x) : act == GELU ? x * 0.5 * erfc(-x * sqrt(0.5)) : x;
}

static void run_forward(const Case *c, const float *packed, const float *bias,
                        const float *residual, Act act, float *y)
{
    grouped_forward(&(Conv){ .shape = c->s,
                             .x = c->x,
                             .packed = packed,
                             .weight = packed ? NULL : c->weight,
                             .bias = bias,
                             .residual = residual,
                             .act = act,
                             .y = y,
                             .work = c->work });
}

/* The same bits with the weight packed before as with it packed on the way. */
static void check_packed(const Case *c, Act act, const float *bias, const float *residual)
{
    float *packed = mem_alloc(grouped_packed(&c->s), sizeof *packed);
    float *y = random_floats(c->out, 10);
    grouped_pack(&c->s, c->weight, packed);
    run_forward(c, packed, bias, residual, act, y);
    cr_assert_eq(memcmp(y, c->y, c->out * sizeof *y), 0);
    free(packed);
    free(y);
}

static void check_forward(Case *c, Act act, bool with_bias, bool with_residual)
{
    int channels = c->s.out;
    const float *bias = with_bias ? c->bias : NULL, *residual = with_residual ? c->residual : NULL;
    run_forward(c, NULL, bias, residual, act, c->y);
    for (size_t i = 0; i < c->out; i++) {
        double sum =
            c->expected[i] + (bias ? bias[i % channels] : 0) + (residual ? residual[i] : 0);
        check(c, "y", i, c->y[i], activated(act, sum), c->magnitude[i]);
    }
    check_packed(c, act, bias, residual);
}

static void check_input(Case *c, bool accumulate)
{
    float *dx = random_floats(c->in, 8), *before = random_floats(c->in, 8);
    grouped_backward_input(&c->s, c->dy, c->weight, accumulate, dx, c->work);
    for (size_t i = 0; i < c->in; i++) {
        double sum = c->expected[i] + (accumulate ? before[i] : 0);
        check(c, "dx", i, dx[i], sum, c->magnitude[i]);
    }
    free(dx);
    free(before);
}

static void check_weight(Case *c)
{
    float *dweight = random_floats(c->weights, 9);
    grouped_backward_weight(&c->s, c->x, c->dy, dweight, c->work);
    for (size_t i = 0; i < c->weights; i++)
        check(c, "dweight", i, dweight[i], c->expected[i], c->magnitude[i]);
    free(dweight);
}

static void check_case(Case c)
{
    expect(&c, visit_forward);
    check_forward(&c, IDENTITY, false, false);
    check_forward(&c, RELU, true, false);
    check_forward(&c, GELU, true, true);
    expect(&c, visit_input);
    check_input(&c, false);
    check_input(&c, true);
    expect(&c, visit_weight);
    check_weight(&c);
    case_free(&c);
}

Test(depthwise, of_the_articles_networks)
{
    check_case(case_new(2, 14, 14, 24, 1, 1, 7, 1, 3));
    check_case(case_new(1, 28, 28, 40, 1, 1, 7, 1, 3));
    check_case(case_new(2, 7, 7, 96, 1, 1, 7, 1, 3));
    check_case(case_new(1, 14, 14, 32, 1, 1, 7, 2, 3));
    check_case(case_new(1, 16, 16, 32, 1, 1, 3, 2, 1));
    check_case(case_new(1, 9, 9, 6, 4, 4, 3, 1, 1));
    check_case(case_new(1, 8, 8, 3, 16, 16, 3, 1, 1));
    check_case(case_new(1, 8, 8, 5, 8, 8, 3, 2, 1));
}

Test(depthwise, one_pixel_one_channel)
{
    check_case(case_new(1, 1, 1, 1, 1, 1, 1, 1, 0));
    check_case(case_new(1, 1, 1, 1, 1, 1, 7, 1, 3));
    check_case(case_new(3, 1, 1, 17, 1, 1, 7, 2, 3));
    check_case(case_new(1, 2, 3, 1, 1, 1, 11, 1, 5));
    check_case(case_new(1, 1, 20, 1, 1, 1, 5, 1, 2));
    check_case(case_new(1, 20, 1, 2, 1, 1, 5, 3, 2));
}

Test(depthwise, padded_more_than_the_kernel)
{
    check_case(case_new(1, 4, 5, 3, 1, 1, 3, 1, 4));
    check_case(case_new(1, 4, 5, 3, 1, 1, 2, 3, 5));
    check_case(case_new(1, 4, 5, 3, 2, 2, 1, 2, 3));
}

Test(depthwise, many_bands)
{
    check_case(case_new(1, 130, 70, 3, 1, 1, 7, 1, 3));
    check_case(case_new(1, 130, 70, 3, 1, 1, 5, 2, 2));
    check_case(case_new(1, 40, 300, 2, 3, 2, 3, 1, 1));
}

static int draw(int trial, int which, int most)
{
    return 1 + (int)random_below((Random){ 11, which }, trial, most);
}

Test(depthwise, any_shape)
{
    static const int in[] = { 1, 1, 2, 3, 4, 8, 16 };
    for (int trial = 0, done = 0; done < 250; trial++) {
        int n = draw(trial, 0, 3), h = draw(trial, 1, 19), w = draw(trial, 2, 19);
        int group_in = in[draw(trial, 3, 7) - 1], group_out = draw(trial, 4, 3);
        int groups = draw(trial, 5, group_in > 4 ? 3 : 21), kernel = draw(trial, 6, 11);
        int stride = draw(trial, 7, 3), pad = draw(trial, 8, kernel + 1) - 1;
        if (trial % 2)
            group_out = group_in;
        if (h + 2 * pad < kernel || w + 2 * pad < kernel)
            continue;
        check_case(case_new(n, h, w, groups, group_in, group_out, kernel, stride, pad));
        done++;
    }
}

/* --- threads and special values -------------------------------------------------------------- */

/* All three results, one after the other. */
static float *all_results(const int *shape, int threads, size_t *count)
{
    thread_count_set(threads);
    Case c = case_new(shape[0], shape[1], shape[2], shape[3], shape[4], shape[5], shape[6],
                      shape[7], shape[8]);
    *count = c.out + c.in + c.weights;
    float *all = mem_alloc(*count, sizeof *all);
    run_forward(&c, NULL, c.bias, c.residual, GELU, all);
    grouped_backward_input(&c.s, c.dy, c.weight, false, all + c.out, c.work);
    grouped_backward_weight(&c.s, c.x, c.dy, all + c.out + c.in, c.work);
    case_free(&c);
    return all;
}

Test(depthwise, same_bits_for_any_threads)
{
    static const int threads[] = { 2, 3, 7 };
    static const int shapes[][9] = { { 9, 14, 14, 40, 1, 1, 7, 1, 3 },
                                     { 3, 33, 50, 21, 1, 1, 7, 2, 3 },
                                     { 2, 15, 15, 5, 4, 4, 3, 1, 1 } };
    for (int s = 0; s < 3; s++) {
        size_t count;
        float *one = all_results(shapes[s], 1, &count);
        for (int t = 0; t < 3; t++) {
            float *many = all_results(shapes[s], threads[t], &count);
            cr_assert_eq(memcmp(one, many, count * sizeof *one), 0, "shape %d with %d threads", s,
                         threads[t]);
            free(many);
        }
        free(one);
    }
}

Test(depthwise, nan_reaches_what_reads_it_and_no_more)
{
    Case c = case_new(1, 12, 12, 20, 1, 1, 3, 1, 1);
    c.x[(5 * 12 + 6) * 20 + 19] = NAN;
    run_forward(&c, NULL, NULL, NULL, RELU, c.y);
    for (int y = 0; y < 12; y++)
        for (int x = 0; x < 12; x++)
            for (int o = 0; o < 20; o++)
                cr_assert_eq(!!isnan(c.y[(y * 12 + x) * 20 + o]),
                             o == 19 && abs(y - 5) <= 1 && abs(x - 6) <= 1);
    case_free(&c);
}

/* With stride 2 the last column of an even image may be read by nothing. */
Test(depthwise, unread_nan_stays_out_of_the_weights_gradient)
{
    Case c = case_new(1, 6, 6, 5, 1, 1, 3, 2, 0);
    for (int i = 0; i < 6; i++)
        for (int o = 0; o < 5; o++)
            c.x[(i * 6 + 5) * 5 + o] = c.x[(5 * 6 + i) * 5 + o] = NAN;
    expect(&c, visit_weight);
    check_weight(&c);
    case_free(&c);
}
