/* An op: a name and functions on plain arrays. A layer is an op with a shape and parameters; an
 * engine or a test that runs it passes the arrays in a Call. */
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

    float *const *param; /* the parameters' values, in the order of net_add_param … */
    float *const *grad;  /* … and the loss's gradient with respect to them */
    float *drawn;        /* the n factors that op->draw drew, one per sample */

    bool training; /* uses batch statistics, which update the running ones, and drawn factors */
} Call;

/* Properties that let the engine combine an op with its neighbours. */
typedef enum {
    OP_SUMS = 1, /* y = x[0] + x[1]: each gradient is dy unchanged */
} OpFlags;

struct Op {
    const char *name;
    unsigned flags;
    Act act; /* the activation that the op is; IDENTITY: none */
    /* Computes y in the plainest loops: the op's definition, with which fast ways are compared. */
    void (*define)(const Tensor *t, const Call *c);
    /* Computes the derivative in the plainest loops. By the chain rule it adds Σ dy·∂y/∂x[k] to
     * dx[k], and Σ dy·∂y/∂param[i] to grad[i] of trained parameters. Reads x, y, dy and param. */
    void (*derive)(const Tensor *t, const Call *c);
    /* Draws the factors that apply from the next forward on; NULL: the op is not random. */
    void (*draw)(const Tensor *t, Random r, float *factors);
    /* Returns true if y is x[0] itself and nothing is computed; NULL: never. */
    bool (*is_view)(const Tensor *t, bool training);
};

#endif
