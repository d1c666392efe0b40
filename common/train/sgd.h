/* Stochastic gradient descent with momentum, as torch.optim.SGD(momentum=0.9) computes it:
 *   v = 0.9·v + (g + decay·p)                  all tensors, biases and norms too
 *   p -= lr·v */
#ifndef TRAIN_SGD_H
#define TRAIN_SGD_H

#include "graph/weights.h"

/* One step. velocity: zeros before the first; running statistics are left alone. */
void sgd_step(Weights *velocity, Weights *weights, const Weights *gradients, double lr,
              double weight_decay);

#endif
