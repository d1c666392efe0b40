/* The graph is written in the order in which the network computes it. PyTorch's order of an
 * image's numbers, channels first, is the one between layers, except behind a layer norm or a
 * linear layer, which ONNX has for the last axis only: there channels stay last until somebody
 * wants them first again.
 *
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; operators:
 * https://onnx.ai/onnx/operators, as of version 17. */
#include "cli/onnx.h"

#include "base/memory.h"
#include "graph/op.h"
#include "io/file.h"
#include "io/protobuf.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };

/* The fields of ONNX's messages, and the numbers of its types. */
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_DOC = 6, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { MODEL_METADATA = 14, PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5 };
enum { GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_VALUE_INFO = 13 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_INTS = 8 };
enum { ATTRIBUTE_KIND = 20, KIND_FLOAT = 1, KIND_INT = 2, KIND_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_DATA = 9 };
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2 };
enum { SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

/* Where an image's channels are: [n,c,h,w] or [n,h,w,c]. A vector's are both. */
typedef enum { FIRST, LAST } Order;

/* What a tensor's numbers are called in either order; NULL: they are not there in that order. */
typedef struct {
    const char *name[2];
} Value;

struct Onnx {
    const Net *net;
    Protobuf head, nodes, constants, ends, tail; /* the file, but for the weights before `ends` */
    Value *values;                               /* by tensor */
    char **names;                                /* all that were made */
    int name_count;
    const char **constant_names;
    int constant_count;
};

/* --- names ----------------------------------------------------------------------------------- */

static const char *keep(Onnx *o, char *name)
{
    o->names = mem_grow(o->names, (size_t)o->name_count + 1, sizeof *o->names);
    return o->names[o->name_count++] = name;
}
#define named(o, ...) keep((o), str_format(__VA_ARGS__))

/* A layer's value is called like the layer. But two additions in one scope share their name, and a
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
    return taken ? named(o, "%s/%d", t->name, taken) : t->name;
}

/* --- nodes ----------------------------------------------------------------------------------- */

#define INPUTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A node of that operator, to which attributes may be added. It is called like its output. */
static Protobuf node_begin(const char *type, const char *out, const char *const *in)
{
    Protobuf node = { 0 };
    for (; *in; in++)
        protobuf_text(&node, NODE_INPUT, *in);
    protobuf_text(&node, NODE_OUTPUT, out);
    protobuf_text(&node, NODE_NAME, out);
    protobuf_text(&node, NODE_TYPE, type);
    return node;
}

static void node_end(Onnx *o, Protobuf *node)
{
    protobuf_message(&o->nodes, GRAPH_NODE, node);
}

/* One without attributes; returns its output. */
static const char *put_node(Onnx *o, const char *type, const char *out, const char *const *in)
{
    Protobuf node = node_begin(type, out, in);
    node_end(o, &node);
    return out;
}

static void put_float(Protobuf *node, const char *name, float value)
{
    Protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    protobuf_float(&attribute, ATTRIBUTE_F, value);
    protobuf_int(&attribute, ATTRIBUTE_KIND, KIND_FLOAT);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

static void put_int(Protobuf *node, const char *name, int value)
{
    Protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    protobuf_int(&attribute, ATTRIBUTE_I, value);
    protobuf_int(&attribute, ATTRIBUTE_KIND, KIND_INT);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

static void put_ints(Protobuf *node, const char *name, int count, const int *values)
{
    Protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    for (int i = 0; i < count; i++)
        protobuf_int(&attribute, ATTRIBUTE_INTS, values[i]);
    protobuf_int(&attribute, ATTRIBUTE_KIND, KIND_INTS);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

/* --- constants ------------------------------------------------------------------------------- */

/* An initialiser's beginning: all but its data. */
static Protobuf tensor_begin(const char *name, int type, int rank, const int *dims)
{
    Protobuf tensor = { 0 };
    for (int i = 0; i < rank; i++)
        protobuf_int(&tensor, TENSOR_DIMS, dims[i]);
    protobuf_int(&tensor, TENSOR_TYPE, type);
    protobuf_text(&tensor, TENSOR_NAME, name);
    return tensor;
}

/* A constant that several nodes may use: put where it is asked for first. */
static const char *constant(Onnx *o, const char *name, int type, int rank, int count,
                            const void *data)
{
    for (int i = 0; i < o->constant_count; i++)
        if (strcmp(o->constant_names[i], name) == 0)
            return o->constant_names[i];
    size_t bytes = size_mul((size_t)count, type == TYPE_FLOAT ? sizeof(float) : sizeof(int64_t));
    Protobuf tensor = tensor_begin(name, type, rank, &count);
    protobuf_bytes(&tensor, TENSOR_DATA, data, bytes);
    protobuf_message(&o->constants, GRAPH_INITIALIZER, &tensor);
    o->constant_names =
        mem_grow(o->constant_names, (size_t)o->constant_count + 1, sizeof *o->constant_names);
    return o->constant_names[o->constant_count++] = name;
}

static const char *scalar(Onnx *o, const char *name, float value)
{
    return constant(o, named(o, "constant/%s", name), TYPE_FLOAT, 0, 1, &value);
}

static const char *same_floats(Onnx *o, int count, float value)
{
    float *values = mem_alloc((size_t)count, sizeof *values);
    for (int i = 0; i < count; i++)
        values[i] = value;
    const char *name = named(o, "constant/%g_x%d", (double)value, count);
    name = constant(o, name, TYPE_FLOAT, 1, count, values);
    free(values);
    return name;
}

/* A shape or axes: count whole numbers, at most 4. */
static const char *integers(Onnx *o, int count, const int64_t *values)
{
    char text[128] = "constant/";
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%lld", i ? "," : "",
                 (long long)values[i]);
    return constant(o, named(o, "%s", text), TYPE_INT64, 1, count, values);
}

/* --- values ---------------------------------------------------------------------------------- */

/* A value's name, type and shape, of which the batch is left open. */
static void put_value(Protobuf *to, int field, const char *name, const Tensor *t, Order order)
{
    int vector[] = { t->c }, first[] = { t->c, t->h, t->w }, last[] = { t->h, t->w, t->c };
    const int *sizes = t->flat ? vector : order == FIRST ? first : last;
    Protobuf shape = { 0 }, tensor = { 0 }, type = { 0 }, value = { 0 }, batch = { 0 };
    protobuf_text(&batch, DIM_PARAM, "batch");
    protobuf_message(&shape, SHAPE_DIM, &batch);
    for (int i = 0; i < (t->flat ? 1 : 3); i++) {
        Protobuf dim = { 0 };
        protobuf_int(&dim, DIM_VALUE, sizes[i]);
        protobuf_message(&shape, SHAPE_DIM, &dim);
    }
    protobuf_int(&tensor, TENSOR_ELEMENT, TYPE_FLOAT);
    protobuf_message(&tensor, TENSOR_SHAPE, &shape);
    protobuf_message(&type, TYPE_TENSOR, &tensor);
    protobuf_text(&value, VALUE_NAME, name);
    protobuf_message(&value, VALUE_TYPE, &type);
    protobuf_message(to, field, &value);
}

/* From here on tensor t is there, in that order and under that name. */
static void there(Onnx *o, const Tensor *t, Order order, const char *name)
{
    Value *v = &o->values[t->index];
    v->name[order] = name;
    if (t->flat)
        v->name[!order] = name;
}

/* The name for what a layer's last node gives. */
static const char *result(Onnx *o, const Tensor *t, Order order)
{
    const char *name = layer_name(o, t);
    there(o, t, order, name);
    if (t != net_output(o->net))
        put_value(&o->ends, GRAPH_VALUE_INFO, name, t, order);
    return name;
}

static bool is_there(const Onnx *o, const Tensor *t, Order order)
{
    return o->values[t->index].name[order] != NULL;
}

/* The order in which a tensor is there without further doing. */
static Order native(const Onnx *o, const Tensor *t)
{
    return is_there(o, t, FIRST) ? FIRST : LAST;
}

/* A layer's input in the order that it wants. */
static const char *input(Onnx *o, const Tensor *t, int i, Order order)
{
    static const int turn[2][4] = { [FIRST] = { 0, 3, 1, 2 }, [LAST] = { 0, 2, 3, 1 } };
    const Tensor *x = t->in[i];
    if (!is_there(o, x, order)) {
        const char *from = o->values[x->index].name[!order];
        const char *to = named(o, "%s/%s", from, order == FIRST ? "nchw" : "nhwc");
        Protobuf node = node_begin("Transpose", to, INPUTS(from));
        put_ints(&node, "perm", 4, turn[order]);
        node_end(o, &node);
        there(o, x, order, to);
    }
    return o->values[x->index].name[order];
}

static const char *param(const Tensor *t, int i)
{
    return net_param(t->net, t->first_param + i)->key;
}

/* Parameter i, a number per channel, with the axes that it needs to be multiplied by channel. */
static const char *by_channel(Onnx *o, const Tensor *t, int i, Order order)
{
    if (t->flat || order == LAST)
        return param(t, i);
    const char *axes = integers(o, 2, (int64_t[]){ 1, 2 });
    return put_node(o, "Unsqueeze", named(o, "%s/cx1x1", param(t, i)), INPUTS(param(t, i), axes));
}

/* --- layers ---------------------------------------------------------------------------------- */

static void put_window(Protobuf *node, const Tensor *t)
{
    int k = t->a.kernel, s = t->a.stride, p = t->a.pad;
    put_ints(node, "kernel_shape", 2, (int[]){ k, k });
    put_ints(node, "strides", 2, (int[]){ s, s });
    put_ints(node, "pads", 4, (int[]){ p, p, p, p });
}

/* A convolution's weight; that of a 1x1 may be kept as a linear layer's, [out,in]. */
static const char *kernels(Onnx *o, const Tensor *t)
{
    if (net_param(t->net, t->first_param)->rank == 4)
        return param(t, 0);
    const char *axes = integers(o, 2, (int64_t[]){ 2, 3 });
    return put_node(o, "Unsqueeze", named(o, "%s/1x1", param(t, 0)), INPUTS(param(t, 0), axes));
}

static void conv2d_nodes(Onnx *o, const Tensor *t)
{
    const char *bias = t->params > 1 ? param(t, 1) : NULL;
    const char *x = input(o, t, 0, FIRST), *weight = kernels(o, t);
    Protobuf node = node_begin("Conv", result(o, t, FIRST), INPUTS(x, weight, bias));
    put_window(&node, t);
    put_int(&node, "group", t->a.groups);
    node_end(o, &node);
}

static void max_pool_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    Protobuf node = node_begin("MaxPool", result(o, t, FIRST), INPUTS(x));
    put_window(&node, t);
    node_end(o, &node);
}

static void global_avg_pool_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    put_node(o, "GlobalAveragePool", result(o, t, FIRST), INPUTS(x));
}

static void flatten_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    Protobuf node = node_begin("Flatten", result(o, t, FIRST), INPUTS(x));
    put_int(&node, "axis", 1);
    node_end(o, &node);
}

