/* Running a trained network: batch norms and layer scales are folded into the convolution before
 * them; the convolution adds the residual and applies the activation as it writes its output;
 * memory is reused as soon as its contents are not needed. */
#ifndef ENGINE_FAST_INFERENCE_H
#define ENGINE_FAST_INFERENCE_H

#include "engine/engine.h"
#include "graph/net.h"
#include "graph/weights.h"

typedef struct Inference Inference;

/* Plans and allocates; the network, whose last tensor is the output, must outlive the plan. */
Inference *inference_new(const Net *net);
void inference_free(Inference *plan);

/* Folds and packs the weights; call before the first run, and again after they change. */
void inference_load(Inference *plan, const Weights *weights);

/* Loads weights that nothing else uses: they are folded and packed in place, so that memory holds
 * them only once. Afterwards they may only be freed, after the plan's last run. */
void inference_adopt(Inference *plan, Weights *weights);

float *inference_input(Inference *plan); /* [n,h,w,c], for the caller to fill before every run */
void inference_run(Inference *plan);
const float *inference_output(const Inference *plan);

/* --- inspection ------------------------------------------------------------------------------ */

size_t inference_bytes(const Inference *plan); /* activations and scratch memory */
size_t inference_needs(const Net *net);        /* the same, without allocating */

int inference_units(const Inference *plan);
EngineUnit inference_unit(const Inference *plan, int i);

#endif
