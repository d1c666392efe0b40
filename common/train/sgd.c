#include "train/sgd.h"

#include "base/parallel.h"

/* One step in numbers: what is the same for every element. */
typedef struct {
    Weights *velocity, *weights;
    const Weights *gradients;
    float lr, decay;
} Descent;

static void step_param(void *context, int k, int worker)
{
    (void)worker;
    const Descent *d = context;
    const Param *p = &d->weights->params[k];
    const float momentum = 0.9f, *g = d->gradients->values[k];
    float *w = d->weights->values[k], *v = d->velocity->values[k];
    for (size_t i = 0; p->trained && i < p->count; i++) {
        v[i] = momentum * v[i] + (g[i] + d->decay * w[i]);
        w[i] -= d->lr * v[i];
    }
}

void sgd_step(Weights *velocity, Weights *weights, const Weights *gradients, double lr,
              double weight_decay)
{
    Descent d = { velocity, weights, gradients, (float)lr, (float)weight_decay };
    parallel_for(weights->count, step_param, &d);
}
