/* The fast ways of normalization layers. */
#include "engine/fast/kernels/norm.h"
#include "engine/fast/ways.h"
#include "ops/ops.h"
#include "ops/set_norm.h"

#include <math.h>

/* param[]: weight, bias; for batch norm also the running statistics. */
enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };

/* --- batch norm: saved are mean and rstd --------------------------------------------------------
 */

/* Computes the batch's mean and rstd into the saved values and updates the running statistics. */
static void set_batch_statistics(const Tensor *t, const FastCall *c)
{
    float *mean = c->saved, *rstd = c->saved + t->c;
    batch_norm_check_training(t);
    channel_moments(c->call.x[0], tensor_rows(t), t->c, mean, rstd, c->work);
    for (int i = 0; i < t->c; i++) {
        batch_norm_move_running(t, c->call.param, i, mean[i], rstd[i]);
        rstd[i] = (float)(1 / sqrt((double)rstd[i] + (double)t->a.eps));
    }
}

/* Copies the running statistics into the saved values, for a backward in which they are
 * constants. */
static void set_running_statistics(const Tensor *t, const FastCall *c)
{
    for (int i = 0; i < t->c; i++) {
        c->saved[i] = c->call.param[RUNNING_MEAN][i];
        c->saved[t->c + i] =
            (float)(1 / sqrt((double)c->call.param[RUNNING_VAR][i] + (double)t->a.eps));
    }
}

static void batch_norm_forward(const Tensor *t, const FastCall *c)
{
    float *scale = c->work, *shift = c->work + t->c;
    if (c->call.training && !c->recompute)
        set_batch_statistics(t, c);
    else if (!c->call.training && c->saved)
        set_running_statistics(t, c);
    for (int i = 0; i < t->c; i++) {
        double mean = c->call.training ? c->saved[i] : c->call.param[RUNNING_MEAN][i];
        double rstd = c->call.training
                          ? c->saved[t->c + i]
                          : 1 / sqrt((double)c->call.param[RUNNING_VAR][i] + (double)t->a.eps);
        scale[i] = (float)(rstd * c->call.param[WEIGHT][i]);
        shift[i] = (float)(c->call.param[BIAS][i] - mean * rstd * c->call.param[WEIGHT][i]);
    }
    channel_affine(c->call.x[0], tensor_rows(t), t->c, scale, shift, IDENTITY, c->call.y);
}

/* With x̂ = (x - mean)·rstd and m rows, in training:
 *   dx = weight·rstd·(dy - Σdy/m - x̂·Σ(dy·x̂)/m), which is a·dy + b·x + c per channel;
 * with the running statistics, which do not depend on x: weight·rstd·dy. */
static void batch_norm_backward(const Tensor *t, const FastCall *c)
{
    const float *mean = c->saved, *rstd = c->saved + t->c;
    size_t rows = tensor_rows(t);
    float *a = c->work, *b = a + t->c, *shift = b + t->c;
    channel_gradient_sums(&(ChannelSums){ .x = c->call.x[0],
                                          .dy = c->call.dy,
                                          .rows = rows,
                                          .channels = t->c,
                                          .mean = mean,
                                          .rstd = rstd,
                                          .sum_dy = c->call.grad[BIAS],
                                          .sum_dy_xhat = c->call.grad[WEIGHT],
                                          .work = c->work });
    if (!c->call.dx[0])
        return;
    for (int i = 0; i < t->c; i++) {
        double scale = (double)c->call.param[WEIGHT][i] * rstd[i];
        double shared = c->call.training ? 1 / (double)rows : 0; /* each row's share of the sums */
        double slope = -scale * rstd[i] * c->call.grad[WEIGHT][i] * shared;
        a[i] = (float)scale;
        b[i] = (float)slope;
        shift[i] = (float)(-scale * c->call.grad[BIAS][i] * shared - slope * mean[i]);
    }
    channel_gradient(&(ChannelGradient){ .x = c->call.x[0],
                                         .dy = c->call.dy,
                                         .rows = rows,
                                         .channels = t->c,
                                         .a = a,
                                         .b = b,
                                         .c = shift,
                                         .accumulate = c->accumulate[0],
                                         .dx = c->call.dx[0] });
}

static size_t batch_norm_saved(const Tensor *t)
{
    return 2 * (size_t)t->c;
}

static size_t batch_norm_work(const Tensor *t)
{
    size_t sums = norm_work(tensor_rows(t), t->c), factors = 3 * (size_t)t->c;
    return sums > factors ? sums : factors;
}

static void batch_norm_fold(const Tensor *t, float *const *param, int c, double *a, double *b)
{
    double slope = param[WEIGHT][c] / sqrt((double)param[RUNNING_VAR][c] + (double)t->a.eps);
    *a *= slope;
    *b = (*b - param[RUNNING_MEAN][c]) * slope + param[BIAS][c];
}

const Fast batch_norm_fast = {
    .op = &batch_norm_op,
    .flags = READS_X | RECOMPUTABLE | IN_PLACE,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .saved = batch_norm_saved,
    .work = batch_norm_work,
    .fold = batch_norm_fold,
};

/* --- group and layer norm: saved are means, then rstds ------------------------------------------
 */

/* Returns the normalised sets; layer norm has no groups, its sets are the pixels. */
static SetShape set_shape(const Tensor *t)
{
    size_t rows = tensor_rows(t);
    if (t->a.groups == 0)
        return (SetShape){ .sets = rows, .rows_per_set = 1, .channels = t->c, .groups = 1 };
    return (SetShape){ .sets = (size_t)t->n,
                       .rows_per_set = (size_t)t->h * (size_t)t->w,
                       .channels = t->c,
                       .groups = t->a.groups };
}

static size_t sets(const Tensor *t)
{
    SetShape s = set_shape(t);
    return s.sets * (size_t)s.groups;
}

static void set_norm_forward(const Tensor *t, const FastCall *c)
{
    (c->recompute ? set_norm_apply : set_norm_run)(&(SetNorm){ .shape = set_shape(t),
                                                               .x = c->call.x[0],
                                                               .weight = c->call.param[WEIGHT],
                                                               .bias = c->call.param[BIAS],
                                                               .eps = t->a.eps,
                                                               .mean = c->saved,
                                                               .rstd = c->saved + sets(t),
                                                               .y = c->call.y });
}

static void set_norm_backward(const Tensor *t, const FastCall *c)
{
    set_norm_gradient(&(SetNormGradient){ .shape = set_shape(t),
                                          .x = c->call.x[0],
                                          .dy = c->call.dy,
                                          .weight = c->call.param[WEIGHT],
                                          .mean = c->saved,
                                          .rstd = c->saved + sets(t),
                                          .accumulate = c->accumulate[0],
                                          .dx = c->call.dx[0],
                                          .dweight = c->call.grad[WEIGHT],
                                          .dbias = c->call.grad[BIAS],
                                          .work = c->work });
}

static size_t set_norm_saved(const Tensor *t)
{
    return 2 * sets(t);
}

static size_t set_norm_work(const Tensor *t)
{
    return norm_work(tensor_rows(t), t->c);
}

/* The same functions of either op. */
#define SET_NORM_WAYS                                                                              \
    .flags = READS_X | RECOMPUTABLE | IN_PLACE, .forward = set_norm_forward,                       \
    .backward = set_norm_backward, .saved = set_norm_saved, .work = set_norm_work

const Fast group_norm_fast = { .op = &group_norm_op, SET_NORM_WAYS };
const Fast layer_norm_fast = { .op = &layer_norm_op, SET_NORM_WAYS };
