/* Writes the graph in the order in which the network computes it. Between layers an image's numbers
 * are in PyTorch's order, channels first, except behind a layer norm, which ONNX has for the last
 * axis only: there channels stay last until a layer wants them first again.
 *
 * Operators: https://onnx.ai/onnx/operators, as of version 17. */
#include "export/onnx.h"

#include "export/onnx_model.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The place of an image's channels: [n,c,h,w] or [n,h,w,c]. A vector is in both orders. */
typedef enum { FIRST, LAST } Order;

/* --- names ----------------------------------------------------------------------------------- */

/* Names a layer's value like the layer. But two additions in one scope share their name, and a
 * parameter may be called like its layer; values' names must all differ. */
static const char *layer_name(Onnx *o, const Tensor *t)
{
    if (t == net_output(o->net))
        return "logits";
    int taken = 0;
    for (int i = 1; i < t->index; i++)
        taken += strcmp(net_tensor(o->net, i)->name, t->name) == 0;
    for (int i = 0; i < net_params(o->net); i++)
        taken += strcmp(net_param(o->net, i)->key, t->name) == 0;
    return taken ? onnx_named(o, "%s/%d", t->name, taken) : t->name;
}

/* --- values ---------------------------------------------------------------------------------- */

/* Adds the type of tensor t in that order. */
static void put_type(Onnx *o, OnnxRole role, const char *name, const Tensor *t, Order order)
{
    int vector[] = { t->c }, first[] = { t->c, t->h, t->w }, last[] = { t->h, t->w, t->c };
    const int *sizes = t->flat ? vector : order == FIRST ? first : last;
    onnx_put_value(o, role, name, t->flat ? 1 : 3, sizes);
}

/* Notes that tensor t is there, in that order and under that name. */
static void set_name(Onnx *o, const Tensor *t, Order order, const char *name)
{
    OnnxValue *v = &o->values[t->index];
    v->name[order] = name;
    if (t->flat)
        v->name[!order] = name;
}

/* Names and notes what a layer's last node gives. */
static const char *result(Onnx *o, const Tensor *t, Order order)
{
    const char *name = layer_name(o, t);
    set_name(o, t, order, name);
    if (t != net_output(o->net))
        put_type(o, ONNX_INSIDE, name, t, order);
    return name;
}

static bool is_there(const Onnx *o, const Tensor *t, Order order)
{
    return o->values[t->index].name[order] != NULL;
}

/* The order in which a tensor is there without a Transpose. */
static Order native(const Onnx *o, const Tensor *t)
{
    return is_there(o, t, FIRST) ? FIRST : LAST;
}

/* Names a layer's input in the order that it wants, which may take a Transpose. */
static const char *input(Onnx *o, const Tensor *t, int i, Order order)
{
    static const int turn[2][4] = { [FIRST] = { 0, 3, 1, 2 }, [LAST] = { 0, 2, 3, 1 } };
    const Tensor *x = t->in[i];
    if (!is_there(o, x, order)) {
        const char *from = o->values[x->index].name[!order];
        const char *to = onnx_named(o, "%s/%s", from, order == FIRST ? "nchw" : "nhwc");
        Protobuf node = onnx_node_begin("Transpose", to, ONNX_INPUTS(from));
        onnx_put_ints(&node, "perm", 4, turn[order]);
        onnx_node_end(o, &node);
        set_name(o, x, order, to);
    }
    return o->values[x->index].name[order];
}

static const char *param(const Tensor *t, int i)
{
    return net_param(t->net, t->first_param + i)->key;
}

/* Names parameter i, a number per channel, with the axes to be multiplied by channel. */
static const char *by_channel(Onnx *o, const Tensor *t, int i, Order order)
{
    if (t->flat || order == LAST)
        return param(t, i);
    const char *axes = onnx_integers(o, 2, (int64_t[]){ 1, 2 });
    return onnx_node(o, "Unsqueeze", onnx_named(o, "%s/cx1x1", param(t, i)),
                     ONNX_INPUTS(param(t, i), axes));
}

/* --- layers ---------------------------------------------------------------------------------- */

static void put_window(Protobuf *node, const Tensor *t)
{
    int k = t->a.kernel, s = t->a.stride, p = t->a.pad;
    onnx_put_ints(node, "kernel_shape", 2, (int[]){ k, k });
    onnx_put_ints(node, "strides", 2, (int[]){ s, s });
    onnx_put_ints(node, "pads", 4, (int[]){ p, p, p, p });
}

