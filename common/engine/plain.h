/* The plain engine: runs a network forward and backward by its layers' definitions.
 *
 * engine/fast computes the same, except for rounding, in a small part of the time and memory. */
#ifndef ENGINE_PLAIN_H
#define ENGINE_PLAIN_H

#include "base/random.h"
#include "graph/net.h"
#include "graph/weights.h"

typedef struct Plain Plain;

/* Allocates an engine; the network must outlive it. The output is the network's last tensor, or
 * `last`. */
Plain *plain_new(const Net *net);
Plain *plain_new_to(const Net *net, const Tensor *last);
void plain_free(Plain *plain);

float *plain_input(Plain *plain); /* [n,h,w,c], for the caller to fill before every forward */

/* Draws which paths are dropped from the next forward on; none without it. */
void plain_drop(Plain *plain, Random r);

/* training: with the batch's statistics, which update the running ones in `weights`, and with
 * dropped paths; else as a trained network runs. */
void plain_forward(Plain *plain, Weights *weights, bool training);
const float *plain_output(const Plain *plain);
/* Returns the values of any tensor, [n,h,w,c]. */
const float *plain_values(const Plain *plain, const Tensor *t);

/* Computes the gradient of every trained parameter into `gradients` (0 for the others), from the
 * output's gradient, which the caller wrote after forward. */
float *plain_output_gradient(Plain *plain);
void plain_backward(Plain *plain, Weights *weights, Weights *gradients);
const float *plain_input_gradient(const Plain *plain); /* [n,h,w,c], after backward */

size_t plain_needs(const Net *net); /* bytes that plain_new takes */

#endif
