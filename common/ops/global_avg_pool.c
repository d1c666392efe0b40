/* Global average pool: each channel's mean over the picture. */
#include "base/parallel.h"
#include "graph/op.h"
#include "ops/ops.h"

Tensor *global_avg_pool_(Tensor *x, Site at)
{
    return net_layer(&global_avg_pool_op, x, NULL, at, NAME_INDEX, (Attributes){ 0 }, x->c, 1, 1);
}

static void define(const Tensor *t, const Call *c)
{
    const Tensor *x = t->in[0];
    size_t pixels = (size_t)x->h * (size_t)x->w, channels = (size_t)x->c;
    for (size_t n = 0; n < (size_t)x->n; n++)
        for (size_t i = 0; i < channels; i++) {
            double sum = 0;
            for (size_t p = 0; p < pixels; p++)
                sum += c->x[0][(n * pixels + p) * channels + i];
            c->y[n * channels + i] = (float)(sum / (double)pixels);
        }
}

/* Each of the pixels moves the mean by 1/pixels. */
static void derive(const Tensor *t, const Call *c)
{
    const Tensor *x = t->in[0];
    size_t pixels = (size_t)x->h * (size_t)x->w, channels = (size_t)x->c;
    for (size_t n = 0; n < (size_t)x->n; n++)
        for (size_t i = 0; i < channels; i++)
            for (size_t p = 0; p < pixels; p++)
                c->dx[0][(n * pixels + p) * channels + i] +=
                    c->dy[n * channels + i] / (float)pixels;
}

/* --- the same a few channels of a sample at a time ------------------------------------------- */

enum { TOGETHER = 32 };

typedef struct {
    const Tensor *t;
    const Call *call;
} Pool;

static int blocks(const Tensor *t)
{
    return (t->c + TOGETHER - 1) / TOGETHER;
}

static void average(void *context, int item, int worker)
{
    (void)worker;
    const Pool *pool = context;
    const Tensor *x = pool->t->in[0];
    size_t pixels = (size_t)x->h * (size_t)x->w, channels = (size_t)x->c;
    size_t n = (size_t)(item / blocks(x)), first = (size_t)(item % blocks(x)) * TOGETHER;
    size_t count = channels - first < TOGETHER ? channels - first : TOGETHER;
    double sum[TOGETHER] = { 0 };
    for (size_t p = 0; p < pixels; p++)
        for (size_t i = 0; i < count; i++)
            sum[i] += pool->call->x[0][(n * pixels + p) * channels + first + i];
    for (size_t i = 0; i < count; i++)
        pool->call->y[n * channels + first + i] = (float)(sum[i] / (double)pixels);
}

static void forward(const Tensor *t, const Call *c)
{
    Pool pool = { t, c };
    parallel_for(t->n * blocks(t), average, &pool);
}

static void spread(void *context, int item, int worker)
{
    (void)worker;
    const Pool *pool = context;
    const Call *c = pool->call;
    const Tensor *x = pool->t->in[0];
    size_t pixels = (size_t)x->h * (size_t)x->w, channels = (size_t)x->c, n = (size_t)item;
    float share = 1 / (float)pixels;
    for (size_t p = 0; p < pixels; p++)
        for (size_t i = 0; i < channels; i++) {
            float *dx = &c->dx[0][(n * pixels + p) * channels + i];
            *dx = (c->accumulate[0] ? *dx : 0) + c->dy[n * channels + i] * share;
        }
}

static void backward(const Tensor *t, const Call *c)
{
    Pool pool = { t, c };
    parallel_for(t->n, spread, &pool);
}

const Op global_avg_pool_op = {
    .name = "global_avg_pool",
    .define = define,
    .derive = derive,
    .forward = forward,
    .backward = backward,
};
