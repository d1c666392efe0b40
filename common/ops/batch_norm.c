/* Batch norm, per channel over the batch and the pixels (Ioffe and Szegedy 2015):
 *   y = (x - mean) / sqrt(var + eps) · weight + bias
 * with the running statistics, or in training with the batch's own (biased variance), which then
 * update them: running = 0.9·running + 0.1·batch's, with the unbiased variance, as in PyTorch. */
#include "graph/op.h"
#include "ops/ops.h"
#include "ops/set_norm.h"

#include <math.h>

#define MOMENTUM 0.1f

/* param[]: weight, bias, running_mean, running_var. */
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

void batch_norm_check_training(const Tensor *t)
{
    if (tensor_rows(t) < 2)
        net_error(t->at,
                  "%s: batch norm in training needs more than one value per channel; a batch of 2 "
                  "has them",
                  t->name);
}

void batch_norm_move_running(const Tensor *t, float *const *param, int channel, float mean,
                             float var)
{
    double rows = (double)tensor_rows(t);
    float unbiased = (float)(var * (rows / (rows - 1)));
    param[RUNNING_MEAN][channel] += MOMENTUM * (mean - param[RUNNING_MEAN][channel]);
    param[RUNNING_VAR][channel] += MOMENTUM * (unbiased - param[RUNNING_VAR][channel]);
}

/* Returns a channel's set of values: all pixels of the batch. */
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
        batch_norm_check_training(t);
    for (int i = 0; i < t->c; i++) {
        Moments m = moments_of(t, c, i);
        norm_define(t, c, channel_set(t, i), m);
        if (c->training)
            batch_norm_move_running(t, c->param, i, (float)m.mean, (float)m.var);
    }
}

static void derive(const Tensor *t, const Call *c)
{
    for (int i = 0; i < t->c; i++)
        norm_derive(t, c, channel_set(t, i), moments_of(t, c, i), !c->training);
}

const Op batch_norm_op = {
    .name = "batch_norm",
    .define = define,
    .derive = derive,
};
