/* The fast ways of the element-wise ops: relu, gelu, add, layer_scale, drop_path. */
#include "base/memory.h"
#include "engine/fast/kernels/pointwise.h"
#include "engine/fast/ways.h"
#include "ops/ops.h"

#include <string.h>

/* --- activations --------------------------------------------------------------------------------
 */

static void relu_forward(const Tensor *t, const FastCall *c)
{
    act_forward(RELU, c->call.x[0], tensor_elements(t), c->call.y);
}

static void relu_backward(const Tensor *t, const FastCall *c)
{
    act_backward(RELU, c->call.y, c->call.dy, tensor_elements(t), c->accumulate[0], c->call.dx[0]);
}

const Fast relu_fast = {
    .op = &relu_op,
    .flags = READS_Y | RECOMPUTABLE | IN_PLACE,
    .forward = relu_forward,
    .backward = relu_backward,
};

static void gelu_forward(const Tensor *t, const FastCall *c)
{
    act_forward(GELU, c->call.x[0], tensor_elements(t), c->call.y);
}

static void gelu_backward(const Tensor *t, const FastCall *c)
{
    act_backward(GELU, c->call.x[0], c->call.dy, tensor_elements(t), c->accumulate[0],
                 c->call.dx[0]);
}

const Fast gelu_fast = {
    .op = &gelu_op,
    .flags = READS_X | RECOMPUTABLE | IN_PLACE,
    .forward = gelu_forward,
    .backward = gelu_backward,
};

/* --- sums and scales ----------------------------------------------------------------------------
 */

static void add_forward(const Tensor *t, const FastCall *c)
{
    array_add(c->call.x[0], c->call.x[1], tensor_elements(t), c->call.y);
}

static void add_backward(const Tensor *t, const FastCall *c)
{
    for (int i = 0; i < 2; i++)
        if (c->call.dx[i] && c->accumulate[i])
            array_add(c->call.dx[i], c->call.dy, tensor_elements(t), c->call.dx[i]);
        else if (c->call.dx[i] && c->call.dx[i] != c->call.dy)
            memcpy(c->call.dx[i], c->call.dy, tensor_elements(t) * sizeof *c->call.dy);
}

const Fast add_fast = {
    .op = &add_op,
    .flags = IN_PLACE,
    .forward = add_forward,
    .backward = add_backward,
};

static void layer_scale_forward(const Tensor *t, const FastCall *c)
{
    channel_scale(c->call.x[0], tensor_rows(t), t->c, c->call.param[0], false, c->call.y);
}

static void layer_scale_backward(const Tensor *t, const FastCall *c)
{
    channel_sum(c->call.dy, c->call.x[0], tensor_rows(t), t->c, c->call.grad[0], c->work);
    if (c->call.dx[0])
        channel_scale(c->call.dy, tensor_rows(t), t->c, c->call.param[0], c->accumulate[0],
                      c->call.dx[0]);
}

static size_t layer_scale_work(const Tensor *t)
{
    return channel_sum_work(tensor_rows(t), t->c);
}

static void layer_scale_fold(const Tensor *t, float *const *param, int c, double *a, double *b)
{
    (void)t;
    *a *= param[0][c];
    *b *= param[0][c];
}

const Fast layer_scale_fast = {
    .op = &layer_scale_op,
    .flags = READS_X | RECOMPUTABLE | IN_PLACE,
    .forward = layer_scale_forward,
    .backward = layer_scale_backward,
    .work = layer_scale_work,
    .fold = layer_scale_fold,
};

static size_t sample_elements(const Tensor *t) /* per sample */
{
    return tensor_elements(t) / (size_t)(t->n ? t->n : 1);
}

static void drop_path_forward(const Tensor *t, const FastCall *c)
{
    for (size_t n = 0; n < (size_t)t->n; n++) {
        const float *x = c->call.x[0] + n * sample_elements(t);
        array_scale(x, c->call.drawn[n], sample_elements(t), false,
                    c->call.y + n * sample_elements(t));
    }
}

static void drop_path_backward(const Tensor *t, const FastCall *c)
{
    for (size_t n = 0; n < (size_t)t->n; n++) {
        const float *dy = c->call.dy + n * sample_elements(t);
        float *dx = c->call.dx[0] + n * sample_elements(t);
        array_scale(dy, c->call.drawn[n], sample_elements(t), c->accumulate[0], dx);
    }
}

const Fast drop_path_fast = {
    .op = &drop_path_op,
    .flags = RECOMPUTABLE | IN_PLACE,
    .forward = drop_path_forward,
    .backward = drop_path_backward,
};