/* Of vectors: Gemm, which takes PyTorch's weight [out,in] as it is. */
static void gemm_node(Onnx *o, const Tensor *t)
{
    const char *bias = t->params > 1 ? param(t, 1) : NULL;
    const char *x = input(o, t, 0, LAST);
    Protobuf node = node_begin("Gemm", result(o, t, LAST), INPUTS(x, param(t, 0), bias));
    put_int(&node, "transB", 1);
    node_end(o, &node);
}

/* Of images: at each pixel a product with the weight turned. */
static void linear_nodes(Onnx *o, const Tensor *t)
{
    if (t->flat) {
        gemm_node(o, t);
        return;
    }
    const char *x = input(o, t, 0, LAST), *name = result(o, t, LAST);
    const char *weight = put_node(o, "Transpose", named(o, "%s/in_x_out", param(t, 0)),
                                  INPUTS(param(t, 0))); /* reverses the axes unless told */
    if (t->params < 2) {
        put_node(o, "MatMul", name, INPUTS(x, weight));
        return;
    }
    const char *product = put_node(o, "MatMul", named(o, "%s/product", name), INPUTS(x, weight));
    put_node(o, "Add", name, INPUTS(product, param(t, 1)));
}

static void batch_norm_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, FIRST);
    Protobuf node = node_begin("BatchNormalization", result(o, t, FIRST),
                               INPUTS(x, param(t, 0), param(t, 1), param(t, 2), param(t, 3)));
    put_float(&node, "epsilon", t->a.eps);
    node_end(o, &node);
}

