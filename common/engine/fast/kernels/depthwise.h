/* Convolutions with few channels per group: depthwise (one) and grouped.
 *
 * weight: [kernel,kernel,in/groups,out]: tap by tap, the output channels side by side, so that a
 * vector holds neighbouring output channels. For a depthwise convolution that is
 * [kernel,kernel,C]. Scratch memory: grouped_work floats for any of the functions. */
#ifndef ENGINE_FAST_KERNELS_DEPTHWISE_H
#define ENGINE_FAST_KERNELS_DEPTHWISE_H

#include "engine/fast/kernels/conv.h"

#include <stdbool.h>
#include <stddef.h>

/* Floats of scratch memory for thread_count() threads. */
size_t grouped_work(const ConvShape *s);

/* The weight packed once for many convolutions: how many floats, and the packing. */
size_t grouped_packed(const ConvShape *s);
void grouped_pack(const ConvShape *s, const float *weight, float *packed);

void grouped_forward(const Conv *c);

/* dx (+)= the gradient with respect to x. */
void grouped_backward_input(const ConvShape *s, const float *dy, const float *weight,
                            bool accumulate, float *dx, float *work);

/* dweight = the gradient with respect to the weight. */
void grouped_backward_weight(const ConvShape *s, const float *x, const float *dy, float *dweight,
                             float *work);

#endif
