/* GELU: x·Φ(x), where Φ(x) = erfc(-x/√2)/2 is the normal distribution's cumulative function
 * (Hendrycks and Gimpel 2016); the exact form, not the tanh approximation. Its derivative is Φ(x) +
 * x·exp(-x²/2)/√(2π). */
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>

Tensor *gelu_(Tensor *x, Site at)
{
    return net_layer(&gelu_op, x, NULL, at, NAME_INDEX, (Attributes){ 0 }, x->c, x->h, x->w);
}

static void define(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++) {
        double x = c->x[0][i];
        c->y[i] = (float)(x * erfc(-x / sqrt(2)) / 2);
    }
}

/* Applies the product rule: (x·Φ)' = Φ + x·Φ', where Φ' is the normal distribution's density. */
static void derive(const Tensor *t, const Call *c)
{
    const double root = 2.5066282746310002; /* √(2π) */
    for (size_t i = 0; i < tensor_elements(t); i++) {
        double x = c->x[0][i], density = exp(-x * x / 2) / root;
        c->dx[0][i] += (float)(c->dy[i] * (erfc(-x / sqrt(2)) / 2 + x * density));
    }
}

const Op gelu_op = {
    .name = "gelu",
    .act = GELU,
    .define = define,
    .derive = derive,
};
