/* Convolution as one sum per output; engine/fast/conv2d.c has four fast ways of computing it. */
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>

enum { FEW_CHANNELS = 16 };

/* --- shape ----------------------------------------------------------------------------------- */

static int window_count(int size, Conv2d p)
{
    return (size + 2 * p.pad - p.kernel) / p.stride + 1;
}

/* Ends the program because the input is smaller than the kernel, and suggests a fix. */
static _Noreturn void too_small(const Tensor *x, Conv2d p)
{
    char fix[64];
    if (p.kernel % 2 && p.stride == 1)
        snprintf(fix, sizeof fix, ".pad = %d would keep %dx%d", p.kernel / 2, x->h, x->w);
    else if (!x->op)
        snprintf(fix, sizeof fix, "an image has to be %dx%d at least", p.kernel - 2 * p.pad,
                 p.kernel - 2 * p.pad);
    else
        snprintf(fix, sizeof fix, "the image has to be larger");
    net_error(p.at, "conv2d: the input %dx%dx%d is too small for a kernel of %d with pad %d; %s",
              x->c, x->h, x->w, p.kernel, p.pad, fix);
}

static void check(const Tensor *x, Conv2d p)
{
    if (p.out < 1)
        net_error(p.at, "conv2d: .out is missing or less than 1 (%d)", p.out);
    if (p.kernel == 0)
        net_error(p.at, "conv2d: .kernel is missing");
    if (p.kernel < 1 || p.stride < 1 || p.pad < 0)
        net_error(p.at, "conv2d: .kernel = %d, .stride = %d, .pad = %d make no convolution",
                  p.kernel, p.stride, p.pad);
    if (p.groups < 1 || x->c % p.groups || p.out % p.groups)
        net_error(p.at, "conv2d: %d groups do not divide %d channels in and %d out%s", p.groups,
                  x->c, p.out,
                  p.groups > 1 && p.out % x->c == 0 ? "; .groups = x->c is one per channel" : "");
    if (x->h + 2 * p.pad < p.kernel || x->w + 2 * p.pad < p.kernel)
        too_small(x, p);
}

static bool few_channels(int channels, int groups)
{
    return groups > 1 && channels / groups <= FEW_CHANNELS;
}

Tensor *conv2d_(Tensor *x, Conv2d p)
{
    check(x, p);
    Attributes a = { .kernel = p.kernel, .stride = p.stride, .pad = p.pad, .groups = p.groups };
    Tensor *y = net_layer(&conv2d_op, x, NULL, p.at, NAME_INDEX, a, p.out, window_count(x->h, p),
                          window_count(x->w, p));
    int in = x->c / p.groups, fan_in = in * p.kernel * p.kernel;
    /* PyTorch's default, kaiming_uniform with a = √5, is uniform within ±1/√fan_in, also for the
     * bias. */
    Init init = { INIT_UNIFORM, 1 / sqrtf((float)fan_in) };
    net_add_param(y, "weight", (int[4]){ p.out, in, p.kernel, p.kernel },
                  few_channels(x->c, p.groups) ? LAYOUT_HWIO : LAYOUT_OHWI, init, true);
    if (p.bias)
        net_add_param(y, "bias", (int[4]){ p.out }, LAYOUT_PLAIN, init, true);
    net_add_macs(y, (uint64_t)fan_in);
    return y;
}

/* --- definition ------------------------------------------------------------------------------ */

/* Returns the position in memory of the weight of output channel o, tap (ky, kx) and the group's
 * input channel i. */
static size_t weight_at(const Tensor *t, int o, int ky, int kx, int i)
{
    int k = t->a.kernel, in = t->in[0]->c / t->a.groups;
    if (few_channels(t->in[0]->c, t->a.groups))
        return ((size_t)(ky * k + kx) * in + i) * t->c + o;
    return (((size_t)o * k + ky) * k + kx) * in + i;
}

/* Computes one output: y[n,oy,ox,o] = bias[o] + Σ over ky, kx, i of x[n, oy·stride - pad + ky,
 * ox·stride - pad + kx, group·in + i]·weight[o,ky,kx,i]; x is 0 outside the image. */
static float one_output(const Tensor *t, const Call *c, int n, int oy, int ox, int o)
{
    const Tensor *x = t->in[0];
    int in = x->c / t->a.groups, group = o / (t->c / t->a.groups);
    double sum = t->params > 1 ? c->param[1][o] : 0;
    for (int ky = 0; ky < t->a.kernel; ky++)
        for (int kx = 0; kx < t->a.kernel; kx++) {
            int iy = oy * t->a.stride - t->a.pad + ky, ix = ox * t->a.stride - t->a.pad + kx;
            if (iy < 0 || iy >= x->h || ix < 0 || ix >= x->w)
                continue;
            const float *pixel = c->x[0] + (((size_t)n * x->h + iy) * x->w + ix) * x->c;
            for (int i = 0; i < in; i++)
                sum += (double)pixel[group * in + i] * c->param[0][weight_at(t, o, ky, kx, i)];
        }
    return (float)sum;
}

static void define(const Tensor *t, const Call *c)
{
    float *y = c->y;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int o = 0; o < t->c; o++)
                    *y++ = one_output(t, c, n, oy, ox, o);
}

/* Reads the same sum backwards. In each product x·weight, a change of x changes y by weight and a
 * change of weight changes y by x: dx gets dy·weight, dweight gets dy·x, and dbias dy itself. A
 * pixel's gradient thus comes from every output that reads it, a weight's from every position where
 * it is used. */
static void derive_output(const Tensor *t, const Call *c, int n, int oy, int ox, int o, float dy)
{
    const Tensor *x = t->in[0];
    int in = x->c / t->a.groups, group = o / (t->c / t->a.groups);
    if (t->params > 1)
        c->grad[1][o] += dy;
    for (int ky = 0; ky < t->a.kernel; ky++)
        for (int kx = 0; kx < t->a.kernel; kx++) {
            int iy = oy * t->a.stride - t->a.pad + ky, ix = ox * t->a.stride - t->a.pad + kx;
            if (iy < 0 || iy >= x->h || ix < 0 || ix >= x->w)
                continue;
            size_t pixel = (((size_t)n * x->h + iy) * x->w + ix) * x->c + group * in;
            for (int i = 0; i < in; i++) {
                size_t weight = weight_at(t, o, ky, kx, i);
                c->dx[0][pixel + i] += dy * c->param[0][weight];
                c->grad[0][weight] += dy * c->x[0][pixel + i];
            }
        }
}

static void derive(const Tensor *t, const Call *c)
{
    const float *dy = c->dy;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int o = 0; o < t->c; o++)
                    derive_output(t, c, n, oy, ox, o, *dy++);
}

const Op conv2d_op = {
    .name = "conv2d",
    .define = define,
    .derive = derive,
};
