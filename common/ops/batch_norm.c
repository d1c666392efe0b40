/* Batch norm, by channel over the batch and the pixels (Ioffe and Szegedy 2015):
 *   y = (x - mean) / sqrt(var + eps) · weight + bias
 * with the running statistics, or in training with the batch's own (biased variance), after which
 * running = 0.9·running + 0.1·batch's, the variance unbiased, as PyTorch keeps it. */
#include "graph/op.h"
#include "kernels/norm.h"
#include "ops/ops.h"
#include "ops/set_norm.h"

#include <math.h>

#define MOMENTUM 0.1f

/* param[]: weight, bias, running_mean, running_var. saved: mean, rstd. */
enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };

Tensor *batch_norm_(Tensor *x, Norm p)
{
    Attributes a = { .eps = p.eps };
    Tensor *y = net_layer(&batch_norm_op, x, NULL, p.at, NAME_INDEX, a, x->c, x->h, x->w);
    int shape[4] = { x->c };
    Init one = { INIT_CONSTANT, 1 }, zero = { INIT_CONSTANT, 0 };
    net_add_param(y, "weight", shape, LAYOUT_PLAIN, one, true);
    net_add_param(y, "bias", shape, LAYOUT_PLAIN, zero, true);
    net_add_param(y, "running_mean", shape, LAYOUT_PLAIN, zero, false);
    net_add_param(y, "running_var", shape, LAYOUT_PLAIN, one, false);
    return y;
}

/* --- definition ------------------------------------------------------------------------------ */

static void check_training(const Tensor *t)
{
    if (tensor_rows(t) < 2)
        net_error(
            t->at,
            "%s: batch norm in training wants more than one value a channel; a batch of 2 has them",
            t->name);
}

/* The running statistics of a channel move towards the batch's. */
static void move_running(const Tensor *t, const Call *c, int channel, float mean, float var)
{
    double rows = (double)tensor_rows(t);
    float unbiased = (float)(var * (rows / (rows - 1)));
    c->param[RUNNING_MEAN][channel] += MOMENTUM * (mean - c->param[RUNNING_MEAN][channel]);
    c->param[RUNNING_VAR][channel] += MOMENTUM * (unbiased - c->param[RUNNING_VAR][channel]);
}

/* A channel's values are a set, in training with the moments that they have. */
static Set channel_set(const Tensor *t, int channel)
{
    return (Set){ .first = (size_t)channel, .rows = tensor_rows(t), .channels = 1 };
}

static Moments moments_of(const Tensor *t, const Call *c, int channel)
{
    if (c->training)
        return norm_moments(t, c, channel_set(t, channel));
    return (Moments){ c->param[RUNNING_MEAN][channel], c->param[RUNNING_VAR][channel] };
}

static void define(const Tensor *t, const Call *c)
{
    if (c->training)
        check_training(t);
    for (int i = 0; i < t->c; i++) {
        Moments m = moments_of(t, c, i);
        norm_define(t, c, channel_set(t, i), m);
        if (c->training)
            move_running(t, c, i, (float)m.mean, (float)m.var);
    }
}

static void derive(const Tensor *t, const Call *c)
{
    for (int i = 0; i < t->c; i++)
        norm_derive(t, c, channel_set(t, i), moments_of(t, c, i), !c->training);
}

/* --- forward --------------------------------------------------------------------------------- */

/* The batch's statistics into saved: mean, then rstd. */
static void measure(const Tensor *t, const Call *c)
{
    float *mean = c->saved, *rstd = c->saved + t->c;
    check_training(t);
    channel_moments(c->x[0], tensor_rows(t), t->c, mean, rstd, c->work);
    for (int i = 0; i < t->c; i++) {
        move_running(t, c, i, mean[i], rstd[i]);
        rstd[i] = (float)(1 / sqrt((double)rstd[i] + (double)t->a.eps));
    }
}

/* The running statistics in their place, for a backward that takes them as constants. */
static void take_running(const Tensor *t, const Call *c)
{
    for (int i = 0; i < t->c; i++) {
        c->saved[i] = c->param[RUNNING_MEAN][i];
        c->saved[t->c + i] = (float)(1 / sqrt((double)c->param[RUNNING_VAR][i] + (double)t->a.eps));
    }
}

static void forward(const Tensor *t, const Call *c)
{
    float *scale = c->work, *shift = c->work + t->c;
    if (c->training && !c->again)
        measure(t, c);
    else if (!c->training && c->saved)
        take_running(t, c);
    for (int i = 0; i < t->c; i++) {
        double mean = c->training ? c->saved[i] : c->param[RUNNING_MEAN][i];
        double rstd = c->training ? c->saved[t->c + i]
                                  : 1 / sqrt((double)c->param[RUNNING_VAR][i] + (double)t->a.eps);
        scale[i] = (float)(rstd * c->param[WEIGHT][i]);
        shift[i] = (float)(c->param[BIAS][i] - mean * rstd * c->param[WEIGHT][i]);
    }
    channel_affine(c->x[0], tensor_rows(t), t->c, scale, shift, c->act, c->y);
}

/* --- backward -------------------------------------------------------------------------------- */

/* With x̂ = (x - mean)·rstd and m rows, in training:
 *   dx = weight·rstd·(dy - Σdy/m - x̂·Σ(dy·x̂)/m), which is a·dy + b·x + c by channel;
 * with the running statistics, which don't depend on x, weight·rstd·dy. */
static void backward(const Tensor *t, const Call *c)
{
    const float *mean = c->saved, *rstd = c->saved + t->c;
    size_t rows = tensor_rows(t);
    float *a = c->work, *b = a + t->c, *shift = b + t->c;
    channel_gradient_sums(c->x[0], c->dy, rows, t->c, mean, rstd, c->grad[BIAS], c->grad[WEIGHT],
                          c->work);
    if (!c->dx[0])
        return;
    for (int i = 0; i < t->c; i++) {
        double scale = (double)c->param[WEIGHT][i] * rstd[i];
        double shared = c->training ? 1 / (double)rows : 0; /* of the sums, a row */
        double slope = -scale * rstd[i] * c->grad[WEIGHT][i] * shared;
        a[i] = (float)scale;
        b[i] = (float)slope;
        shift[i] = (float)(-scale * c->grad[BIAS][i] * shared - slope * mean[i]);
    }
    channel_gradient(c->x[0], c->dy, rows, t->c, a, b, shift, c->accumulate[0], c->dx[0]);
}

static size_t saved(const Tensor *t)
{
    return 2 * (size_t)t->c;
}

static size_t work(const Tensor *t)
{
    size_t sums = norm_work(tensor_rows(t), t->c), factors = 3 * (size_t)t->c;
    return sums > factors ? sums : factors;
}

const Op batch_norm_op = {
    .name = "batch_norm",
    .flags = BACKWARD_READS_X0 | CHEAP | IN_PLACE,
    .define = define,
    .derive = derive,
    .forward = forward,
    .backward = backward,
    .saved = saved,
    .work = work,
};