/* ONNX gets this op in version 18 only. Here each group is a row of numbers, which an instance norm
 * with factors of 1 normalises; the real factors, a channel each, follow. */
static void group_norm_nodes(Onnx *o, const Tensor *t)
{
    int groups = t->a.groups;
    const char *x = input(o, t, 0, FIRST), *name = result(o, t, FIRST);
    const char *rows = integers(o, 3, (int64_t[]){ 0, groups, -1 }); /* 0: as it is */
    const char *shape = integers(o, t->flat ? 2 : 4, (int64_t[]){ 0, t->c, t->h, t->w });
    rows = put_node(o, "Reshape", named(o, "%s/groups", name), INPUTS(x, rows));
    const char *even = named(o, "%s/normalized", name);
    const char *one = same_floats(o, groups, 1), *zero = same_floats(o, groups, 0);
    Protobuf node = node_begin("InstanceNormalization", even, INPUTS(rows, one, zero));
    put_float(&node, "epsilon", t->a.eps);
    node_end(o, &node);
    even = put_node(o, "Reshape", named(o, "%s/channels", name), INPUTS(even, shape));
    const char *weight = by_channel(o, t, 0, FIRST), *bias = by_channel(o, t, 1, FIRST);
    const char *scaled = put_node(o, "Mul", named(o, "%s/scaled", name), INPUTS(even, weight));
    put_node(o, "Add", name, INPUTS(scaled, bias));
}

