#include "train/adamw.h"

#include "base/parallel.h"

#include <math.h>

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

AdamW adamw_new(const Net *net)
{
    return (AdamW){ .m = weights_new(net), .v = weights_new(net) };
}

void adamw_free(AdamW *optimizer)
{
    weights_free(optimizer->m);
    weights_free(optimizer->v);
}

/* One optimiser step: the numbers that are the same for every element of a tensor. */
typedef struct {
    AdamW *optimizer;
    Weights *weights;
    const Weights *gradients;
    float rate, root; /* lr / (1-β1^t), 1 / √(1-β2^t) */
    float kept;       /* of a decayed weight: 1 - lr·decay */
} Update;

enum { PIECE = 1 << 14 };

static void step_piece(const Update *s, int param, size_t first, size_t last)
{
    const Param *p = &s->weights->params[param];
    float *w = s->weights->values[param];
    float *m = s->optimizer->m->values[param], *v = s->optimizer->v->values[param];
    const float *g = s->gradients->values[param];
    float kept = p->rank >= 2 ? s->kept : 1, b1 = (float)beta1, b2 = (float)beta2;
    float c1 = (float)(1 - beta1), c2 = (float)(1 - beta2), eps = (float)epsilon;
    for (size_t i = first; i < last; i++) {
        m[i] = b1 * m[i] + c1 * g[i];
        v[i] = b2 * v[i] + c2 * g[i] * g[i];
        w[i] = w[i] * kept - s->rate * m[i] / (__builtin_sqrtf(v[i]) * s->root + eps);
    }
}

/* Pieces are numbered through all parameters. */
static void step_item(void *context, int item, int worker)
{
    (void)worker;
    const Update *s = context;
    for (int k = 0; k < s->weights->count; k++) {
        size_t count = s->weights->params[k].count;
        int pieces = (int)((count + PIECE - 1) / PIECE);
        if (item >= pieces) {
            item -= pieces;
            continue;
        }
        size_t first = (size_t)item * PIECE, last = first + PIECE < count ? first + PIECE : count;
        if (s->weights->params[k].trained)
            step_piece(s, k, first, last);
        return;
    }
}

void adamw_step(AdamW *optimizer, Weights *weights, const Weights *gradients, double lr,
                double weight_decay)
{
    double t = (double)++optimizer->step;
    Update s = { .optimizer = optimizer,
                 .weights = weights,
                 .gradients = gradients,
                 .rate = (float)(lr / (1 - pow(beta1, t))),
                 .root = (float)(1 / sqrt(1 - pow(beta2, t))),
                 .kept = (float)(1 - lr * weight_decay) };
    int pieces = 0;
    for (int k = 0; k < weights->count; k++)
        pieces += (int)((weights->params[k].count + PIECE - 1) / PIECE);
    parallel_for(pieces, step_item, &s);
}
