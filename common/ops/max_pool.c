/* Max pool: the largest of each window; where several are equal the first, row by row, as PyTorch
 * has it; a NaN is larger than anything. saved: for each output the place in its window, a byte. */
#include "base/memory.h"
#include "base/parallel.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>

enum { LARGEST_KERNEL = 15 }; /* its 225 places fit a byte */

Tensor *max_pool_(Tensor *x, MaxPool p)
{
    if (p.kernel == 0)
        net_error(p.at, "max_pool: .kernel is missing");
    if (p.kernel < 1 || p.kernel > LARGEST_KERNEL || p.stride < 1 || p.pad < 0 ||
        p.pad > p.kernel / 2)
        net_error(p.at,
                  "max_pool: .kernel = %d (1 to %d), .stride = %d, .pad = %d (at most half the "
                  "kernel) make no pool",
                  p.kernel, LARGEST_KERNEL, p.stride, p.pad);
    if (x->h + 2 * p.pad < p.kernel || x->w + 2 * p.pad < p.kernel)
        net_error(p.at, "max_pool: the input %dx%dx%d is too small for a kernel of %d with pad %d",
                  x->c, x->h, x->w, p.kernel, p.pad);
    Attributes a = { .kernel = p.kernel, .stride = p.stride, .pad = p.pad };
    return net_layer(&max_pool_op, x, NULL, p.at, NAME_INDEX, a, x->c,
                     (x->h + 2 * p.pad - p.kernel) / p.stride + 1,
                     (x->w + 2 * p.pad - p.kernel) / p.stride + 1);
}

/* The input pixel under place (ky, kx) of the window at (oy, ox), or NULL outside the picture. */
static const float *under(const Tensor *t, const float *x, int n, int oy, int ox, int place)
{
    const Tensor *in = t->in[0];
    int y = oy * t->a.stride - t->a.pad + place / t->a.kernel;
    int ix = ox * t->a.stride - t->a.pad + place % t->a.kernel;
    if (y < 0 || y >= in->h || ix < 0 || ix >= in->w)
        return NULL;
    return x + (((size_t)n * in->h + y) * in->w + ix) * in->c;
}

/* Where in x the value lies that channel i of the window at (oy, ox) takes. */
static size_t largest(const Tensor *t, const float *x, int n, int oy, int ox, int i)
{
    const float *found = NULL;
    for (int place = 0; place < t->a.kernel * t->a.kernel; place++) {
        const float *pixel = under(t, x, n, oy, ox, place);
        if (pixel && (!found || (!(pixel[i] <= *found) && !isnan(*found))))
            found = pixel + i;
    }
    return (size_t)(found - x);
}

static void define(const Tensor *t, const Call *c)
{
    float *y = c->y;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int i = 0; i < t->c; i++)
                    *y++ = c->x[0][largest(t, c->x[0], n, oy, ox, i)];
}

/* y moves with the value that it is, and with no other of its window. */
static void derive(const Tensor *t, const Call *c)
{
    const float *dy = c->dy;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int i = 0; i < t->c; i++)
                    c->dx[0][largest(t, c->x[0], n, oy, ox, i)] += *dy++;
}

/* --- forward: a row of outputs, all channels of a pixel side by side ------------------------- */

typedef struct {
    const Tensor *t;
    const Call *call;
} Pool;

enum { TOGETHER = 64 };

/* Up to TOGETHER channels of one output, from `first` on; places as int while they are compared,
 * which is as wide as a float, so that the compiler makes vectors of both. */
static void pool_channels(const Tensor *t, const Call *c, int n, int oy, int ox, int first)
{
    int count = t->c - first < TOGETHER ? t->c - first : TOGETHER, place_of[TOGETHER];
    float largest[TOGETHER];
    for (int i = 0; i < count; i++) {
        largest[i] = -INFINITY;
        place_of[i] = -1; /* whatever comes first is taken, be it -∞ */
    }
    for (int place = 0; place < t->a.kernel * t->a.kernel; place++) {
        const float *pixel = under(t, c->x[0], n, oy, ox, place);
        for (int i = 0; pixel && i < count; i++) {
            float x = pixel[first + i], y = largest[i];
            bool larger = ((place_of[i] < 0) | !(x <= y)) & (y == y);
            largest[i] = larger ? x : y;
            place_of[i] = larger ? place : place_of[i];
        }
    }
    size_t at = (((size_t)n * t->h + oy) * t->w + ox) * t->c + (size_t)first;
    for (int i = 0; i < count; i++) {
        c->y[at + (size_t)i] = largest[i];
        ((unsigned char *)c->saved)[at + (size_t)i] = (unsigned char)place_of[i];
    }
}

static void pool_row(void *context, int item, int worker)
{
    (void)worker;
    const Pool *pool = context;
    for (int ox = 0; ox < pool->t->w; ox++)
        for (int first = 0; first < pool->t->c; first += TOGETHER)
            pool_channels(pool->t, pool->call, item / pool->t->h, item % pool->t->h, ox, first);
}

static void forward(const Tensor *t, const Call *c)
{
    Pool pool = { t, c };
    parallel_for(t->n * t->h, pool_row, &pool);
}

/* --- backward: a sample at a time, since windows overlap ------------------------------------- */

static void unpool_sample(void *context, int n, int worker)
{
    (void)worker;
    const Pool *pool = context;
    const Tensor *t = pool->t, *in = t->in[0];
    const Call *c = pool->call;
    size_t sample = (size_t)in->h * in->w * in->c, at = (size_t)n * t->h * t->w * t->c;
    float *dx = c->dx[0] + (size_t)n * sample;
    for (size_t i = 0; i < sample && !c->accumulate[0]; i++)
        dx[i] = 0;
    for (int oy = 0; oy < t->h; oy++)
        for (int ox = 0; ox < t->w; ox++)
            for (int i = 0; i < t->c; i++, at++) {
                int place = ((const unsigned char *)c->saved)[at];
                int y = oy * t->a.stride - t->a.pad + place / t->a.kernel;
                int x = ox * t->a.stride - t->a.pad + place % t->a.kernel;
                dx[((size_t)y * in->w + x) * in->c + i] += c->dy[at];
            }
}

static void backward(const Tensor *t, const Call *c)
{
    Pool pool = { t, c };
    parallel_for(t->n, unpool_sample, &pool);
}

static size_t saved(const Tensor *t)
{
    return (tensor_elements(t) + sizeof(float) - 1) / sizeof(float);
}

const Op max_pool_op = {
    .name = "max_pool",
    .define = define,
    .derive = derive,
    .forward = forward,
    .backward = backward,
    .saved = saved,
};
