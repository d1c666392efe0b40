/* Layer norm: a set is the channels of one pixel, or of a whole vector. */
#include "ops/ops.h"
#include "ops/set_norm.h"

Tensor *layer_norm_(Tensor *x, Norm p)
{
    Attributes a = { .eps = p.eps };
    Tensor *y = net_layer(&layer_norm_op, x, NULL, p.at, NAME_INDEX, a, x->c, x->h, x->w);
    set_norm_add_params(y);
    return y;
}

const Op layer_norm_op = {
    .name = "layer_norm",
    .define = set_norm_define,
    .derive = set_norm_derive,
};
