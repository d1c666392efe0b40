/* The fast way of an op: computes its definition and derivative, except for rounding, with kernels
 * that use vectors and threads. An op without one runs by its definition. */
#ifndef ENGINE_FAST_FAST_H
#define ENGINE_FAST_FAST_H

#include "graph/op.h"

/* A call of a fast way: the op's call, and what the plan adds. */
typedef struct {
    Call call;          /* grad is set, not added to; dx[k] NULL: not wanted */
    bool accumulate[2]; /* add to dx[k] instead of setting it */
    float *saved;       /* fast->saved floats that forward leaves for backward */
    float *work;        /* fast->work floats of scratch memory */
    bool recompute;     /* computes y again for backward, from saved values: no side effects */

    /* For a product in inference, the layers fused into it: */
    const float *packed;   /* the weight, packed by fast->pack; param[0] is then not read */
    const float *bias;     /* replaces param[1] if packed is set */
    const float *residual; /* y = act(product + residual) */
    Act act;
    size_t x_stride, y_stride; /* pixel strides in floats; 0: the number of channels */
} FastCall;

typedef enum {
    READS_X = 1,      /* backward reads the values x[0] … */
    READS_Y = 2,      /* … y */
    RECOMPUTABLE = 4, /* values may be recomputed for backward instead of being kept */
    IN_PLACE = 8,     /* forward may write y over x[0], backward dx[0] over dy */
} FastFlags;

typedef struct {
    const Op *op;
    unsigned flags;
    void (*forward)(const Tensor *t, const FastCall *c);
    void (*backward)(const Tensor *t, const FastCall *c);
    size_t (*saved)(const Tensor *t); /* saved values, in floats; NULL: none */
    size_t (*work)(const Tensor *t);  /* forward's workspace in floats; NULL: none */
    /* Backward's workspace, which also serves forward with an unpacked weight; dx: the input's
     * gradient is wanted; NULL: as forward's. */
    size_t (*work_backward)(const Tensor *t, bool dx);

    /* For products: the number of floats of the weight packed for forward, and the packing, done
     * once for many inputs. Layers after a product may be folded into it. */
    size_t (*packed)(const Tensor *t);
    void (*pack)(const Tensor *t, const float *weight, float *packed);
    /* Returns the best pixel stride, in floats, of a tensor written by one product and read only by
     * another; 0: the number of channels. NULL: always the number of channels. */
    size_t (*pixel_stride)(const Tensor *writer, const Tensor *reader);
    /* For an op that in inference is affine per channel: turns a·x + b of channel c, its input,
     * into its output. */
    void (*fold)(const Tensor *t, float *const *param, int c, double *a, double *b);
} Fast;

/* Returns NULL for an op without a fast way. */
const Fast *fast_of(const Op *op);

#endif
