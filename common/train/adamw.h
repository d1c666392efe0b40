/* AdamW (Loshchilov and Hutter 2019), as torch.optim.AdamW computes it:
 *   p -= lr·decay·p                            tensors of two or more dimensions only
 *   m = β1·m + (1-β1)·g,  v = β2·v + (1-β2)·g²
 *   p -= lr·(m / (1-β1^t)) / (√(v / (1-β2^t)) + eps)        β = 0.9, 0.999; eps = 1e-8 */
#ifndef TRAIN_ADAMW_H
#define TRAIN_ADAMW_H

#include "graph/weights.h"

typedef struct {
    Weights *m, *v;
    uint64_t step; /* how many were taken */
} AdamW;

AdamW adamw_new(const Net *net);
void adamw_free(AdamW *optimizer);

/* One step; running statistics are left alone. */
void adamw_step(AdamW *optimizer, Weights *weights, const Weights *gradients, double lr,
                double weight_decay);

#endif
