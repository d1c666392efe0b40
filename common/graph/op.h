/* What an op is: a name and functions on plain arrays. A layer is an op with a shape and
 * parameters; whoever runs it (an engine, a test) says where the arrays lie by a Call. */
#ifndef GRAPH_OP_H
#define GRAPH_OP_H

#include "base/random.h"
#include "graph/act.h"
#include "graph/net.h"

/* One call of an op. Arrays are float32, images [n,h,w,c], parameters in their layout. */
typedef struct {
    const float *x[2]; /* the inputs' values */
    float *y;          /* the output's values */
    const float *dy;   /* the loss's gradient with respect to y … */
    float *dx[2];      /* … and to x */

    float *const *param; /* the parameters' values, in the order they were added … */
    float *const *grad;  /* … and the loss's gradient with respect to them */
    float *drawn;        /* the n factors that op->draw drew, one per sample */

    bool training; /* batch statistics, which move the running ones; drawn factors */
} Call;

/* What the engine may do with an op and its neighbours. */
typedef enum {
    OP_SUMS = 1, /* y = x[0] + x[1]: the gradient of each is dy as it is */
} OpFlags;

struct Op {
    const char *name;
    unsigned flags;
    Act act; /* of an activation: which; IDENTITY: it is none */
    /* The definition in the plainest loops: what to read first, and what fast ways are held to. */
    void (*define)(const Tensor *t, const Call *c);
    /* Its derivative in the plainest loops. By the chain rule it adds Σ dy·∂y/∂x[k] to dx[k], and
     * Σ dy·∂y/∂param[i] to grad[i] of what is trained. Reads x, y, dy and param. */
    void (*derive)(const Tensor *t, const Call *c);
    /* Draws the factors that hold from the next forward on; NULL: the op is not random. */
    void (*draw)(const Tensor *t, Random r, float *factors);
    /* Whether y is the very x[0] and nothing is computed; NULL: it is not. */
    bool (*is_view)(const Tensor *t, bool training);
};

#endif
