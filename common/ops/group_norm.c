/* Group norm: a set is one group of a sample's channels over all its pixels. With one group, the
 * article's "layer norm for 2D data", it is the whole sample; the paper's layer norm instead
 * normalises each pixel separately (ops/layer_norm.c). */
#include "ops/ops.h"
#include "ops/set_norm.h"

Tensor *group_norm_(Tensor *x, int groups, Norm p)
{
    if (groups < 1 || x->c % groups)
        net_error(p.at, "group_norm: %d groups do not divide %d channels", groups, x->c);
    Attributes a = { .eps = p.eps, .groups = groups };
    Tensor *y = net_layer(&group_norm_op, x, NULL, p.at, NAME_INDEX, a, x->c, x->h, x->w);
    set_norm_add_params(y);
    return y;
}

const Op group_norm_op = {
    .name = "group_norm",
    .define = set_norm_define,
    .derive = set_norm_derive,
};
