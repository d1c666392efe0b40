/* Linear layer: y[n,o] = bias[o] + Σ over i of x[n,i]·weight[o,i]. */
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>

Tensor *linear_(Tensor *x, Linear p)
{
    if (p.out < 1)
        net_error(p.at, "linear: .out is missing or less than 1 (%d)", p.out);
    if (!x->flat)
        net_error(p.at, "linear: needs one vector per image, not %dx%dx%d; %s one", x->c, x->h,
                  x->w,
                  x->h > 1 || x->w > 1 ? "global_avg_pool and flatten make" : "flatten makes");
    Attributes a = { .kernel = 1, .stride = 1, .groups = 1 };
    Tensor *y = net_layer(&linear_op, x, NULL, p.at, NAME_INDEX, a, p.out, 1, 1);
    Init init = { INIT_UNIFORM, 1 / sqrtf((float)x->c) }; /* PyTorch's default */
    net_add_param(y, "weight", (int[4]){ p.out, x->c }, LAYOUT_PLAIN, init, true);
    if (p.bias)
        net_add_param(y, "bias", (int[4]){ p.out }, LAYOUT_PLAIN, init, true);
    net_add_macs(y, (uint64_t)x->c);
    return y;
}

static void define(const Tensor *t, const Call *c)
{
    int in = t->in[0]->c, out = t->c;
    for (int n = 0; n < t->n; n++)
        for (int o = 0; o < out; o++) {
            double sum = t->params > 1 ? c->param[1][o] : 0;
            for (int i = 0; i < in; i++)
                sum += (double)c->x[0][(size_t)n * in + i] * c->param[0][(size_t)o * in + i];
            c->y[(size_t)n * out + o] = (float)sum;
        }
}

/* dx[n,i] = Σ over o of dy[n,o]·weight[o,i], dweight[o,i] = Σ over n of dy[n,o]·x[n,i], and
 * dbias[o] = Σ over n of dy[n,o]. */
static void derive(const Tensor *t, const Call *c)
{
    int in = t->in[0]->c, out = t->c;
    for (int n = 0; n < t->n; n++)
        for (int o = 0; o < out; o++) {
            float dy = c->dy[(size_t)n * out + o];
            if (t->params > 1)
                c->grad[1][o] += dy;
            for (int i = 0; i < in; i++) {
                c->dx[0][(size_t)n * in + i] += dy * c->param[0][(size_t)o * in + i];
                c->grad[0][(size_t)o * in + i] += dy * c->x[0][(size_t)n * in + i];
            }
        }
}

const Op linear_op = {
    .name = "linear",
    .define = define,
    .derive = derive,
};
