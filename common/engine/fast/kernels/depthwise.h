/* Convolutions with few channels a group: depthwise (one) and the grouped ones of step 04.
 *
 * x: [n,h,w,groups·group_in], y: [n,out_h,out_w,groups·group_out].
 * weight: [kernel,kernel,group_in,groups·group_out]: tap by tap, the output channels side by side,
 * so that a vector holds neighbouring output channels. Output channel o reads the input channels
 * (o / group_out)·group_in + j, j < group_in. For a depthwise convolution that is
 * [kernel,kernel,C]. */
#ifndef ENGINE_FAST_KERNELS_DEPTHWISE_H
#define ENGINE_FAST_KERNELS_DEPTHWISE_H

#include "graph/act.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    int n, h, w;                     /* the input's images */
    int groups, group_in, group_out; /* channels a group */
    int kernel, stride, pad, out_h, out_w;
} Grouped;

/* Scratch memory that any of the functions below needs for thread_count() threads, in floats. */
size_t grouped_work(const Grouped *g);

/* The weight packed once for many convolutions: how many floats, and the packing. */
size_t grouped_packed(const Grouped *g);
void grouped_pack(const Grouped *g, const float *weight, float *packed);

/* y = act(conv(x, weight) + bias + residual); bias ([C_out]) and residual (like y) may be NULL.
 * packed: the weight as grouped_pack wrote it, or NULL: packed on the way. */
void grouped_forward(const Grouped *g, const float *x, const float *weight, const float *packed,
                     const float *bias, const float *residual, Act act, float *y, float *work);

/* dx (+)= the gradient with respect to x. */
void grouped_backward_input(const Grouped *g, const float *dy, const float *weight, bool accumulate,
                            float *dx, float *work);

/* dweight = the gradient with respect to the weight. */
void grouped_backward_weight(const Grouped *g, const float *x, const float *dy, float *dweight,
                             float *work);

#endif