static void layer_norm_nodes(Onnx *o, const Tensor *t)
{
    const char *x = input(o, t, 0, LAST);
    Protobuf node =
        node_begin("LayerNormalization", result(o, t, LAST), INPUTS(x, param(t, 0), param(t, 1)));
    put_int(&node, "axis", -1);
    put_float(&node, "epsilon", t->a.eps);
    node_end(o, &node);
}

static void relu_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order);
    put_node(o, "Relu", result(o, t, order), INPUTS(x));
}

/* x·(1 + erf(x/√2))/2; an operator of its own from version 20 on. In this form ONNX Runtime knows
 * it. */
static void gelu_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order), *name = result(o, t, order);
    const char *root = scalar(o, "sqrt2", sqrtf(2)), *one = scalar(o, "1", 1);
    const char *half = scalar(o, "0.5", 0.5f);
    const char *y = put_node(o, "Div", named(o, "%s/x_by_sqrt2", name), INPUTS(x, root));
    y = put_node(o, "Erf", named(o, "%s/erf", name), INPUTS(y));
    y = put_node(o, "Add", named(o, "%s/1_plus_erf", name), INPUTS(y, one));
    y = put_node(o, "Mul", named(o, "%s/twice", name), INPUTS(x, y));
    put_node(o, "Mul", name, INPUTS(y, half));
}

static void add_nodes(Onnx *o, const Tensor *t)
{
    const Tensor *a = t->in[0], *b = t->in[1];
    bool first = is_there(o, a, FIRST) && is_there(o, b, FIRST);
    Order order = !first && is_there(o, a, LAST) && is_there(o, b, LAST) ? LAST : FIRST;
    const char *left = input(o, t, 0, order), *right = input(o, t, 1, order);
    put_node(o, "Add", result(o, t, order), INPUTS(left, right));
}

static void layer_scale_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order), *gamma = by_channel(o, t, 0, order);
    put_node(o, "Mul", result(o, t, order), INPUTS(x, gamma));
}

static void drop_path_nodes(Onnx *o, const Tensor *t)
{
    Order order = native(o, t->in[0]);
    const char *x = input(o, t, 0, order);
    put_node(o, "Identity", result(o, t, order), INPUTS(x));
}

/* What ONNX knows of each op. */
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

/* --- the file -------------------------------------------------------------------------------- */

/* What stands in front of a parameter's data. */
static Protobuf param_begin(const Param *p)
{
    size_t bytes = size_mul(p->count, sizeof(float));
    Protobuf begin = { 0 }, tensor = tensor_begin(p->key, TYPE_FLOAT, p->rank, p->shape);
    protobuf_begin(&tensor, TENSOR_DATA, bytes);
    protobuf_begin(&begin, GRAPH_INITIALIZER, tensor.used + bytes);
    protobuf_put(&begin, tensor.bytes, tensor.used);
    free(tensor.bytes);
    return begin;
}

/* Behind the graph. The layers are in the graph itself. */
static void write_metadata(Protobuf *tail, const MetadataList *metadata)
{
    for (size_t i = 0; i < metadata->count; i++) {
        Protobuf pair = { 0 };
        protobuf_text(&pair, PAIR_KEY, metadata->items[i].key);
        protobuf_text(&pair, PAIR_VALUE, metadata->items[i].value);
        if (strcmp(metadata->items[i].key, "layers") != 0)
            protobuf_message(tail, MODEL_METADATA, &pair);
        free(pair.bytes);
    }
}

