#include "ops/set_norm.h"

#include <math.h>

/* param[]: weight, bias. */
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
 * rstd·g is the effect of x on its own y; the sums are its effect on all y of the set through their
 * mean and variance, which is absent if these are constants (Ioffe and Szegedy 2015, section 3). */
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

/* Returns the i-th set. Layer norm (a.groups = 0): the channels of each pixel. Group norm: each
 * sample's groups of channels. */
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
