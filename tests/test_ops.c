/* Every op: its definition in plain loops and the derivative of that against PyTorch's cases and
 * central differences; the fast forward and backward against both, element by element. */
#include "base/memory.h"
#include "base/random.h"
#include "graph/weights.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "op_bench.h"
#include "ops/ops.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count(const Tensor *t)
{
    return tensor_elements(t);
}

static double distance(const float *a, const float *b, size_t n)
{
    double difference = 0, norm = 1e-30;
    for (size_t i = 0; i < n; i++) {
        difference += pow((double)a[i] - b[i], 2);
        norm += pow(b[i], 2);
    }
    return sqrt(difference / norm);
}

/* --- PyTorch's cases ------------------------------------------------------------------------- */

typedef struct {
    char name[64], op[64], options[256];
    int shape[4]; /* n, c, h, w */
} Case;

static double option(const Case *c, const char *name, double otherwise)
{
    const char *at = strstr(c->options, name);
    return at && at[strlen(name)] == '=' ? atof(at + strlen(name) + 1) : otherwise;
}

static Tensor *build_case(const Case *c, Tensor *x)
{
    float eps = (float)option(c, "eps", 1e-5);
    int out = (int)option(c, "out", 0), kernel = (int)option(c, "kernel", 0);
    int stride = (int)option(c, "stride", 1), pad = (int)option(c, "pad", 0);
    if (strcmp(c->op, "conv2d") == 0)
        return conv2d(x, .out = out, .kernel = kernel, .stride = stride, .pad = pad,
                      .groups = (int)option(c, "groups", 1), .bias = option(c, "bias", 0) != 0);
    if (strcmp(c->op, "batch_norm") == 0)
        return batch_norm(x, .eps = eps);
    if (strcmp(c->op, "group_norm") == 0)
        return group_norm(x, (int)option(c, "groups", 1), .eps = eps);
    if (strcmp(c->op, "layer_norm") == 0)
        return layer_norm(x, .eps = eps);
    if (strcmp(c->op, "relu") == 0)
        return relu(x);
    if (strcmp(c->op, "gelu") == 0)
        return gelu(x);
    if (strcmp(c->op, "max_pool") == 0)
        return max_pool(x, .kernel = kernel, .stride = stride, .pad = pad);
    if (strcmp(c->op, "global_avg_pool") == 0)
        return global_avg_pool(x);
    if (strcmp(c->op, "linear") == 0)
        return linear(flatten(x), .out = out);
    if (strcmp(c->op, "layer_scale") == 0)
        return layer_scale(x, 1);
    cr_assert_fail("an op that this test does not know: %s", c->op);
    return NULL;
}

/* [n,c,h,w] in a file to and from [n,h,w,c] in memory. */
static void turn(const Tensor *t, const float *from, float *to, bool reading)
{
    size_t hw = (size_t)t->h * t->w, at = 0;
    for (size_t n = 0; n < (size_t)t->n; n++)
        for (size_t c = 0; c < (size_t)t->c; c++)
            for (size_t p = 0; p < hw; p++, at++) {
                size_t inside = (n * hw + p) * t->c + c;
                to[reading ? inside : at] = from[reading ? at : inside];
            }
}

static const Entry *entry_of(const Safetensors *f, const Case *c, const char *what)
{
    char key[128];
    snprintf(key, sizeof key, "%s/%s", c->name, what);
    return safetensors_find(f, key);
}

static float *floats_of(const Safetensors *f, const Case *c, const char *what, size_t n)
{
    const Entry *e = entry_of(f, c, what);
    if (!e)
        return NULL;
    float *x = mem_alloc(n, sizeof *x);
    cr_assert_eq(entry_elements(e), n, "%s/%s has another size", c->name, what);
    cr_assert(entry_floats(f, e, x, NULL));
    return x;
}

static void read_image(const Safetensors *f, const Case *c, const char *what, const Tensor *t,
                       float *to)
{
    float *x = floats_of(f, c, what, count(t));
    cr_assert(x, "%s/%s is missing", c->name, what);
    turn(t, x, to, true);
    free(x);
}

