/* Layers in PyTorch's words, and the lines of a function that calls them one after the other. */
#ifndef EXPORT_PYTORCH_OPS_H
#define EXPORT_PYTORCH_OPS_H

#include "base/error.h"
#include "graph/op.h"

#include <stdio.h>

typedef struct {
    const Op *op;
    /* Writes the layer's value: an expression of its inputs x and y, and of the state_dict p. */
    void (*call)(FILE *out, const Tensor *t, const char *x, const char *y);
    /* Writes the module that computes it; NULL: the layer is none. */
    void (*module)(FILE *out, const Tensor *t);
    bool plain; /* without parameters and state: the call alone will do */
} PytorchOp;

/* Returns the layer's; NULL, with `error` (may be NULL) set, where PyTorch has none that this file
 * knows of. */
const PytorchOp *pytorch_op(const Tensor *t, Error *error);

/* Writes the definitions of those functions and classes of our own that the code uses. */
void pytorch_put_helpers(FILE *out, const char *code);
bool pytorch_is_helper(const char *name);

/* Write a string of Python, and a number in as few digits as tell it from other floats. */
void pytorch_put_string(FILE *out, const char *text);
void pytorch_put_float(FILE *out, float value);

/* Pads what was written since `start` and adds the shape as a comment, and a newline. */
void pytorch_put_shape(FILE *out, long start, const Tensor *t);

/* One line of a function: the tensor that it computes, those that it reads (in[1] NULL: one). */
typedef struct {
    const Tensor *out, *in[2];
    const void *what; /* the caller's */
} PytorchLine;

typedef void PytorchCall(FILE *out, const PytorchLine *line, const char *x, const char *y);

/* Writes the lines "x = …", with shapes as comments or not, and "return" of the last line's value.
 * A value is kept under the first name of x, y, z, … that is free while it is needed; the input is
 * x. */
typedef struct {
    const char *indent;
    bool shapes;
    PytorchCall *call;
} PytorchStyle;
void pytorch_put_lines(FILE *out, const PytorchLine *lines, int count, const Tensor *input,
                       const PytorchStyle *style);

#endif
