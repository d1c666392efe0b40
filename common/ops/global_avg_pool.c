/* Global average pool: the mean of each channel over the image. */
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

/* A change of one pixel changes the mean by 1/pixels of it. */
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

const Op global_avg_pool_op = {
    .name = "global_avg_pool",
    .define = define,
    .derive = derive,
};