static void expect_image(const Safetensors *f, const Case *c, const char *what, const Tensor *t,
                         const float *ours, double within)
{
    float *want = mem_alloc(count(t), sizeof *want);
    read_image(f, c, what, t, want);
    double far = distance(ours, want, count(t));
    cr_expect(far < within, "%s/%s: relative error %g", c->name, what, far);
    free(want);
}

/* Parameter i under the names of the cases: weight and bias, and their gradients behind a d. */
static const char *names[] = { "weight", "bias", "mean", "var" };

static void read_params(const Safetensors *f, const Case *c, Bench *b)
{
    for (int i = 0; i < b->weights->count; i++) {
        const Param *p = &b->weights->params[i];
        float *x = floats_of(f, c, names[i], p->count);
        cr_assert(x, "%s/%s is missing", c->name, names[i]);
        layout_from_file(p, x, b->weights->values[i]);
        free(x);
    }
}

static void expect_gradients(const Safetensors *f, const Case *c, const Bench *b, double within)
{
    for (int i = 0; i < b->weights->count && b->weights->params[i].trained; i++) {
        const Param *p = &b->weights->params[i];
        char what[32];
        snprintf(what, sizeof what, "d%s", names[i]);
        float *want = floats_of(f, c, what, p->count), *ours = mem_alloc(p->count, sizeof *ours);
        layout_to_file(p, b->gradients->values[i], ours);
        double far = distance(ours, want, p->count);
        cr_expect(far < within, "%s/%s: relative error %g", c->name, what, far);
        free(want);
        free(ours);
    }
}

static void expect_running(const Safetensors *f, const Case *c, const Bench *b)
{
    const char *after[] = { "mean_after", "var_after" };
    for (int i = 0; i < 2 && b->y->op == &batch_norm_op && b->training; i++) {
        float *want = floats_of(f, c, after[i], (size_t)b->x->c);
        double far = distance(b->weights->values[2 + i], want, (size_t)b->x->c);
        cr_expect(far < 1e-6, "%s/%s: relative error %g", c->name, after[i], far);
        free(want);
    }
}

static void check_case(const Safetensors *f, const Case *c)
{
    Bench b = { .net = net_new(), .training = option(c, "training", 1) != 0 };
    b.x = net_input(b.net, c->shape[0], c->shape[1], c->shape[2], c->shape[3]);
    b.y = build_case(c, b.x);
    bench_allocate(&b);
    read_image(f, c, "x", b.x, b.in);
    read_image(f, c, "dy", b.y, b.dy);
    for (int fast = 0; fast < (fast_of(b.y->op) ? 2 : 1); fast++) {
        read_params(f, c, &b);
        memset(b.out, 0, count(b.y) * sizeof(float));
        run_op(&b, !fast, false);
        expect_image(f, c, "y", b.y, b.out, fast ? 5e-6 : 2e-6);
        expect_image(f, c, "dx", b.x, b.dx, fast ? 2e-5 : 2e-6);
        expect_gradients(f, c, &b, fast ? 2e-5 : 5e-6);
        expect_running(f, c, &b);
    }
    bench_free(&b);
}

static void check_cross_entropy(const Safetensors *f, const Case *c)
{
    int n = c->shape[0], classes = c->shape[1], labels[64];
    int64_t wide[64];
    size_t all = (size_t)n * (size_t)classes;
    float *x = floats_of(f, c, "x", all), *want = floats_of(f, c, "dx", all);
    float *loss = floats_of(f, c, "y", 1), *dx = mem_alloc(all, sizeof *dx);
    cr_assert(entry_int64s(f, entry_of(f, c, "labels"), wide, NULL));
    for (int i = 0; i < n; i++)
        labels[i] = (int)wide[i];
    double ours = cross_entropy_loss(x, n, classes, (Targets){ .a = labels },
                                     option(c, "label_smoothing", 0), dx);
    cr_expect_float_eq(ours, loss[0], 1e-6 * fabs(ours), "%s: loss %g", c->name, ours);
    cr_expect(distance(dx, want, all) < 1e-6, "%s/dx", c->name);
    free(x);
    free(want);
    free(loss);
    free(dx);
}

