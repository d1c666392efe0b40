/* The fast ways of max_pool and global_avg_pool. */
#include "base/parallel.h"
#include "engine/fast/ways.h"
#include "ops/ops.h"

#include <math.h>

typedef struct {
    const Tensor *t;
    const FastCall *call;
} Pool;

/* --- max pool: saved are the places in the windows, a byte per output ---------------------------
 */

/* Returns the input pixel at position (ky, kx) of the window at (oy, ox), NULL outside the
 * image. */
static const float *window_pixel(const Tensor *t, const float *x, int n, int oy, int ox,
                                 int position)
{
    const Tensor *in = t->in[0];
    int y = oy * t->a.stride - t->a.pad + position / t->a.kernel;
    int ix = ox * t->a.stride - t->a.pad + position % t->a.kernel;
    if (y < 0 || y >= in->h || ix < 0 || ix >= in->w)
        return NULL;
    return x + (((size_t)n * in->h + y) * in->w + ix) * in->c;
}

enum { CHANNELS_AT_ONCE = 64 };

/* Pools up to TOGETHER channels of one output, from `first` on. Positions are compared as int,
 * which is as wide as float, so that the compiler vectorises both. */
static void pool_channels(const Tensor *t, const FastCall *c, int n, int oy, int ox, int first)
{
    int count = t->c - first < CHANNELS_AT_ONCE ? t->c - first : CHANNELS_AT_ONCE,
        position_of[CHANNELS_AT_ONCE];
    float largest[CHANNELS_AT_ONCE];
    for (int i = 0; i < count; i++) {
        largest[i] = -INFINITY;
        position_of[i] = -1; /* the first value is always taken, even -∞ */
    }
    for (int position = 0; position < t->a.kernel * t->a.kernel; position++) {
        const float *pixel = window_pixel(t, c->call.x[0], n, oy, ox, position);
        for (int i = 0; pixel && i < count; i++) {
            float x = pixel[first + i], y = largest[i];
            bool larger = ((position_of[i] < 0) | !(x <= y)) & (y == y);
            largest[i] = larger ? x : y;
            position_of[i] = larger ? position : position_of[i];
        }
    }
    size_t at = (((size_t)n * t->h + oy) * t->w + ox) * t->c + (size_t)first;
    for (int i = 0; i < count; i++) {
        c->call.y[at + (size_t)i] = largest[i];
        ((unsigned char *)c->saved)[at + (size_t)i] = (unsigned char)position_of[i];
    }
}

static void pool_row(void *context, int item, int worker)
{
    (void)worker;
    const Pool *pool = context;
    for (int ox = 0; ox < pool->t->w; ox++)
        for (int first = 0; first < pool->t->c; first += CHANNELS_AT_ONCE)
            pool_channels(pool->t, pool->call, item / pool->t->h, item % pool->t->h, ox, first);
}

static void max_pool_forward(const Tensor *t, const FastCall *c)
{
    Pool pool = { t, c };
    parallel_for(t->n * t->h, pool_row, &pool);
}

static void unpool_sample(void *context, int n, int worker)
{
    (void)worker;
    const Pool *pool = context;
    const Tensor *t = pool->t, *in = t->in[0];
    const FastCall *c = pool->call;
    size_t sample = (size_t)in->h * in->w * in->c, at = (size_t)n * t->h * t->w * t->c;
    float *dx = c->call.dx[0] + (size_t)n * sample;
    for (size_t i = 0; i < sample && !c->accumulate[0]; i++)
        dx[i] = 0;
    for (int oy = 0; oy < t->h; oy++)
        for (int ox = 0; ox < t->w; ox++)
            for (int i = 0; i < t->c; i++, at++) {
                int position = ((const unsigned char *)c->saved)[at];
                int y = oy * t->a.stride - t->a.pad + position / t->a.kernel;
                int x = ox * t->a.stride - t->a.pad + position % t->a.kernel;
                dx[((size_t)y * in->w + x) * in->c + i] += c->call.dy[at];
            }
}

static void max_pool_backward(const Tensor *t, const FastCall *c)
{
    Pool pool = { t, c };
    parallel_for(t->n, unpool_sample, &pool);
}

static size_t max_pool_saved(const Tensor *t)
{
    return (tensor_elements(t) + sizeof(float) - 1) / sizeof(float);
}

const Fast max_pool_fast = {
    .op = &max_pool_op,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .saved = max_pool_saved,
};

/* --- global average pool: a few channels of a sample at a time ----------------------------------
 */

enum { AVERAGED_AT_ONCE = 32 };

static int blocks(const Tensor *t)
{
    return (t->c + AVERAGED_AT_ONCE - 1) / AVERAGED_AT_ONCE;
}

static void average_channels(void *context, int item, int worker)
{
    (void)worker;
    const Pool *pool = context;
    const Tensor *x = pool->t->in[0];
    size_t pixels = (size_t)x->h * (size_t)x->w, channels = (size_t)x->c;
    size_t n = (size_t)(item / blocks(x)), first = (size_t)(item % blocks(x)) * AVERAGED_AT_ONCE;
    size_t count = channels - first < AVERAGED_AT_ONCE ? channels - first : AVERAGED_AT_ONCE;
    double sum[AVERAGED_AT_ONCE] = { 0 };
    for (size_t p = 0; p < pixels; p++)
        for (size_t i = 0; i < count; i++)
            sum[i] += pool->call->call.x[0][(n * pixels + p) * channels + first + i];
    for (size_t i = 0; i < count; i++)
        pool->call->call.y[n * channels + first + i] = (float)(sum[i] / (double)pixels);
}

static void global_avg_pool_forward(const Tensor *t, const FastCall *c)
{
    Pool pool = { t, c };
    parallel_for(t->n * blocks(t), average_channels, &pool);
}

static void spread_gradient(void *context, int item, int worker)
{
    (void)worker;
    const Pool *pool = context;
    const FastCall *c = pool->call;
    const Tensor *x = pool->t->in[0];
    size_t pixels = (size_t)x->h * (size_t)x->w, channels = (size_t)x->c, n = (size_t)item;
    float share = 1 / (float)pixels;
    for (size_t p = 0; p < pixels; p++)
        for (size_t i = 0; i < channels; i++) {
            float *dx = &c->call.dx[0][(n * pixels + p) * channels + i];
            *dx = (c->accumulate[0] ? *dx : 0) + c->call.dy[n * channels + i] * share;
        }
}

static void global_avg_pool_backward(const Tensor *t, const FastCall *c)
{
    Pool pool = { t, c };
    parallel_for(t->n, spread_gradient, &pool);
}

const Fast global_avg_pool_fast = {
    .op = &global_avg_pool_op,
    .forward = global_avg_pool_forward,
    .backward = global_avg_pool_backward,
};
