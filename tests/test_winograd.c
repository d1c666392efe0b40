/* 3x3 convolutions in Winograd's basis against the plain sum in double, and in a network against
 * PyTorch. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/inference.h"
#include "engine/plain.h"
#include "graph/weights.h"
#include "engine/fast/kernels/winograd.h"
#include "ops/ops.h"
#include "run.h"

#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ConvShape s;
    size_t in, out; /* elements of x and y */
    float *x, *weight, *bias, *residual, *packed, *work, *y;
} Case;

static float *random_floats(size_t count, uint64_t stream)
{
    Random r = { .seed = 5, .stream = stream };
    float *x = mem_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(2 * random_uniform(r, i) - 1);
    return x;
}

static ConvShape shape_of(int n, int h, int w, int in, int out, int pad)
{
    return (ConvShape){ .n = n,
                        .h = h,
                        .w = w,
                        .in = in,
                        .out_h = h + 2 * pad - 2,
                        .out_w = w + 2 * pad - 2,
                        .out = out,
                        .groups = 1,
                        .kernel = 3,
                        .stride = 1,
                        .pad = pad };
}

static Case case_new(int n, int h, int w, int in, int out, int pad)
{
    Case c = { .s = shape_of(n, h, w, in, out, pad) };
    c.in = (size_t)n * h * w * in;
    c.out = (size_t)n * c.s.out_h * c.s.out_w * out;
    c.x = random_floats(c.in, 1);
    c.weight = random_floats((size_t)out * 9 * in, 2);
    c.bias = random_floats((size_t)out, 3);
    c.residual = random_floats(c.out, 4);
    c.y = mem_alloc(c.out, sizeof *c.y);
    c.packed = mem_alloc(winograd_packed(&c.s), sizeof *c.packed);
    c.work = mem_alloc(winograd_work(&c.s), sizeof *c.work);
    winograd_pack(&c.s, c.weight, c.packed);
    return c;
}

static void case_free(Case *c)
{
    float *all[] = { c->x, c->weight, c->bias, c->residual, c->packed, c->work, c->y };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* One output, and the sum of its terms' magnitudes. */
static double defined(const Case *c, int n, int y, int x, int o, double *magnitude)
{
    const ConvShape *s = &c->s;
    double sum = 0;
    *magnitude = 0;
    for (int ky = 0; ky < 3; ky++)
        for (int kx = 0; kx < 3; kx++)
            for (int i = 0; i < s->in; i++) {
                int iy = y + ky - s->pad, ix = x + kx - s->pad;
                if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w)
                    continue;
                double term = (double)c->x[(((size_t)n * s->h + iy) * s->w + ix) * s->in + i] *
                              c->weight[((size_t)o * 9 + ky * 3 + kx) * s->in + i];
                sum += term;
                *magnitude += fabs(term);
            }
    return sum;
}

static void run_forward(Case *c, const float *bias, const float *residual, Act act)
{
    winograd_forward(&(Conv){ .shape = c->s,
                              .x = c->x,
                              .packed = c->packed,
                              .bias = bias,
                              .residual = residual,
                              .act = act,
                              .y = c->y,
                              .work = c->work });
}

static double activated(Act act, double x)
{
    return act == RELU ? fmax(x, 0) : act == GELU ? x * 0.5 * erfc(-x / sqrt(2)) : x;
}

static void expect_close(const Case *c, bool bias, bool residual, Act act)
{
    const ConvShape *s = &c->s;
    size_t at = 0;
    for (int n = 0; n < s->n; n++)
        for (int y = 0; y < s->out_h; y++)
            for (int x = 0; x < s->out_w; x++)
                for (int o = 0; o < s->out; o++, at++) {
                    double magnitude, want = defined(c, n, y, x, o, &magnitude);
                    want += (bias ? c->bias[o] : 0) + (residual ? c->residual[at] : 0);
                    want = activated(act, want);
                    /* Sums of up to 16 inputs and of 16 products go into one output: more rounding
                     * than the plain sum's, but no more than some units of its largest terms. */
                    cr_assert_float_eq(c->y[at], want, 8 * FLT_EPSILON * (magnitude + 1),
                                       "%dx%d pad %d, %d to %d: y[%d,%d,%d,%d] = %g, not %g", s->h,
                                       s->w, s->pad, s->in, s->out, n, y, x, o, (double)c->y[at],
                                       want);
                }
}

