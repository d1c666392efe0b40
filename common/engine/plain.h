/* The plain engine: a network run forward and backward as its layers are defined.
 *
 * What engine/fast computes is what this computes, but for rounding, in a small part of its time
 * and memory. */
#ifndef ENGINE_PLAIN_H
#define ENGINE_PLAIN_H

#include "base/random.h"
#include "graph/net.h"
#include "graph/weights.h"

typedef struct Plain Plain;

/* Allocates; the network must outlive it. Its last tensor is the output, or the one that is given.
 */
Plain *plain_new(const Net *net);
Plain *plain_new_to(const Net *net, const Tensor *last);
void plain_free(Plain *plain);

float *plain_input(Plain *plain); /* [n,h,w,c], for the caller to fill before every forward */

/* Draws which paths are dropped from the next forward on; without it none is. */
void plain_drop(Plain *plain, Random r);

/* training: with the batch's statistics, which move the running ones in `weights`, and with dropped
 * paths; else as a trained network runs. */
void plain_forward(Plain *plain, Weights *weights, bool training);
const float *plain_output(const Plain *plain);
/* Any tensor's, [n,h,w,c]. */
const float *plain_values(const Plain *plain, const Tensor *t);

/* The gradient of every trained parameter into `gradients` (0 of the others), from that of the
 * output, which the caller wrote after forward. */
float *plain_output_gradient(Plain *plain);
void plain_backward(Plain *plain, Weights *weights, Weights *gradients);
const float *plain_input_gradient(const Plain *plain); /* [n,h,w,c], after backward */

size_t plain_needs(const Net *net); /* bytes that plain_new takes */

#endif
