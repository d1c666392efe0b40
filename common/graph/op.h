/* What an op is: a name and functions on plain arrays. A layer is an op with a shape and
 * parameters; whoever runs it (the plan, a test) says where the arrays lie by a Call. */
#ifndef GRAPH_OP_H
#define GRAPH_OP_H

#include "graph/net.h"
#include "kernels/act.h"

/* One call of an op. Arrays are float32, pictures [n,h,w,c], parameters in their layout. */
typedef struct {
    const float *x[2];  /* the inputs' values */
    float *y;           /* the output's values */
    const float *dy;    /* the loss's gradient with respect to y … */
    float *dx[2];       /* … and where that with respect to x goes; NULL: nobody asks */
    bool accumulate[2]; /* add to dx instead of setting it */

    float *const *param; /* the parameters' values, in the order they were added; */
    float *const *grad;  /* where their gradients go (set, not added) */
    float *saved;        /* op->saved floats that forward leaves for backward */
    float *work;         /* op->work floats of scratch memory */

    bool training; /* batch statistics, running statistics updated */
    bool again;    /* y is computed once more for backward, from what was saved: no side effects */

    /* Inference may hand a convolution what comes after it, and a batch norm its activation. Other
     * ops read none of these. */
    const float *packed;   /* the weight as conv2d_pack made it; param[0] is not read then */
    const float *bias;     /* in place of param[1] when packed is set */
    const float *residual; /* y = act(conv + residual) */
    Act act;
    size_t x_row, y_row; /* floats from one pixel to the next, see conv2d_row; 0: the channels */
} Call;

typedef enum {
    BACKWARD_READS_X0 = 1, /* backward reads the values x[0] … */
    BACKWARD_READS_Y = 2,  /* … y */
    CHEAP = 4,             /* values are computed again for backward rather than kept */
    IN_PLACE = 8,          /* forward may write y over x[0], backward dx[0] over dy */
} OpFlags;

struct Op {
    const char *name;
    unsigned flags;
    /* The definition in the plainest loops: what forward is tested against, and what to read first.
     */
    void (*define)(const Tensor *t, const Call *c);
    /* Its derivative in the plainest loops, what backward is tested against. By the chain rule it
     * adds Σ dy·∂y/∂x[k] to dx[k], and Σ dy·∂y/∂param[i] to grad[i] of what is trained. Reads x, y,
     * dy and param. */
    void (*derive)(const Tensor *t, const Call *c);
    /* The fast way, or NULL: then the plans run define and derive, and no flag holds. */
    void (*forward)(const Tensor *t, const Call *c);
    void (*backward)(const Tensor *t, const Call *c);
    size_t (*saved)(const Tensor *t); /* floats; NULL: none */
    size_t (*work)(const Tensor *t);  /* forward's scratch memory in floats; NULL: none */
    /* Backward's, and forward's with a weight that is not packed; dx: whether the input's gradient
     * is wanted; NULL: the same as forward's. */
    size_t (*work_backward)(const Tensor *t, bool dx);
    /* Whether y is the very x[0] and nothing is computed; NULL: it is not. */
    bool (*is_view)(const Tensor *t, bool training);
};

#endif
