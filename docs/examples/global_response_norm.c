/* Global response normalisation (Woo et al. 2023, "ConvNeXt V2"). How loud a channel is in a whole
 * picture, against the mean of all channels, decides how much of it is added:
 *   loud[c] = sqrt(Σ over pixels of x²)      share[c] = loud[c] / (mean of loud + eps)
 *   y = x + x·share[c]·weight[c] + bias[c] */
#include "ops/global_response_norm.h"
#include "graph/op.h"

#include <math.h>

/* param[]: weight, bias. saved: loud [n,c], then mean of loud + eps [n]. */
enum { WEIGHT, BIAS };

Tensor *global_response_norm_(Tensor *x, Norm p)
{
    Attributes a = { .eps = p.eps };
    Tensor *y = net_layer(&global_response_norm_op, x, NULL, p.at, NAME_INDEX, a, x->c, x->h, x->w);
    Init zero = { INIT_CONSTANT, 0 };
    net_add_param(y, "weight", (int[4]){ x->c }, LAYOUT_PLAIN, zero, true);
    net_add_param(y, "bias", (int[4]){ x->c }, LAYOUT_PLAIN, zero, true);
    return y;
}

static size_t pixels(const Tensor *t)
{
    return (size_t)t->h * (size_t)t->w;
}

/* --- definition ------------------------------------------------------------------------------ */

static double loudness(const Tensor *t, const float *x, size_t channel)
{
    double sum = 0;
    for (size_t p = 0; p < pixels(t); p++)
        sum += (double)x[p * (size_t)t->c + channel] * x[p * (size_t)t->c + channel];
    return sqrt(sum);
}

static void define(const Tensor *t, const Call *c)
{
    size_t channels = (size_t)t->c, sample = pixels(t) * channels;
    for (size_t n = 0; n < (size_t)t->n; n++) {
        const float *x = c->x[0] + n * sample;
        double mean = 0;
        for (size_t i = 0; i < channels; i++)
            mean += loudness(t, x, i) / (double)channels;
        for (size_t k = 0; k < sample; k++) {
            size_t i = k % channels;
            double share = loudness(t, x, i) / (mean + (double)t->a.eps);
            c->y[n * sample + k] =
                (float)(x[k] + x[k] * share * c->param[WEIGHT][i] + c->param[BIAS][i]);
        }
    }
}

/* --- forward --------------------------------------------------------------------------------- */

/* The same, with every loudness taken once and kept for backward. */
static void forward(const Tensor *t, const Call *c)
{
    size_t channels = (size_t)t->c, sample = pixels(t) * channels;
    for (size_t n = 0; n < (size_t)t->n; n++) {
        const float *x = c->x[0] + n * sample;
        float *y = c->y + n * sample, *loud = c->saved + n * channels;
        double mean = 0;
        for (size_t i = 0; i < channels; i++) {
            loud[i] = (float)loudness(t, x, i);
            mean += loud[i] / (double)channels;
        }
        float norm = c->saved[(size_t)t->n * channels + n] = (float)(mean + (double)t->a.eps);
        for (size_t k = 0; k < sample; k++) {
            size_t i = k % channels;
            y[k] = x[k] * (1 + loud[i] / norm * c->param[WEIGHT][i]) + c->param[BIAS][i];
        }
    }
}

/* --- backward -------------------------------------------------------------------------------- */

/* What channel i of a sample tells: Σ dy and Σ dy·x. */
static void sums(const Tensor *t, const float *x, const float *dy, size_t i, double *plain,
                 double *times_x)
{
    *plain = *times_x = 0;
    for (size_t p = 0; p < pixels(t); p++) {
        size_t k = p * (size_t)t->c + i;
        *plain += dy[k];
        *times_x += (double)dy[k] * x[k];
    }
}

/* One sample. With s[c] = Σ dy·x, norm = mean of loud + eps, and C channels:
 *   dloud[c] = weight[c]·s[c] / norm - Σ over j of weight[j]·s[j]·loud[j] / (C·norm²)
 *   dx = dy·(1 + share[c]·weight[c]) + dloud[c]·x / loud[c] */
static void backward_sample(const Tensor *t, const Call *c, size_t n)
{
    size_t channels = (size_t)t->c, sample = pixels(t) * channels;
    const float *x = c->x[0] + n * sample, *dy = c->dy + n * sample;
    const float *loud = c->saved + n * channels, *weight = c->param[WEIGHT];
    double norm = c->saved[(size_t)t->n * channels + n], common = 0;
    float *dloud = c->work;
    for (size_t i = 0; i < channels; i++) {
        double plain, times_x;
        sums(t, x, dy, i, &plain, &times_x);
        c->grad[BIAS][i] += (float)plain;
        c->grad[WEIGHT][i] += (float)(times_x * loud[i] / norm);
        dloud[i] = (float)(weight[i] * times_x / norm);
        common += weight[i] * times_x * loud[i] / ((double)channels * norm * norm);
    }
    for (size_t k = 0; k < sample && c->dx[0]; k++) {
        size_t i = k % channels;
        double through = loud[i] > 0 ? (dloud[i] - common) * x[k] / loud[i] : 0;
        double dx = dy[k] * (1 + loud[i] / norm * weight[i]) + through;
        float *to = c->dx[0] + n * sample + k;
        *to = (float)(c->accumulate[0] ? *to + dx : dx);
    }
}

static void backward(const Tensor *t, const Call *c)
{
    for (int i = 0; i < t->c; i++)
        c->grad[WEIGHT][i] = c->grad[BIAS][i] = 0;
    for (size_t n = 0; n < (size_t)t->n; n++)
        backward_sample(t, c, n);
}

static size_t saved(const Tensor *t)
{
    return (size_t)t->n * ((size_t)t->c + 1);
}

static size_t work(const Tensor *t)
{
    return (size_t)t->c;
}

const Op global_response_norm_op = {
    .name = "global_response_norm",
    .flags = BACKWARD_READS_X0,
    .define = define,
    .forward = forward,
    .backward = backward,
    .saved = saved,
    .work = work,
};
