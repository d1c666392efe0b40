/* ReLU: max(x, 0); NaN stays NaN. Its derivative depends only on whether y > 0. */
#include "graph/op.h"
#include "ops/ops.h"

Tensor *relu_(Tensor *x, Site at)
{
    return net_layer(&relu_op, x, NULL, at, NAME_INDEX, (Attributes){ 0 }, x->c, x->h, x->w);
}

static void define(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        c->y[i] = c->x[0][i] < 0 ? 0 : c->x[0][i];
}

/* The slope is 1 for positive x and 0 otherwise, also at 0, as in PyTorch. */
static void derive(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        if (c->y[i] > 0)
            c->dx[0][i] += c->dy[i];
}

const Op relu_op = {
    .name = "relu",
    .act = RELU,
    .define = define,
    .derive = derive,
};
