/* Global response normalisation (Woo et al. 2023, "ConvNeXt V2"). How loud a channel is in a whole
 * image, against the mean of all channels, decides how much of it is added:
 *   loud[c] = sqrt(Σ over pixels of x²)      share[c] = loud[c] / (mean of loud + eps)
 *   y = x + x·share[c]·weight[c] + bias[c] */
#include "ops/global_response_norm.h"
#include "graph/op.h"

#include <math.h>

/* param[]: weight, bias. */
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

/* Returns the mean of loud + eps for a sample. */
static double norm_of(const Tensor *t, const float *x)
{
    double mean = 0;
    for (size_t i = 0; i < (size_t)t->c; i++)
        mean += loudness(t, x, i) / (double)t->c;
    return mean + (double)t->a.eps;
}

static void define(const Tensor *t, const Call *c)
{
    size_t channels = (size_t)t->c, sample = pixels(t) * channels;
    for (size_t n = 0; n < (size_t)t->n; n++) {
        const float *x = c->x[0] + n * sample;
        double norm = norm_of(t, x);
        for (size_t i = 0; i < channels; i++) {
            double share = loudness(t, x, i) / norm;
            for (size_t k = i; k < sample; k += channels)
                c->y[n * sample + k] =
                    (float)(x[k] + x[k] * share * c->param[WEIGHT][i] + c->param[BIAS][i]);
        }
    }
}

/* --- derivative ------------------------------------------------------------------------------ */

/* Returns Σ dy·x for a sample's channel. */
static double along(const Tensor *t, const float *x, const float *dy, size_t channel)
{
    double sum = 0;
    for (size_t p = 0; p < pixels(t); p++)
        sum += (double)dy[p * (size_t)t->c + channel] * x[p * (size_t)t->c + channel];
    return sum;
}

/* One sample. With s[c] = Σ dy·x, norm = mean of loud + eps, and C channels:
 *   dweight[c] = s[c]·share[c]      dbias[c] = Σ dy
 *   dloud[c] = weight[c]·s[c] / norm - Σ over j of weight[j]·s[j]·loud[j] / (C·norm²)
 *   dx = dy·(1 + share[c]·weight[c]) + dloud[c]·x / loud[c]
 * A channel that grows louder is worth more itself, and by the mean it makes all others worth less.
 */
static void derive_sample(const Tensor *t, const Call *c, size_t n)
{
    size_t channels = (size_t)t->c, sample = pixels(t) * channels;
    const float *x = c->x[0] + n * sample, *dy = c->dy + n * sample, *weight = c->param[WEIGHT];
    double norm = norm_of(t, x), common = 0;
    for (size_t i = 0; i < channels; i++)
        common +=
            weight[i] * along(t, x, dy, i) * loudness(t, x, i) / (double)channels / norm / norm;
    for (size_t i = 0; i < channels; i++) {
        double loud = loudness(t, x, i), s = along(t, x, dy, i);
        double dloud = weight[i] * s / norm - common;
        c->grad[WEIGHT][i] += (float)(s * loud / norm);
        for (size_t k = i; k < sample; k += channels) {
            double by_loud = loud > 0 ? dloud * x[k] / loud : 0;
            c->grad[BIAS][i] += dy[k];
            c->dx[0][n * sample + k] += (float)(dy[k] * (1 + loud / norm * weight[i]) + by_loud);
        }
    }
}

static void derive(const Tensor *t, const Call *c)
{
    for (size_t n = 0; n < (size_t)t->n; n++)
        derive_sample(t, c, n);
}

const Op global_response_norm_op = {
    .name = "global_response_norm",
    .define = define,
    .derive = derive,
};