/* Odd and even sizes, one pixel, padding from none to more than the kernel needs; a weight that
 * each thread reads for itself, and (256 channels) one that they share. */
Test(winograd, is_the_convolution)
{
    static const int shapes[][6] = { { 1, 6, 6, 32, 32, 1 },  { 2, 7, 5, 32, 48, 1 },
                                     { 1, 1, 1, 32, 32, 1 },  { 1, 4, 9, 48, 32, 0 },
                                     { 1, 3, 3, 32, 32, 0 },  { 2, 2, 3, 32, 64, 2 },
                                     { 3, 9, 11, 64, 64, 1 }, { 2, 5, 6, 160, 192, 1 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        Case c = case_new(s[0], s[1], s[2], s[3], s[4], s[5]);
        run_forward(&c, NULL, NULL, IDENTITY);
        expect_close(&c, false, false, IDENTITY);
        run_forward(&c, c.bias, c.residual, RELU);
        expect_close(&c, true, true, RELU);
        run_forward(&c, c.bias, NULL, GELU);
        expect_close(&c, true, false, GELU);
        case_free(&c);
    }
}

/* More tiles than are taken at once, of either kind of weight. */
Test(winograd, has_the_same_bits_for_any_number_of_threads)
{
    static const int shapes[][6] = { { 3, 30, 31, 64, 64, 1 }, { 8, 28, 28, 160, 128, 1 } };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const int *s = shapes[i];
        float *first = NULL;
        for (int threads = 1; threads <= 3; threads++) {
            thread_count_set(threads);
            Case c = case_new(s[0], s[1], s[2], s[3], s[4], s[5]);
            run_forward(&c, c.bias, c.residual, RELU);
            if (first)
                cr_expect_eq(memcmp(first, c.y, c.out * sizeof *c.y), 0, "%d threads", threads);
            else
                first = c.y, c.y = NULL;
            case_free(&c);
        }
        free(first);
    }
}

/* An image has the same bits alone and in a batch, and its NaN stays its own. */
Test(winograd, images_do_not_meet)
{
    Case both = case_new(2, 15, 15, 32, 32, 1), one = case_new(1, 15, 15, 32, 32, 1);
    both.x[both.in - 1] = NAN;
    run_forward(&both, NULL, NULL, IDENTITY);
    run_forward(&one, NULL, NULL, IDENTITY);
    cr_expect_eq(memcmp(both.y, one.y, one.out * sizeof *one.y), 0);
    cr_expect(isnan(both.y[both.out - 1]));
    case_free(&both);
    case_free(&one);
}

Test(winograd, is_for_whole_vectors_and_large_images)
{
    static const struct {
        int shape[6];
        bool fits;
    } of[] = { { { 1, 14, 14, 256, 256, 1 }, true },
               { { 1, 14, 14, 3, 64, 1 }, false },
               { { 1, 14, 14, 64, 33, 1 }, false },
               { { 64, 7, 7, 512, 512, 1 }, false } };
    for (int i = 0; i < 4; i++) {
        const int *a = of[i].shape;
        ConvShape s = shape_of(a[0], a[1], a[2], a[3], a[4], a[5]);
        cr_expect_eq(winograd_fits(&s), of[i].fits);
    }
    ConvShape other[3];
    for (int i = 0; i < 3; i++)
        other[i] = shape_of(1, 14, 14, 256, 256, 1);
    other[0].kernel = 5;
    other[1].stride = 2;
    other[2].groups = 2;
    for (int i = 0; i < 3; i++)
        cr_expect_not(winograd_fits(&other[i]));
}

