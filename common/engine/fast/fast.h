/* The fast way of an op: the same as its definition and derivative, but for rounding, by kernels
 * on vectors and threads. An op that has none runs by its definition. */
#ifndef ENGINE_FAST_FAST_H
#define ENGINE_FAST_FAST_H

#include "graph/op.h"

/* A call of a fast way: that of the op, and what only plans know. */
typedef struct {
    Call call;          /* grad is set, not added to; dx[k] NULL: nobody asks for it */
    bool accumulate[2]; /* add to dx[k] instead of setting it */
    float *saved;       /* fast->saved floats that forward leaves for backward */
    float *work;        /* fast->work floats of scratch memory */
    bool recompute;     /* y once more for backward, from what was saved: no side effects */

    /* Inference hands a product what comes after it. */
    const float *packed;   /* the weight as fast->pack made it; param[0] is not read then */
    const float *bias;     /* in place of param[1] when packed is set */
    const float *residual; /* y = act(product + residual) */
    Act act;
    size_t x_stride, y_stride; /* floats from one pixel to the next; 0: the channels */
} FastCall;

typedef enum {
    READS_X = 1,      /* backward reads the values x[0] … */
    READS_Y = 2,      /* … y */
    RECOMPUTABLE = 4, /* values may be computed again for backward rather than kept */
    IN_PLACE = 8,     /* forward may write y over x[0], backward dx[0] over dy */
} FastFlags;

typedef struct {
    const Op *op;
    unsigned flags;
    void (*forward)(const Tensor *t, const FastCall *c);
    void (*backward)(const Tensor *t, const FastCall *c);
    size_t (*saved)(const Tensor *t); /* floats; NULL: none */
    size_t (*work)(const Tensor *t);  /* forward's scratch memory in floats; NULL: none */
    /* Backward's, and forward's with a weight that is not packed; dx: whether the input's gradient
     * is wanted; NULL: the same as forward's. */
    size_t (*work_backward)(const Tensor *t, bool dx);

    /* A product's weight in the form that forward likes best, made once for many inputs: how many
     * floats, and the making. What follows a product is folded into it. */
    size_t (*packed)(const Tensor *t);
    void (*pack)(const Tensor *t, const float *weight, float *packed);
    /* The best distance between the pixels of what one product writes and another one alone reads,
     * in floats; 0: the channels, as for all others. NULL: the channels. */
    size_t (*pixel_stride)(const Tensor *writer, const Tensor *reader);
    /* Of an op that in inference is a line per channel: turns a·x + b of channel c before it into
     * what comes after it. */
    void (*fold)(const Tensor *t, float *const *param, int c, double *a, double *b);
} Fast;

/* NULL: the op has none. */
const Fast *fast_of(const Op *op);

#endif
