/* Running a network forward and backward.
 *
 * Only values that backward needs are kept. Cheap values (activations, normalised ones) are
 * recomputed when they are needed; the gradient of a sum's input shares the storage of the sum's
 * own. */
#ifndef ENGINE_FAST_TRAINING_H
#define ENGINE_FAST_TRAINING_H

#include "base/random.h"
#include "engine/engine.h"
#include "graph/net.h"
#include "graph/weights.h"

typedef struct Training Training;

/* Plans and allocates; the network, whose last tensor is the output, must outlive the plan. */
Training *training_new(const Net *net);
void training_free(Training *plan);

Training *training_new_with(const Net *net, TrainingOptions options);

float *training_input(Training *plan); /* [n,h,w,c], for the caller to fill before every forward */

/* Draws which paths are dropped in the next forward; none without it. */
void training_drop(Training *plan, Random r);

/* Runs forward with batch statistics; updates the running ones in `weights`. */
void training_forward(Training *plan, Weights *weights);
const float *training_output(const Training *plan);

/* Returns any tensor's values, if the options asked to keep them. */
const float *training_values(const Training *plan, const Tensor *t);

/* Computes the gradient of every trained parameter into `gradients`, from the output's gradient,
 * which the caller wrote after forward. */
float *training_output_gradient(Training *plan);
void training_backward(Training *plan, Weights *weights, Weights *gradients);

/* Returns the input's gradient, [n,h,w,c], after backward, if the options asked for it; else
 * NULL. */
const float *training_input_gradient(const Training *plan);

size_t training_bytes(const Training *plan); /* activations, gradients of them, scratch memory */
size_t training_needs(const Net *net);       /* the same, without allocating */
EnginePlan training_plan(const Net *net, TrainingOptions options); /* to be freed */

/* Returns the i-th layer, counted from 0. */
EngineUnit training_unit(const Training *plan, int i);

#endif