Test(ops, cases_of_pytorch)
{
    Safetensors f;
    Error error = { "" };
    char *text, *line, *rest;
    size_t size;
    int cases = 0;
    cr_assert(safetensors_read("tests/data/ops.safetensors", &f, &error), "%s", error.text);
    cr_assert(file_read("tests/data/ops.tsv", &text, &size, &error), "%s", error.text);
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        Case c = { .shape = { 1, 1, 1, 1 } };
        char shape[64];
        if (sscanf(line, "%63s %63s %63s %255[^\n]", c.name, c.op, shape, c.options) < 4 ||
            strcmp(c.name, "case") == 0)
            continue;
        sscanf(shape, "%dx%dx%dx%d", &c.shape[0], &c.shape[1], &c.shape[2], &c.shape[3]);
        if (strcmp(c.op, "cross_entropy") == 0)
            check_cross_entropy(&f, &c);
        else
            check_case(&f, &c);
        cases++;
    }
    cr_expect_eq(cases, 37);
    free(text);
    safetensors_free(&f);
}

Test(ops, convolutions_of_random_shapes)
{
    Random r = { .seed = 3, .stream = 0 };
    int kernels[] = { 1, 2, 3, 4, 5, 7, 9, 11 };
    uint64_t i = 0;
    for (int round = 0; round < 150; round++) {
        int groups = (int[]){ 1, 1, 1, 3, 8, 40 }[random_below(r, i++, 6)];
        int in = groups * (int[]){ 1, 1, 2, 4, 17, 20 }[random_below(r, i++, 6)];
        int out = groups * (1 + (int)random_below(r, i++, 5));
        int kernel = kernels[random_below(r, i++, 8)], pad = (int)random_below(r, i++, kernel);
        int stride = 1 + (int)random_below(r, i++, 3), n = 1 + (int)random_below(r, i++, 3);
        int least = kernel > 2 * pad ? kernel - 2 * pad : 1;
        int h = least + (int)random_below(r, i++, 9), w = least + (int)random_below(r, i++, 9);
        char what[128];
        snprintf(what, sizeof what,
                 "conv2d %dx%dx%dx%d, out %d, kernel %d, stride %d, pad %d, "
                 "groups %d",
                 n, in, h, w, out, kernel, stride, pad, groups);
        Net *net = net_new();
        Tensor *x = net_input(net, n, in, h, w);
        check_definition(net, x,
                         conv2d(x, .out = out, .kernel = kernel, .stride = stride, .pad = pad,
                                .groups = groups, .bias = round % 2),
                         true, what);
    }
}

/* A keyword that a layer does nothing with is no keyword of it: the compiler says so. */
Test(ops, keywords_that_mean_nothing)
{
    static const char *const calls[][2] = { { "conv2d", ".out = 1, .kernel = 1, .pad = 0" },
                                            { "conv2d", ".out = 1, .kernel = 1, .act = GELU" },
                                            { "conv_norm_act", ".out = 1, .kernel = 1, .act = 1" },
                                            { "conv_norm_act", ".out = 1, .kernel = 1, .pad = 1" },
                                            { "max_pool", ".kernel = 2, .stride = 2" },
                                            { "max_pool", ".kernel = 2, .out = 99" },
                                            { "linear", ".out = 1, .bias = false" },
                                            { "linear", ".out = 1, .kernel = 1" } };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = run("echo '#include \"nn.h\"\nTensor *f(Tensor *x) { return %s(x, %s); }' | "
                       "${CC:-cc} -std=gnu11 -Icommon -fsyntax-only -x c -",
                       calls[i][0], calls[i][1]);
        cr_expect_eq(r.status != 0, i % 2 == 1, "%s(x, %s): status %d: %s", calls[i][0],
                     calls[i][1], r.status, r.err);
        result_free(&r);
    }
}

