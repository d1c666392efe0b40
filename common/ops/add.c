/* Sum of two tensors of one shape: the residual connection. The gradient of each is that of the
 * sum; where a plan lets them share memory, nothing is left to do. */
#include "graph/op.h"
#include "kernels/pointwise.h"
#include "ops/ops.h"

#include <string.h>

Tensor *add_(Tensor *a, Tensor *b, Site at)
{
    char left[SHAPE_TEXT], right[SHAPE_TEXT];
    if (a->n != b->n || a->c != b->c || a->h != b->h || a->w != b->w)
        net_error(at, "add: shapes differ: %s and %s", tensor_shape_text(a, left),
                  tensor_shape_text(b, right));
    return net_layer(&add_op, a, b, at, NAME_WORD, (Attributes){ 0 }, a->c, a->h, a->w);
}

static void define(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        c->y[i] = c->x[0][i] + c->x[1][i];
}

static void forward(const Tensor *t, const Call *c)
{
    array_add(c->x[0], c->x[1], tensor_elements(t), c->y);
}

static void backward(const Tensor *t, const Call *c)
{
    for (int i = 0; i < 2; i++)
        if (c->dx[i] && c->accumulate[i])
            array_add(c->dx[i], c->dy, tensor_elements(t), c->dx[i]);
        else if (c->dx[i] && c->dx[i] != c->dy)
            memcpy(c->dx[i], c->dy, tensor_elements(t) * sizeof *c->dy);
}

const Op add_op = {
    .name = "add",
    .flags = IN_PLACE,
    .define = define,
    .forward = forward,
    .backward = backward,
};
