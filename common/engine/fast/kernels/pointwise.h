/* Element by element: activations, sums, scales, and their gradients; vectorised and parallel. */
#ifndef ENGINE_FAST_KERNELS_POINTWISE_H
#define ENGINE_FAST_KERNELS_POINTWISE_H

#include "graph/act.h"

#include <stdbool.h>
#include <stddef.h>

/* y = act(x); y may be x. GELU is x·Φ(x) by erfc, not the tanh approximation. */
void act_forward(Act act, const float *x, size_t count, float *y);

/* dx (+)= dy·act'(x); dx may be dy where accumulate is false. */
void act_backward(Act act, const float *x, const float *dy, size_t count, bool accumulate,
                  float *dx);

/* y = a + b; y may be a or b. */
void array_add(const float *a, const float *b, size_t count, float *y);

/* y (+)= x·factor; y may be x where accumulate is false. */
void array_scale(const float *x, float factor, size_t count, bool accumulate, float *y);

/* y[r,c] (+)= x[r,c]·scale[c]; y may be x where accumulate is false. */
void channel_scale(const float *x, size_t rows, int channels, const float *scale, bool accumulate,
                   float *y);

/* sum[c] = Σ over rows of a[r,c]·b[r,c], or of a[r,c] where b is NULL; float64 sums in fixed
 * pieces. work: channel_sum_work(rows, channels) floats. */
size_t channel_sum_work(size_t rows, int channels);
void channel_sum(const float *a, const float *b, size_t rows, int channels, float *sum,
                 float *work);

#endif