/* So many pixels that the weight's gradient is summed in pieces. */
Test(ops, convolutions_of_many_pixels)
{
    static const Conv2d cases[] = {
        { .out = 24, .kernel = 1, .stride = 1, .groups = 1 },
        { .out = 5, .kernel = 3, .stride = 1, .pad = 1, .groups = 1, .bias = true },
        { .out = 16, .kernel = 2, .stride = 2, .groups = 1, .bias = true },
        { .out = 36, .kernel = 3, .stride = 1, .pad = 1, .groups = 2 },
        { .out = 7, .kernel = 3, .stride = 2, .pad = 1, .groups = 1 },
        { .out = 32, .kernel = 5, .stride = 1, .pad = 1, .groups = 1 },
    };
    static const int channels[] = { 6, 6, 6, 36, 32, 48 };
    for (int i = 0; i < 6; i++) {
        Net *net = net_new();
        Tensor *x = net_input(net, 5, channels[i], i < 4 ? 44 : 24, 45);
        Conv2d p = cases[i];
        p.at = HERE_;
        char what[64];
        snprintf(what, sizeof what, "many pixels, case %d", i);
        check_definition(net, x, conv2d_(x, p), false, what);
    }
}

static Tensor *build_group_norm(Tensor *x)
{
    return group_norm(x, 1);
}
static Tensor *build_layer_norm(Tensor *x)
{
    return layer_norm(x, .eps = 1e-6f);
}
static Tensor *build_relu(Tensor *x)
{
    return relu(x);
}
static Tensor *build_gelu(Tensor *x)
{
    return gelu(x);
}
static Tensor *build_layer_scale(Tensor *x)
{
    return layer_scale(x, 1);
}
static Tensor *build_drop_path(Tensor *x)
{
    return drop_path(x, 0.2f);
}
static Tensor *build_add(Tensor *x)
{
    return add(x, x);
}
static Tensor *build_pool(Tensor *x)
{
    return global_avg_pool(x);
}
static Tensor *build_max_pool(Tensor *x)
{
    return max_pool(x, .kernel = 3, .stride = 2, .pad = 1);
}

/* By the batch's statistics and by the running ones. One value a channel has no variance. */
Test(ops, batch_norm)
{
    for (int i = 0; i < 2 * OP_SHAPES; i++) {
        const int *s = op_shapes[i / 2];
        bool training = i % 2;
        Bench b = { .net = net_new(), .training = training };
        b.x = net_input(b.net, s[0], s[1], s[2], s[3]);
        b.y = batch_norm(b.x);
        char text[128];
        snprintf(text, sizeof text, "batch_norm on %dx%dx%dx%d, %s", s[0], s[1], s[2], s[3],
                 training ? "training" : "frozen");
        if (training && tensor_rows(b.x) < 2)
            net_free(b.net);
        else
            check_bench(b, tensor_rows(b.x) >= 20, text);
    }
}

Test(ops, group_norm)
{
    check_shapes(build_group_norm, false, "group_norm");
}
Test(ops, layer_norm)
{
    check_shapes(build_layer_norm, false, "layer_norm");
}
Test(ops, relu)
{
    check_shapes(build_relu, false, "relu"); /* central differences do not like the kink */
}
Test(ops, gelu)
{
    check_shapes(build_gelu, true, "gelu");
}
Test(ops, layer_scale)
{
    check_shapes(build_layer_scale, true, "layer_scale");
}
Test(ops, drop_path)
{
    check_shapes(build_drop_path, true, "drop_path");
}
/* The whole batch at once or each sample by itself, as often as asked, other paths otherwise. */
Test(ops, drop_path_draws_batches_or_samples)
{
    enum { SAMPLES = 5, DRAWS = 2000 };
    for (int per_sample = 0; per_sample < 2; per_sample++) {
        Net *net = net_new();
        Tensor *x = net_input(net, SAMPLES, 1, 1, 1);
        Tensor *y[2];
        for (int k = 0; k < 2; k++)
            SCOPE(net, NEXT)
                y[k] = drop_path(x, 0.3f, .per_sample = per_sample);
        int dropped = 0, mixed = 0, different = 0;
        for (int draw = 0; draw < DRAWS; draw++) {
            float factors[2][SAMPLES];
            for (int k = 0; k < 2; k++)
                drop_path_op.draw(y[k], (Random){ 4, (uint64_t)draw }, factors[k]);
            for (int n = 0; n < SAMPLES; n++) {
                cr_assert(factors[0][n] == 0 || factors[0][n] == 1 / (1 - 0.3f));
                dropped += factors[0][n] == 0;
                mixed += factors[0][n] != factors[0][0];
                different += factors[0][n] != factors[1][n];
            }
        }
        cr_expect_float_eq(dropped / (double)(SAMPLES * DRAWS), 0.3, 0.04);
        cr_expect_float_eq(different / (double)(SAMPLES * DRAWS), 2 * 0.3 * 0.7, 0.05);
        cr_expect_float_eq(mixed / (double)((SAMPLES - 1) * DRAWS), per_sample ? 0.42 : 0, 0.04);
        net_free(net);
    }
}

