/* Layers as C: of each op the function that computes it, and the call that a layer becomes. */
#ifndef EXPORT_C_LAYERS_H
#define EXPORT_C_LAYERS_H

#include "graph/net.h"

/* What the calls are about. x and y: the names of the arrays; param[i]: the text of parameter i. */
typedef struct {
    const char *x[2], *y;
    char param[4][32];
} CArrays;

typedef struct {
    const Op *op;
    const char *function;                                 /* its text, which ops may share */
    const char *uses;                                     /* a function's text before it, or NULL */
    char *(*call)(const Tensor *t, const CArrays *names); /* from the heap */
    bool in_place;                                        /* y may be x[0] */
} CLayer;

extern const CLayer c_layers[];
extern const int c_layer_count;

/* Copies an image in files' order to memory's. */
extern const char c_channels_last[];

/* Returns what computes the op; NULL: there is nothing. */
const CLayer *c_layer(const Op *op);

#endif
