/* Running a network forward and backward.
 *
 * Only what backward needs is kept. Values that are cheap to compute (activations, normalised ones)
 * are recomputed when their turn comes; the gradient of a sum's input lies where the sum's lies. */
#ifndef ENGINE_FAST_TRAINING_H
#define ENGINE_FAST_TRAINING_H

#include "base/random.h"
#include "engine/engine.h"
#include "graph/net.h"
#include "graph/weights.h"

typedef struct Training Training;

/* Plans and allocates; the network must outlive the plan, and its last tensor is the output. */
Training *training_new(const Net *net);
void training_free(Training *plan);

Training *training_new_with(const Net *net, TrainingOptions options);

float *training_input(Training *plan); /* [n,h,w,c], for the caller to fill before every forward */

/* Draws which paths are dropped in the next forward; without it none is. */
void training_drop(Training *plan, Random r);

/* Batch statistics; updates the running ones in `weights`. */
void training_forward(Training *plan, Weights *weights);
const float *training_output(const Training *plan);

/* Any tensor's, where the options asked to keep them. */
const float *training_values(const Training *plan, const Tensor *t);

/* The gradient of every trained parameter into `gradients`, from that of the output, which the
 * caller wrote after forward. */
float *training_output_gradient(Training *plan);
void training_backward(Training *plan, Weights *weights, Weights *gradients);

/* The input's [n,h,w,c] after backward, where the options asked for it; else NULL. */
const float *training_input_gradient(const Training *plan);

size_t training_bytes(const Training *plan); /* activations, gradients of them, scratch memory */
size_t training_needs(const Net *net);       /* the same without taking them */
EnginePlan training_plan(const Net *net, TrainingOptions options); /* to be freed */

/* The i-th layer, counted from 0. */
EngineUnit training_unit(const Training *plan, int i);

#endif