Test(ops, add)
{
    check_shapes(build_add, true, "add");
}
Test(ops, global_avg_pool)
{
    check_shapes(build_pool, true, "global_avg_pool");
}
Test(ops, max_pool)
{
    check_shapes(build_max_pool, false, "max_pool");
}

/* Nothing is larger than the value a window starts with: its gradient must still land in the
 * image. */
Test(ops, max_pool_of_minus_infinity)
{
    Bench b = { .net = net_new(), .training = true };
    b.x = net_input(b.net, 2, 3, 5, 5);
    b.y = build_max_pool(b.x);
    bench_allocate(&b);
    double given = 0, arrived = 0;
    for (size_t i = 0; i < count(b.x); i++)
        b.in[i] = -INFINITY;
    random_fill(b.dy, count(b.y), 1);
    run_op(&b, !fast_of(b.y->op), false);
    for (size_t i = 0; i < count(b.y); i++)
        given += b.dy[i];
    for (size_t i = 0; i < count(b.x); i++)
        arrived += b.dx[i];
    cr_expect_float_eq(given, arrived, 1e-5);
    bench_free(&b);
}

/* The first of equals takes the gradient, a NaN before any number. */
Test(ops, max_pool_of_equals_and_nan)
{
    Bench b = { .net = net_new(), .training = true };
    b.x = net_input(b.net, 2, 3, 9, 8);
    b.y = build_max_pool(b.x);
    bench_allocate(&b);
    bench_randomise(&b, 3);
    for (size_t i = 0; i < count(b.x); i++)
        b.in[i] = i % 11 == 0 ? NAN : roundf(b.in[i]);
    Bench fast = bench_copy(&b);
    run_op(&b, true, false);
    run_op(&fast, !fast_of(b.y->op), false);
    for (size_t i = 0; i < count(b.y); i++)
        cr_expect(fast.out[i] == b.out[i] || (isnan(fast.out[i]) && isnan(b.out[i])));
    expect_each(fast.dx, b.dx, count(b.x), "max_pool of equals", "dx");
    fast.net = NULL;
    bench_free(&fast);
    bench_free(&b);
}

Test(ops, norms_have_the_slope_of_their_definition)
{
    Tensor *(*builds[])(Tensor *) = { build_group_norm, build_layer_norm };
    for (int i = 0; i < 2; i++) {
        Net *net = net_new();
        Tensor *x = net_input(net, 2, 33, 7, 5);
        check_definition(net, x, builds[i](x), true, "norm");
    }
    Net *net = net_new();
    Tensor *x = net_input(net, 3, 24, 4, 5);
    check_definition(net, x, group_norm(x, 6), true, "group_norm of 6 groups");
}

Test(ops, cross_entropy_of_two_labels_is_the_mixture)
{
    float logits[6] = { 0.3f, -1, 2, 1, 0.5f, -0.2f }, mixed[6], a[6], b[6];
    int left[2] = { 0, 2 }, right[2] = { 1, 1 };
    float lambda[2] = { 0.25f, 0.25f };
    double loss = cross_entropy_loss(logits, 2, 3, (Targets){ left, right, lambda }, 0.1, mixed);
    double of_a = cross_entropy_loss(logits, 2, 3, (Targets){ .a = left }, 0.1, a);
    double of_b = cross_entropy_loss(logits, 2, 3, (Targets){ .a = right }, 0.1, b);
    cr_expect_float_eq(loss, 0.25 * of_a + 0.75 * of_b, 1e-7);
    for (int i = 0; i < 6; i++)
        cr_expect_float_eq(mixed[i], 0.25f * a[i] + 0.75f * b[i], 1e-6);
}
