/* Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
#include "export/onnx_model.h"

#include "io/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IR_VERSION = 8, OPSET = 17 };

/* Fields of ONNX's messages, and the numbers of its types. */
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_DOC = 6, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { MODEL_METADATA = 14, PAIR_KEY = 1, PAIR_VALUE = 2 };
enum { OPSET_VERSION = 2 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5 }; /* and OnnxRole */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_INTS = 8 };
enum { ATTRIBUTE_KIND = 20, KIND_FLOAT = 1, KIND_INT = 2, KIND_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_DATA = 9 };
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2 };
enum { SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

/* --- names ----------------------------------------------------------------------------------- */

const char *onnx_keep(Onnx *o, char *name)
{
    o->names = mem_grow(o->names, (size_t)o->name_count + 1, sizeof *o->names);
    return o->names[o->name_count++] = name;
}

/* --- nodes ----------------------------------------------------------------------------------- */

Protobuf onnx_node_begin(const char *type, const char *out, const char *const *in)
{
    Protobuf node = { 0 };
    for (; *in; in++)
        protobuf_text(&node, NODE_INPUT, *in);
    protobuf_text(&node, NODE_OUTPUT, out);
    protobuf_text(&node, NODE_NAME, out);
    protobuf_text(&node, NODE_TYPE, type);
    return node;
}

void onnx_node_end(Onnx *o, Protobuf *node)
{
    protobuf_message(&o->nodes, GRAPH_NODE, node);
}

const char *onnx_node(Onnx *o, const char *type, const char *out, const char *const *in)
{
    Protobuf node = onnx_node_begin(type, out, in);
    onnx_node_end(o, &node);
    return out;
}

void onnx_put_float(Protobuf *node, const char *name, float value)
{
    Protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    protobuf_float(&attribute, ATTRIBUTE_F, value);
    protobuf_int(&attribute, ATTRIBUTE_KIND, KIND_FLOAT);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

void onnx_put_int(Protobuf *node, const char *name, int value)
{
    Protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    protobuf_int(&attribute, ATTRIBUTE_I, value);
    protobuf_int(&attribute, ATTRIBUTE_KIND, KIND_INT);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

void onnx_put_ints(Protobuf *node, const char *name, int count, const int *values)
{
    Protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, name);
    for (int i = 0; i < count; i++)
        protobuf_int(&attribute, ATTRIBUTE_INTS, values[i]);
    protobuf_int(&attribute, ATTRIBUTE_KIND, KIND_INTS);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

/* --- constants ------------------------------------------------------------------------------- */

/* Begins an initialiser: all but its data. */
static Protobuf tensor_begin(const char *name, int type, int rank, const int *dims)
{
    Protobuf tensor = { 0 };
    for (int i = 0; i < rank; i++)
        protobuf_int(&tensor, TENSOR_DIMS, dims[i]);
    protobuf_int(&tensor, TENSOR_TYPE, type);
    protobuf_text(&tensor, TENSOR_NAME, name);
    return tensor;
}

/* Adds a constant that several nodes may use, where it is asked for first. */
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

const char *onnx_scalar(Onnx *o, const char *name, float value)
{
    return constant(o, onnx_named(o, "constant/%s", name), TYPE_FLOAT, 0, 1, &value);
}

const char *onnx_same_floats(Onnx *o, int count, float value)
{
    float *values = mem_alloc((size_t)count, sizeof *values);
    for (int i = 0; i < count; i++)
        values[i] = value;
    const char *name = onnx_named(o, "constant/%g_x%d", (double)value, count);
    name = constant(o, name, TYPE_FLOAT, 1, count, values);
    free(values);
    return name;
}

const char *onnx_integers(Onnx *o, int count, const int64_t *values)
{
    char text[128] = "constant/";
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%lld", i ? "," : "",
                 (long long)values[i]);
    return constant(o, onnx_named(o, "%s", text), TYPE_INT64, 1, count, values);
}

/* --- values ---------------------------------------------------------------------------------- */

void onnx_put_value(Onnx *o, OnnxRole role, const char *name, int count, const int *sizes)
{
    Protobuf shape = { 0 }, tensor = { 0 }, type = { 0 }, value = { 0 }, batch = { 0 };
    protobuf_text(&batch, DIM_PARAM, "batch");
    protobuf_message(&shape, SHAPE_DIM, &batch);
    for (int i = 0; i < count; i++) {
        Protobuf dim = { 0 };
        protobuf_int(&dim, DIM_VALUE, sizes[i]);
        protobuf_message(&shape, SHAPE_DIM, &dim);
    }
    protobuf_int(&tensor, TENSOR_ELEMENT, TYPE_FLOAT);
    protobuf_message(&tensor, TENSOR_SHAPE, &shape);
    protobuf_message(&type, TYPE_TENSOR, &tensor);
    protobuf_text(&value, VALUE_NAME, name);
    protobuf_message(&value, VALUE_TYPE, &type);
    protobuf_message(&o->ends, (int)role, &value);
}

/* --- the file -------------------------------------------------------------------------------- */

/* Begins a parameter's field, up to its numbers. */
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

/* Leaves out the layers, which are in the graph itself. */
static void put_metadata(Protobuf *tail, const Metadata *metadata, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Protobuf pair = { 0 };
        protobuf_text(&pair, PAIR_KEY, metadata[i].key);
        protobuf_text(&pair, PAIR_VALUE, metadata[i].value);
        if (strcmp(metadata[i].key, "layers") != 0)
            protobuf_message(tail, MODEL_METADATA, &pair);
        free(pair.bytes);
    }
}

bool onnx_frame(Onnx *o, const char *name, const char *title, const Metadata *metadata,
                size_t metadata_count, Error *error)
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
    put_metadata(&o->tail, metadata, metadata_count);
    size += (double)(o->nodes.used + o->constants.used + o->ends.used);
    size += (double)(o->head.used + o->tail.used);
    if (size > PROTOBUF_MOST)
        return error_set(error, "--onnx",
                         "the file would have %.2f GiB, more than the 2 that ONNX has room for",
                         size / (1 << 30));
    return true;
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

/* begins: each parameter's field up to its numbers; data: room for the largest's. */
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

/* Takes all memory before the file is begun: where it is short nothing half-written is left. */
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