/* --- in a network ---------------------------------------------------------------------------- */

/* The numbers of data/make.py. */
static void fill(float *x, size_t n, uint32_t key, float factor)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t h = (uint32_t)i * 2654435761u + key * 40503u + 12345u;
        h = (h ^ h >> 15) * 2246822519u;
        x[i] = ((float)(h >> 8) / (1 << 23) - 1) * factor;
    }
}

static Tensor *wide_conv(Tensor *x, int out, int pad, bool bias)
{
    Tensor *y = conv2d(x, .out = out, .kernel = 3, .pad = pad, .bias = bias);
    ConvShape s = shape_of(x->n, x->h, x->w, x->c, out, pad);
    cr_assert(winograd_fits(&s), "that is no convolution for Winograd");
    return y;
}

/* With bias and ReLU; with batch norm, residual and ReLU; with bias and GELU; with bias and
 * residual; and with none of them. The last two weights are ones that threads share. */
static Net *network_of_winograds(void)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 2, 32, 16, 15);
    SCOPE(net, "net") {
        SCOPE(net, NEXT)
            x = relu(wide_conv(x, 32, 1, true));
        SCOPE(net, NEXT)
            x = relu(add(x, batch_norm(wide_conv(x, 32, 1, false), .eps = 1e-5f)));
        SCOPE(net, NEXT)
            x = gelu(wide_conv(x, 128, 1, true));
        SCOPE(net, NEXT)
            x = add(x, wide_conv(x, 128, 1, true));
        SCOPE(net, NEXT)
            wide_conv(x, 160, 0, false);
    }
    return net;
}

static Weights *numbered_weights(const Net *net)
{
    Weights *w = weights_new(net);
    for (int i = 0; i < w->count; i++) {
        const Param *p = &w->params[i];
        float *values = mem_alloc(p->count, sizeof *values);
        fill(values, p->count, (uint32_t)i + 1, p->rank == 4 ? 1.0f / 16 : 1);
        for (size_t k = 0; k < p->count && strstr(p->key, "running_var"); k++)
            values[k] = 0.5f + fabsf(values[k]);
        layout_from_file(p, values, w->values[i]);
        free(values);
    }
    return w;
}

static void expect_pytorchs(const char *engine, const float *y, size_t count)
{
    enum { STRIDE = 7 };
    Safetensors file = tensors_in("tests/data/winograd.safetensors");
    size_t kept;
    float *want = floats_in(&file, "y", &kept);
    cr_assert_eq(kept, (count + STRIDE - 1) / STRIDE);
    for (size_t i = 0; i < kept; i++)
        cr_assert_float_eq(y[i * STRIDE], want[i], 5e-6f, "%s, %zu: %g, not %g", engine, i,
                           (double)y[i * STRIDE], (double)want[i]);
    free(want);
    safetensors_free(&file);
}

Test(winograd, in_a_network_is_what_pytorch_computes)
{
    Net *net = network_of_winograds();
    size_t in = tensor_elements(net_tensor(net, 0)), out = tensor_elements(net_output(net));
    Weights *w = numbered_weights(net);
    Plain *plain = plain_new(net);
    fill(plain_input(plain), in, 0, 1);
    plain_forward(plain, w, false);
    expect_pytorchs("plain", plain_output(plain), out);
    for (int adopt = 0; adopt < 2; adopt++) {
        Inference *plan = inference_new(net);
        (adopt ? inference_adopt(plan, w) : inference_load(plan, w));
        cr_expect_eq(inference_units(plan), 5);
        memcpy(inference_input(plan), plain_input(plain), in * sizeof(float));
        inference_run(plan);
        expect_pytorchs(adopt ? "adopting" : "loading", inference_output(plan), out);
        inference_free(plan);
    }
    plain_free(plain);
    weights_free(w);
    net_free(net);
}