/* Names a convolution's weight; that of a 1x1 may be kept as a linear layer's, [out,in]. */
static const char *kernels(Onnx *o, const Tensor *t)
{
    if (net_param(t->net, t->first_param)->rank == 4)
        return param(t, 0);
    const char *axes = onnx_integers(o, 2, (int64_t[]){ 2, 3 });
    return onnx_node(o, "Unsqueeze", onnx_named(o, "%s/1x1", param(t, 0)),
                     ONNX_INPUTS(param(t, 0), axes));
}

static void conv2d_nodes(Onnx *o, const Tensor *t)
{
    const char *bias = t->params > 1 ? param(t, 1) : NULL;
    const char *x = input(o, t, 0, FIRST), *weight = kernels(o, t);
    Protobuf node = onnx_node_begin("Conv", result(o, t, FIRST), ONNX_INPUTS(x, weight, bias));
    put_window(&node, t);
    onnx_put_int(&node, "group", t->a.groups);
    onnx_node_end(o, &node);
}

static void max_pool_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    Protobuf node = onnx_node_begin("MaxPool", result(o, t, FIRST), ONNX_INPUTS(x));
    put_window(&node, t);
    onnx_node_end(o, &node);
}

static void global_avg_pool_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    onnx_node(o, "GlobalAveragePool", result(o, t, FIRST), ONNX_INPUTS(x));
}

static void flatten_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    Protobuf node = onnx_node_begin("Flatten", result(o, t, FIRST), ONNX_INPUTS(x));
    onnx_put_int(&node, "axis", 1);
    onnx_node_end(o, &node);
}

/* Writes a Gemm, which takes PyTorch's weight [out,in] as it is; linear() refuses what is no
 * vector.
 */
static void linear_nodes(Onnx *o, const Tensor *t)
{
    const char *bias = t->params > 1 ? param(t, 1) : NULL;
    const char *x = input(o, t, 0, LAST);
    Protobuf node = onnx_node_begin("Gemm", result(o, t, LAST), ONNX_INPUTS(x, param(t, 0), bias));
    onnx_put_int(&node, "transB", 1);
    onnx_node_end(o, &node);
}

static void batch_norm_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    Protobuf node =
        onnx_node_begin("BatchNormalization", result(o, t, FIRST),
                        ONNX_INPUTS(x, param(t, 0), param(t, 1), param(t, 2), param(t, 3)));
    onnx_put_float(&node, "epsilon", t->a.eps);
    onnx_node_end(o, &node);
}

/* Takes each group for a row of numbers, which an instance norm with factors of 1 normalises; the
 * real factors, one per channel, follow. ONNX has the op itself from version 18 on only. */
static void group_norm_nodes(Onnx *o, const Tensor *t)
{
    int groups = t->a.groups;
    const char *x = input(o, t, 0, FIRST), *name = result(o, t, FIRST);
    const char *rows = onnx_integers(o, 3, (int64_t[]){ 0, groups, -1 }); /* 0: as it is */
    const char *shape = onnx_integers(o, t->flat ? 2 : 4, (int64_t[]){ 0, t->c, t->h, t->w });
    rows = onnx_node(o, "Reshape", onnx_named(o, "%s/groups", name), ONNX_INPUTS(x, rows));
    const char *even = onnx_named(o, "%s/normalized", name);
    const char *one = onnx_same_floats(o, groups, 1), *zero = onnx_same_floats(o, groups, 0);
    Protobuf node = onnx_node_begin("InstanceNormalization", even, ONNX_INPUTS(rows, one, zero));
    onnx_put_float(&node, "epsilon", t->a.eps);
    onnx_node_end(o, &node);
    even = onnx_node(o, "Reshape", onnx_named(o, "%s/channels", name), ONNX_INPUTS(even, shape));
    const char *weight = by_channel(o, t, 0, FIRST), *bias = by_channel(o, t, 1, FIRST);
    const char *scaled =
        onnx_node(o, "Mul", onnx_named(o, "%s/scaled", name), ONNX_INPUTS(even, weight));
    onnx_node(o, "Add", name, ONNX_INPUTS(scaled, bias));
}

static void layer_norm_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, LAST);
    Protobuf node = onnx_node_begin("LayerNormalization", result(o, t, LAST),
                                    ONNX_INPUTS(x, param(t, 0), param(t, 1)));
    onnx_put_int(&node, "axis", -1);
    onnx_put_float(&node, "epsilon", t->a.eps);
    onnx_node_end(o, &node);
}

