/* nn.Flatten(1) of 1x1 images: the same numbers as one vector per sample. */
#include "graph/op.h"
#include "ops/ops.h"

Tensor *flatten_(Tensor *x, Site at)
{
    if (x->h != 1 || x->w != 1)
        net_error(at, "flatten: needs 1x1 images, as global_avg_pool makes them, not %dx%d", x->h,
                  x->w);
    Tensor *y = net_layer(&flatten_op, x, NULL, at, NAME_INDEX, (Attributes){ 0 }, x->c, 1, 1);
    y->flat = true;
    return y;
}

static void define(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        c->y[i] = c->x[0][i];
}

static void derive(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        c->dx[0][i] += c->dy[i];
}

static bool is_view(const Tensor *t, bool training)
{
    (void)t;
    (void)training;
    return true;
}

const Op flatten_op = {
    .name = "flatten",
    .define = define,
    .derive = derive,
    .is_view = is_view,
};
