/* Layer scale: x·gamma per channel (Touvron et al. 2021, "Going deeper with image
 * transformers"). */
#include "graph/op.h"
#include "ops/ops.h"

Tensor *layer_scale_(Tensor *x, float init, Site at)
{
    Attributes a = { .init = init };
    Tensor *y = net_layer(&layer_scale_op, x, NULL, at, NAME_SCOPE, a, x->c, x->h, x->w);
    net_add_param(y, "gamma", (int[4]){ x->c }, LAYOUT_PLAIN, (Init){ INIT_CONSTANT, init }, true);
    return y;
}

static void define(const Tensor *t, const Call *c)
{
    for (size_t r = 0; r < tensor_rows(t); r++)
        for (size_t i = 0; i < (size_t)t->c; i++)
            c->y[r * (size_t)t->c + i] = c->x[0][r * (size_t)t->c + i] * c->param[0][i];
}

/* A change of x changes y by gamma, and a change of gamma changes y by x at every pixel. */
static void derive(const Tensor *t, const Call *c)
{
    for (size_t r = 0; r < tensor_rows(t); r++)
        for (size_t i = 0; i < (size_t)t->c; i++) {
            size_t at = r * (size_t)t->c + i;
            c->dx[0][at] += c->dy[at] * c->param[0][i];
            c->grad[0][i] += c->dy[at] * c->x[0][at];
        }
}

const Op layer_scale_op = {
    .name = "layer_scale",
    .define = define,
    .derive = derive,
};
