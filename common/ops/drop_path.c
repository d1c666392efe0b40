/* Drop path, or stochastic depth (Huang et al. 2016), as in torchvision: in training a path is
 * multiplied by 0 with probability p, else by 1/(1-p); one factor for the whole batch, or one per
 * sample. */
#include "graph/op.h"
#include "ops/ops.h"

Tensor *drop_path_(Tensor *x, DropPath p)
{
    if (!(p.p >= 0 && p.p <= 1))
        net_error(p.at, "drop_path: a probability lies between 0 and 1, not at %g", (double)p.p);
    Attributes a = { .p = p.p, .per_sample = p.per_sample };
    return net_layer(&drop_path_op, x, NULL, p.at, NAME_WORD, a, x->c, x->h, x->w);
}

/* Draws each factor: 0 with probability p, else 1 / (1 - p). */
static void draw(const Tensor *t, Random r, float *factors)
{
    float keep_rate = 1 - t->a.p;
    r.stream ^= random_stream(t->name);
    for (int n = 0; n < t->n; n++) {
        double u = random_uniform(r, t->a.per_sample ? (uint64_t)n : 0);
        factors[n] = u < (double)keep_rate ? 1 / keep_rate : 0;
    }
}

static bool is_view(const Tensor *t, bool training)
{
    return !training || t->a.p == 0;
}

static size_t sample_elements(const Tensor *t)
{
    return tensor_elements(t) / (size_t)(t->n ? t->n : 1);
}

static void define(const Tensor *t, const Call *c)
{
    for (size_t n = 0; n < (size_t)t->n; n++)
        for (size_t i = n * sample_elements(t); i < (n + 1) * sample_elements(t); i++)
            c->y[i] = c->x[0][i] * (c->training ? c->drawn[n] : 1);
}

/* The factor does not depend on x, so it multiplies the gradient as well. */
static void derive(const Tensor *t, const Call *c)
{
    for (size_t n = 0; n < (size_t)t->n; n++)
        for (size_t i = n * sample_elements(t); i < (n + 1) * sample_elements(t); i++)
            c->dx[0][i] += c->dy[i] * (c->training ? c->drawn[n] : 1);
}

const Op drop_path_op = {
    .name = "drop_path",
    .define = define,
    .derive = derive,
    .draw = draw,
    .is_view = is_view,
};