/* The beginning and the end of the file, and how long it is. */
static double write_frame(Onnx *o, const char *name, const char *title,
                          const MetadataList *metadata)
{
    protobuf_text(&o->nodes, GRAPH_NAME, name);
    double size = 0;
    size_t graph = o->nodes.used + o->constants.used + o->ends.used;
    for (int i = 0; i < net_params(o->net); i++) {
        Protobuf begin = param_begin(net_param(o->net, i));
        graph += begin.used + net_param(o->net, i)->count * sizeof(float);
        size += (double)begin.used + (double)net_param(o->net, i)->count * sizeof(float);
        free(begin.bytes);
    }
    protobuf_int(&o->head, MODEL_IR_VERSION, IR_VERSION);
    protobuf_text(&o->head, MODEL_PRODUCER, name);
    protobuf_text(&o->head, MODEL_DOC, title);
    protobuf_begin(&o->head, MODEL_GRAPH, graph);
    Protobuf opset = { 0 };
    protobuf_int(&opset, OPSET_VERSION, OPSET);
    protobuf_message(&o->tail, MODEL_OPSET, &opset);
    write_metadata(&o->tail, metadata);
    return size +
           (double)(o->nodes.used + o->constants.used + o->ends.used + o->head.used + o->tail.used);
}

Onnx *onnx_new(const Net *net, const char *name, const char *title, const MetadataList *metadata,
               Error *error)
{
    Onnx *o = mem_alloc(1, sizeof *o);
    o->net = net;
    o->values = mem_alloc((size_t)net_tensors(net), sizeof *o->values);
    put_value(&o->ends, GRAPH_INPUT, "x", net_tensor(net, 0), FIRST);
    put_value(&o->ends, GRAPH_OUTPUT, "logits", net_output(net), FIRST);
    there(o, net_tensor(net, 0), FIRST, "x");
    bool good = true;
    for (int i = 1; good && i < net_tensors(net); i++)
        good = write_layer(o, net_tensor(net, i), error);
    double size = good ? write_frame(o, name, title, metadata) : 0;
    if (size > PROTOBUF_MOST)
        good = error_set(error, "--onnx",
                         "the file would have %.2f GiB, more than the 2 that ONNX has room for",
                         size / (1 << 30));
    if (good)
        return o;
    onnx_free(o);
    return NULL;
}

void onnx_free(Onnx *o)
{
    if (!o)
        return;
    for (int i = 0; i < o->name_count; i++)
        free(o->names[i]);
    free(o->names);
    free(o->constant_names);
    free(o->values);
    free(o->head.bytes);
    free(o->nodes.bytes);
    free(o->constants.bytes);
    free(o->ends.bytes);
    free(o->tail.bytes);
    free(o);
}

/* begins: what stands before each parameter's numbers; data: room for any one's. */
static void put_all(const Onnx *o, FileWriter *writer, const Weights *weights,
                    const Protobuf *begins, float *data)
{
    file_put(writer, o->head.bytes, o->head.used);
    file_put(writer, o->nodes.bytes, o->nodes.used);
    file_put(writer, o->constants.bytes, o->constants.used);
    for (int i = 0; i < weights->count; i++) {
        const Param *p = &weights->params[i];
        layout_to_file(p, weights->values[i], data);
        file_put(writer, begins[i].bytes, begins[i].used);
        file_put(writer, data, p->count * sizeof *data);
    }
    file_put(writer, o->ends.bytes, o->ends.used);
    file_put(writer, o->tail.bytes, o->tail.used);
}

/* All memory is there before the file is begun: where it is short nothing half-written is left. */
bool onnx_write(const Onnx *o, const Weights *weights, const char *path, Error *error)
{
    Protobuf *begins = mem_alloc((size_t)weights->count, sizeof *begins);
    size_t most = 0;
    for (int i = 0; i < weights->count; i++) {
        begins[i] = param_begin(&weights->params[i]);
        most = weights->params[i].count > most ? weights->params[i].count : most;
    }
    float *data = mem_alloc(most, sizeof *data);
    FileWriter *writer = file_create(path, error);
    if (writer)
        put_all(o, writer, weights, begins, data);
    for (int i = 0; i < weights->count; i++)
        free(begins[i].bytes);
    free(begins);
    free(data);
    return writer && file_commit(writer, error);
}
