/* The messages of an ONNX file: a model is made by adding nodes, constants and the types of values,
 * and written with its weights. Which nodes a network's layers become is in export/onnx.c. */
#ifndef EXPORT_ONNX_MODEL_H
#define EXPORT_ONNX_MODEL_H

#include "base/memory.h"
#include "export/onnx.h"
#include "io/protobuf.h"

/* A tensor's values in the model, by the order of their numbers; NULL: not there in that order. */
typedef struct {
    const char *name[2];
} OnnxValue;

struct Onnx {
    const Net *net;
    OnnxValue *values;                           /* by tensor */
    Protobuf head, nodes, constants, ends, tail; /* the file, but for the weights before `ends` */
    char **names;                                /* on the heap, freed with the model */
    int name_count;
    const char **constant_names;
    int constant_count;
};

/* Keeps a name, from the heap, until the model is freed. */
const char *onnx_keep(Onnx *o, char *name);
#define onnx_named(o, ...) onnx_keep((o), str_format(__VA_ARGS__))

/* --- nodes ----------------------------------------------------------------------------------- */

#define ONNX_INPUTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Begins a node of that operator, to which attributes may be added. It is called like its output.
 */
Protobuf onnx_node_begin(const char *type, const char *out, const char *const *in);
void onnx_node_end(Onnx *o, Protobuf *node);

/* Adds a node without attributes; returns its output. */
const char *onnx_node(Onnx *o, const char *type, const char *out, const char *const *in);

void onnx_put_float(Protobuf *node, const char *name, float value);
void onnx_put_int(Protobuf *node, const char *name, int value);
void onnx_put_ints(Protobuf *node, const char *name, int count, const int *values);

/* --- constants ------------------------------------------------------------------------------- */

/* Add a constant where the model has none of that name; return the name, for nodes to use. */
const char *onnx_scalar(Onnx *o, const char *name, float value);
const char *onnx_same_floats(Onnx *o, int count, float value);
/* A shape or axes: count whole numbers, at most 4. */
const char *onnx_integers(Onnx *o, int count, const int64_t *values);

/* --- values ---------------------------------------------------------------------------------- */

typedef enum { ONNX_INPUT = 11, ONNX_OUTPUT = 12, ONNX_INSIDE = 13 } OnnxRole;

/* Adds the type of a value: float32 of [batch, sizes…], a batch of any size. */
void onnx_put_value(Onnx *o, OnnxRole role, const char *name, int count, const int *sizes);

/* --- the file -------------------------------------------------------------------------------- */

/* Completes the file when all of the graph is there. Fails where it would be longer than ONNX's 2
 * GiB. */
bool onnx_frame(Onnx *o, const char *name, const char *title, const Metadata *metadata,
                size_t metadata_count, Error *error);

#endif
