#include "ops/set_norm.h"

#include "kernels/norm.h"

#include <math.h>

/* param[]: weight, bias. saved: means, then rstds. */
enum { WEIGHT, BIAS };

void set_norm_add_params(Tensor *t)
{
    net_add_param(t, "weight", (int[4]){ t->c }, LAYOUT_PLAIN, (Init){ INIT_CONSTANT, 1 }, true);
    net_add_param(t, "bias", (int[4]){ t->c }, LAYOUT_PLAIN, (Init){ INIT_CONSTANT, 0 }, true);
}

/* --- definition ------------------------------------------------------------------------------ */

Moments norm_moments(const Tensor *t, const Call *c, Set s)
{
    double count = (double)s.rows * (double)s.channels;
    Moments m = { 0, 0 };
    for (size_t r = 0; r < s.rows; r++)
        for (size_t i = 0; i < s.channels; i++)
            m.mean += c->x[0][s.first + r * (size_t)t->c + i] / count;
    for (size_t r = 0; r < s.rows; r++)
        for (size_t i = 0; i < s.channels; i++)
            m.var += pow(c->x[0][s.first + r * (size_t)t->c + i] - m.mean, 2) / count;
    return m;
}

void norm_define(const Tensor *t, const Call *c, Set s, Moments m)
{
    double rstd = 1 / sqrt(m.var + (double)t->a.eps);
    for (size_t r = 0; r < s.rows; r++)
        for (size_t i = 0; i < s.channels; i++) {
            size_t at = s.first + r * (size_t)t->c + i, channel = at % (size_t)t->c;
            c->y[at] = (float)((c->x[0][at] - m.mean) * rstd * c->param[WEIGHT][channel] +
                               c->param[BIAS][channel]);
        }
}

/* With x̂ = (x - mean)·rstd, g = dy·weight and sums over the m values of the set:
 *   dweight = Σ dy·x̂      dbias = Σ dy      dx = rstd·(g - Σg/m - x̂·Σ(g·x̂)/m)
 * rstd·g is what x does to its own y; the sums are what it does to all y of the set by moving their
 * mean and variance, which constants do not (Ioffe and Szegedy 2015, section 3). */
void norm_derive(const Tensor *t, const Call *c, Set s, Moments m, bool constant)
{
    double rstd = 1 / sqrt(m.var + (double)t->a.eps), count = (double)s.rows * (double)s.channels;
    double mean_g = 0, mean_gx = 0;
    for (size_t r = 0; r < s.rows; r++)
        for (size_t i = 0; i < s.channels; i++) {
            size_t at = s.first + r * (size_t)t->c + i, channel = at % (size_t)t->c;
            double xhat = (c->x[0][at] - m.mean) * rstd, g = c->dy[at] * c->param[WEIGHT][channel];
            c->grad[WEIGHT][channel] += (float)(c->dy[at] * xhat);
            c->grad[BIAS][channel] += c->dy[at];
            mean_g += constant ? 0 : g / count;
            mean_gx += constant ? 0 : g * xhat / count;
        }
    for (size_t r = 0; r < s.rows; r++)
        for (size_t i = 0; i < s.channels; i++) {
            size_t at = s.first + r * (size_t)t->c + i, channel = at % (size_t)t->c;
            double xhat = (c->x[0][at] - m.mean) * rstd, g = c->dy[at] * c->param[WEIGHT][channel];
            c->dx[0][at] += (float)(rstd * (g - mean_g - xhat * mean_gx));
        }
}

/* Layer norm's sets (a.groups = 0): the channels of each pixel. Group norm's: each sample's groups
 * of channels. */
static Set set_at(const Tensor *t, size_t i)
{
    size_t c = (size_t)t->c, groups = (size_t)t->a.groups, pixels = (size_t)t->h * (size_t)t->w;
    if (groups == 0)
        return (Set){ .first = i * c, .rows = 1, .channels = c };
    return (Set){ .first = i / groups * pixels * c + i % groups * (c / groups),
                  .rows = pixels,
                  .channels = c / groups };
}

static size_t sets(const Tensor *t)
{
    return t->a.groups == 0 ? tensor_rows(t) : (size_t)t->n * (size_t)t->a.groups;
}

void set_norm_define(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < sets(t); i++)
        norm_define(t, c, set_at(t, i), norm_moments(t, c, set_at(t, i)));
}

void set_norm_derive(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < sets(t); i++)
        norm_derive(t, c, set_at(t, i), norm_moments(t, c, set_at(t, i)), false);
}

/* --- forward and backward -------------------------------------------------------------------- */

/* The same sets as the kernels see them. */
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

void set_norm_forward(const Tensor *t, const Call *c)
{
    SetShape s = set_shape(t);
    float *mean = c->saved, *rstd = c->saved + sets(t);
    if (c->again)
        set_norm_apply(&s, c->x[0], c->param[WEIGHT], c->param[BIAS], mean, rstd, c->y);
    else
        set_norm_run(&s, c->x[0], t->a.eps, c->param[WEIGHT], c->param[BIAS], mean, rstd, c->y);
}

void set_norm_backward(const Tensor *t, const Call *c)
{
    SetShape s = set_shape(t);
    set_norm_gradient(&s, c->x[0], c->dy, c->param[WEIGHT], c->saved, c->saved + sets(t),
                      c->accumulate[0], c->dx[0], c->grad[WEIGHT], c->grad[BIAS], c->work);
}

size_t set_norm_saved(const Tensor *t)
{
    return 2 * sets(t);
}

size_t set_norm_work(const Tensor *t)
{
    return norm_work(tensor_rows(t), t->c);
}
