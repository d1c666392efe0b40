/* What the kernels for convolutions share: a convolution's shape, and the arrays of its forward. */
#ifndef ENGINE_FAST_KERNELS_CONV_H
#define ENGINE_FAST_KERNELS_CONV_H

#include "graph/act.h"

/* x: [n,h,w,in], y: [n,out_h,out_w,out]; each of the groups makes out / groups channels of y from
 * in / groups of x. */
typedef struct {
    int n, h, w, in;
    int out_h, out_w, out;
    int groups, kernel, stride, pad;
} ConvShape;

/* y = act(conv(x, weight) + bias + residual); bias ([out]) and residual (like y) may be NULL. */
typedef struct {
    ConvShape shape;
    const float *x;
    const float *packed; /* the weight packed for this kernel; NULL: it packs `weight` on the way */
    const float *weight;
    const float *bias, *residual;
    Act act;
    float *y;
    float *work; /* the kernel's scratch memory */
} Conv;

/* The shape of the convolution that makes dx of dy, with the kernel turned round: of stride 1 over
 * the pixels of dy, which lie s->stride apart. */
static inline ConvShape conv_transposed(const ConvShape *s)
{
    return (ConvShape){ .n = s->n,
                        .h = s->out_h,
                        .w = s->out_w,
                        .in = s->out,
                        .out_h = s->h,
                        .out_w = s->w,
                        .out = s->in,
                        .groups = s->groups,
                        .kernel = s->kernel,
                        .stride = 1,
                        .pad = s->kernel - 1 - s->pad };
}

#endif
