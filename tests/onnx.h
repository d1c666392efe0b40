/* Parses and runs ONNX models, written from the format's documents alone:
 * https://onnx.ai/onnx/repo-docs and https://protobuf.dev/programming-guides/encoding. An invalid
 * model fails the test. */
#ifndef TESTS_ONNX_H
#define TESTS_ONNX_H

#include <stddef.h>
#include <stdint.h>

enum { ONNX_RANK = 4, ONNX_IN = 5, ONNX_ATTRIBUTES = 4, ONNX_INTS = 4 };
enum { ONNX_FLOAT = 1, ONNX_INT64 = 7 };

typedef struct {
    char *name;
    int type, rank;
    int64_t dims[ONNX_RANK];
    const unsigned char *data; /* little-endian */
    size_t bytes;
} OnnxTensor;

/* One of f, i and ints is set, according to kind: 1, 2 or 7. */
typedef struct {
    char *name;
    int kind, count;
    float f;
    int64_t i, ints[ONNX_INTS];
} OnnxAttribute;

typedef struct {
    char *name, *type, *out, *in[ONNX_IN];
    int in_count, attribute_count;
    OnnxAttribute attributes[ONNX_ATTRIBUTES];
} OnnxNode;

/* A dimension with a name instead of a size is -1, and `open` is that name. */
typedef struct {
    char *name, *open;
    int type, rank;
    int64_t dims[ONNX_RANK];
} OnnxValue;

typedef struct {
    char *key, *value;
} OnnxPair;

typedef struct {
    int64_t ir_version, opset;
    char *producer, *doc, *name, *opset_domain; /* NULL where absent */
    OnnxNode *nodes;
    OnnxTensor *tensors;
    OnnxValue *values, *inputs, *outputs;
    OnnxPair *metadata;
    int metadata_count, node_count, tensor_count, value_count, input_count, output_count;
    char **texts; /* all strings */
    int text_count;
} OnnxModel;

/* Parses a model; every field must be known here and have its proper type. The tensors point into
 * `bytes`. */
OnnxModel onnx_parse(const char *bytes, size_t size);
void onnx_model_free(OnnxModel *model);

const char *onnx_metadata(const OnnxModel *model, const char *key);      /* NULL: none */
const OnnxTensor *onnx_tensor(const OnnxModel *model, const char *name); /* NULL: none */
const OnnxValue *onnx_value(const OnnxModel *model, const char *name);   /* likewise */

/* Returns the output for x, whose shape is the input's with a batch of n; malloc'd. Computes in
 * float64. Fails the test if a value is used before it is defined, is defined twice, or differs
 * from the shape that the model declares. */
double *onnx_run(const OnnxModel *model, const float *x, int n, size_t *count);

#endif
