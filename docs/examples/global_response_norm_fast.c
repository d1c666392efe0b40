/* The fast way of global response normalisation: images on all threads, and loops over the channels
 * of a pixel, which are adjacent in memory, so that the compiler vectorises them. Formulas and
 * names are those of ops/global_response_norm.c. */
#include "ops/global_response_norm.h"

#include "base/parallel.h"
#include "engine/fast/ways.h"

#include <math.h>
#include <string.h>

/* param[]: weight, bias. */
enum { WEIGHT, BIAS };

typedef struct {
    const Tensor *t;
    const FastCall *call;
} Layer;

/* Returns the number of floats of an image. */
static size_t image_size(const Tensor *t)
{
    return (size_t)t->h * (size_t)t->w * (size_t)t->c;
}

/* --- forward --------------------------------------------------------------------------------- */

/* Returns the number of values saved for backward, per image: loud[c]; by[c] = 1 +
 * share[c]·weight[c], the factor of x; mean of loud + eps. */
static size_t saved_per_image(const Tensor *t)
{
    return 2 * (size_t)t->c + 1;
}

static size_t saved(const Tensor *t)
{
    return (size_t)t->n * saved_per_image(t);
}

static void forward_image(void *context, int n, int worker)
{
    (void)worker;
    const Tensor *t = ((Layer *)context)->t;
    const FastCall *c = ((Layer *)context)->call;
    size_t channels = (size_t)t->c, size = image_size(t);
    const float *restrict x = c->call.x[0] + (size_t)n * size;
    float *restrict y = c->call.y + (size_t)n * size;
    float *restrict loud = c->saved + (size_t)n * saved_per_image(t);
    float *restrict by = loud + channels, *norm = by + channels;
    memset(loud, 0, channels * sizeof *loud);
    for (size_t p = 0; p < size; p += channels)
        for (size_t i = 0; i < channels; i++)
            loud[i] += x[p + i] * x[p + i];
    *norm = t->a.eps;
    for (size_t i = 0; i < channels; i++) {
        loud[i] = sqrtf(loud[i]);
        *norm += loud[i] / (float)channels;
    }
    for (size_t i = 0; i < channels; i++)
        by[i] = 1 + loud[i] / *norm * c->call.param[WEIGHT][i];
    for (size_t p = 0; p < size; p += channels)
        for (size_t i = 0; i < channels; i++)
            y[p + i] = x[p + i] * by[i] + c->call.param[BIAS][i];
}

static void forward(const Tensor *t, const FastCall *c)
{
    parallel_for(t->n, forward_image, &(Layer){ t, c });
}

/* --- backward -------------------------------------------------------------------------------- */

/* Returns the workspace per image: s[c] = Σ dy·x; Σ dy; dloud[c] / loud[c]. */
static size_t work_per_image(const Tensor *t)
{
    return 3 * (size_t)t->c;
}

static size_t work_backward(const Tensor *t, bool dx)
{
    (void)dx;
    return (size_t)t->n * work_per_image(t);
}

static void backward_image(void *context, int n, int worker)
{
    (void)worker;
    const Tensor *t = ((Layer *)context)->t;
    const FastCall *c = ((Layer *)context)->call;
    size_t channels = (size_t)t->c, size = image_size(t), first = (size_t)n * size;
    const float *restrict x = c->call.x[0] + first, *restrict dy = c->call.dy + first;
    const float *restrict loud = c->saved + (size_t)n * saved_per_image(t);
    const float *restrict by = loud + channels, *weight = c->call.param[WEIGHT];
    float *restrict s = c->work + (size_t)n * work_per_image(t), *restrict sum = s + channels;
    float *restrict by_loud = sum + channels, norm = by[channels], common = 0;
    memset(s, 0, 2 * channels * sizeof *s);
    for (size_t p = 0; p < size; p += channels)
        for (size_t i = 0; i < channels; i++) {
            s[i] += dy[p + i] * x[p + i];
            sum[i] += dy[p + i];
        }
    for (size_t i = 0; i < channels; i++)
        common += weight[i] * s[i] * loud[i] / (float)channels / norm / norm;
    for (size_t i = 0; i < channels; i++)
        by_loud[i] = loud[i] > 0 ? (weight[i] * s[i] / norm - common) / loud[i] : 0;
    float *restrict dx = c->call.dx[0] ? c->call.dx[0] + first : NULL;
    for (size_t p = 0; p < size && dx; p += channels)
        for (size_t i = 0; i < channels; i++) {
            float d = dy[p + i] * by[i] + x[p + i] * by_loud[i];
            dx[p + i] = c->accumulate[0] ? dx[p + i] + d : d;
        }
}

/* Adds the images' parts of the parameters' gradients in the images' order, so that any number of
 * threads gives the same bits. */
static void backward(const Tensor *t, const FastCall *c)
{
    size_t channels = (size_t)t->c;
    float *dweight = c->call.grad[WEIGHT], *dbias = c->call.grad[BIAS];
    parallel_for(t->n, backward_image, &(Layer){ t, c });
    for (size_t i = 0; i < channels; i++)
        dweight[i] = dbias[i] = 0;
    for (size_t n = 0; n < (size_t)t->n; n++) {
        const float *loud = c->saved + n * saved_per_image(t), *s = c->work + n * work_per_image(t);
        for (size_t i = 0; i < channels; i++) {
            dweight[i] += s[i] * loud[i] / loud[2 * channels];
            dbias[i] += s[channels + i];
        }
    }
}

const Fast global_response_norm_fast = {
    .op = &global_response_norm_op,
    .flags = READS_X,
    .forward = forward,
    .backward = backward,
    .saved = saved,
    .work_backward = work_backward,
};
