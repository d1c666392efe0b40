/* Running a trained network: batch norm folded into the convolution before it, layer scale too; the
 * residual sum and the activation applied as the convolution writes its output; memory reused as
 * soon as nobody needs what lies in it. */
#ifndef ENGINE_FAST_INFERENCE_H
#define ENGINE_FAST_INFERENCE_H

#include "graph/net.h"
#include "graph/weights.h"

typedef struct Inference Inference;

/* Plans and allocates; the network must outlive the plan, and its last tensor is the output. */
Inference *inference_new(const Net *net);
void inference_free(Inference *plan);

/* Folds and packs the weights. To be called before the first run, and again when they changed. */
void inference_load(Inference *plan, const Weights *weights);

/* The same for weights that nobody else needs: they are folded and packed where they lie, so that
 * memory holds them once. They are good for nothing but weights_free afterwards, which must come
 * after the plan's last run. */
void inference_adopt(Inference *plan, Weights *weights);

float *inference_input(Inference *plan); /* [n,h,w,c], for the caller to fill before every run */
void inference_run(Inference *plan);
const float *inference_output(const Inference *plan);

/* --- what there is to see -------------------------------------------------------------------- */

size_t inference_bytes(const Inference *plan); /* activations and scratch memory */
size_t inference_needs(const Net *net);        /* the same without taking them */

/* A unit: the layers that run as one. */
typedef struct {
    const Tensor *first, *last; /* the convolution, and the last layer it absorbed */
    double seconds;             /* sum over the runs since inference_new */
} Unit;

int inference_units(const Inference *plan);
Unit inference_unit(const Inference *plan, int i);

#endif
