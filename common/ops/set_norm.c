#include "ops/set_norm.h"

#include "kernels/norm.h"

#include <math.h>

/* param[]: weight, bias. saved: means, then rstds. */
enum { WEIGHT, BIAS };

/* The sets of a tensor: a pixel's channels (layer norm: a.groups = 0), or a sample's groups. */
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

void set_norm_add_params(Tensor *t)
{
    net_add_param(t, "weight", (int[4]){ t->c }, LAYOUT_PLAIN, (Init){ INIT_CONSTANT, 1 }, true);
    net_add_param(t, "bias", (int[4]){ t->c }, LAYOUT_PLAIN, (Init){ INIT_CONSTANT, 0 }, true);
}

/* One set: rows x channels values from `first` on, a row every t->c floats. */
static void define_set(const Tensor *t, const Call *c, size_t first, size_t rows, size_t channels)
{
    size_t row = (size_t)t->c;
    double count = (double)rows * (double)channels, mean = 0, var = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < channels; i++)
            mean += c->x[0][first + r * row + i] / count;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < channels; i++)
            var += pow(c->x[0][first + r * row + i] - mean, 2) / count;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < channels; i++) {
            size_t at = first + r * row + i, channel = at % row;
            c->y[at] = (float)((c->x[0][at] - mean) / sqrt(var + (double)t->a.eps) *
                                   c->param[WEIGHT][channel] +
                               c->param[BIAS][channel]);
        }
}

void set_norm_define(const Tensor *t, const Call *c)
{
    SetShape s = set_shape(t);
    size_t channels = (size_t)s.channels / (size_t)s.groups;
    for (size_t set = 0; set < s.sets; set++)
        for (size_t g = 0; g < (size_t)s.groups; g++)
            define_set(t, c, set * s.rows_per_set * (size_t)s.channels + g * channels,
                       s.rows_per_set, channels);
}

static size_t means(const Tensor *t)
{
    SetShape s = set_shape(t);
    return s.sets * (size_t)s.groups;
}

void set_norm_forward(const Tensor *t, const Call *c)
{
    SetShape s = set_shape(t);
    float *mean = c->saved, *rstd = c->saved + means(t);
    if (c->again)
        set_norm_apply(&s, c->x[0], c->param[WEIGHT], c->param[BIAS], mean, rstd, c->y);
    else
        set_norm_run(&s, c->x[0], t->a.eps, c->param[WEIGHT], c->param[BIAS], mean, rstd, c->y);
}

void set_norm_backward(const Tensor *t, const Call *c)
{
    SetShape s = set_shape(t);
    set_norm_gradient(&s, c->x[0], c->dy, c->param[WEIGHT], c->saved, c->saved + means(t),
                      c->accumulate[0], c->dx[0], c->grad[WEIGHT], c->grad[BIAS], c->work);
}

size_t set_norm_saved(const Tensor *t)
{
    return 2 * means(t);
}

size_t set_norm_work(const Tensor *t)
{
    return norm_work(tensor_rows(t), t->c);
}