static void relu_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order);
    onnx_node(o, "Relu", result(o, t, order), ONNX_INPUTS(x));
}

/* Writes x·(1 + erf(x/√2))/2 in the form that ONNX Runtime recognises; ONNX has the op itself from
 * version 20 on only. */
static void gelu_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order), *name = result(o, t, order);
    const char *root = onnx_scalar(o, "sqrt2", sqrtf(2)), *one = onnx_scalar(o, "1", 1);
    const char *half = onnx_scalar(o, "0.5", 0.5f);
    const char *y = onnx_node(o, "Div", onnx_named(o, "%s/x_by_sqrt2", name), ONNX_INPUTS(x, root));
    y = onnx_node(o, "Erf", onnx_named(o, "%s/erf", name), ONNX_INPUTS(y));
    y = onnx_node(o, "Add", onnx_named(o, "%s/1_plus_erf", name), ONNX_INPUTS(y, one));
    y = onnx_node(o, "Mul", onnx_named(o, "%s/twice", name), ONNX_INPUTS(x, y));
    onnx_node(o, "Mul", name, ONNX_INPUTS(y, half));
}

static void add_nodes(Onnx *o, const Tensor *t)
{
    const Tensor *a = t->in[0], *b = t->in[1];
    bool first = is_there(o, a, FIRST) && is_there(o, b, FIRST);
    Order order = !first && is_there(o, a, LAST) && is_there(o, b, LAST) ? LAST : FIRST;
    const char *left = input(o, t, 0, order), *right = input(o, t, 1, order);
    onnx_node(o, "Add", result(o, t, order), ONNX_INPUTS(left, right));
}

static void layer_scale_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order), *gamma = by_channel(o, t, 0, order);
    onnx_node(o, "Mul", result(o, t, order), ONNX_INPUTS(x, gamma));
}

static void drop_path_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order);
    onnx_node(o, "Identity", result(o, t, order), ONNX_INPUTS(x));
}

/* Each op that ONNX has a counterpart of. */
static const struct {
    const Op *op;
    void (*nodes)(Onnx *o, const Tensor *t);
    bool images; /* not vectors */
} writers[] = {
    { &conv2d_op, conv2d_nodes, true },
    { &max_pool_op, max_pool_nodes, true },
    { &global_avg_pool_op, global_avg_pool_nodes, true },
    { &flatten_op, flatten_nodes, false },
    { &linear_op, linear_nodes, false },
    { &batch_norm_op, batch_norm_nodes, false },
    { &group_norm_op, group_norm_nodes, false },
    { &layer_norm_op, layer_norm_nodes, false },
    { &relu_op, relu_nodes, false },
    { &gelu_op, gelu_nodes, false },
    { &add_op, add_nodes, false },
    { &layer_scale_op, layer_scale_nodes, false },
    { &drop_path_op, drop_path_nodes, false },
};
enum { WRITERS = sizeof writers / sizeof *writers };

static bool write_layer(Onnx *o, const Tensor *t, Error *error)
{
    bool mixed = t->in[1] && t->in[0]->flat != t->in[1]->flat;
    for (int i = 0; i < WRITERS; i++) {
        if (writers[i].op != t->op)
            continue;
        if (mixed || (writers[i].images && t->in[0]->flat))
            return error_set(error, t->name, "%s of %s has no counterpart in ONNX", t->op->name,
                             mixed ? "an image and a vector" : "a vector");
        writers[i].nodes(o, t);
        return true;
    }
    return error_set(error, t->name, "%s has no counterpart in ONNX that this program knows of",
                     t->op->name);
}

Onnx *onnx_new(const Net *net, const char *name, const char *title, const Metadata *metadata,
               size_t metadata_count, Error *error)
{
    Onnx *o = mem_alloc(1, sizeof *o);
    o->net = net;
    o->values = mem_alloc((size_t)net_tensors(net), sizeof *o->values);
    put_type(o, ONNX_INPUT, "x", net_tensor(net, 0), FIRST);
    put_type(o, ONNX_OUTPUT, "logits", net_output(net), FIRST);
    set_name(o, net_tensor(net, 0), FIRST, "x");
    bool good = true;
    for (int i = 1; good && i < net_tensors(net); i++)
        good = write_layer(o, net_tensor(net, i), error);
    if (good && onnx_frame(o, name, title, metadata, metadata_count, error))
        return o;
    onnx_free(o);
    return NULL;
}
