/* What a plan decides before anything runs: plan.c where each array lies and how long it lives,
 * recompute.c which values are computed a second time instead of being kept; run.c follows it. */
#ifndef ENGINE_FAST_PLAN_H
#define ENGINE_FAST_PLAN_H

#include "engine/fast/buffers.h"
#include "engine/fast/fast.h"
#include "engine/fast/training.h"

/* An array: where it lies, and its lifetime, the time steps from first to last, both included. */
typedef struct {
    int storage; /* a buffer's number; -1: there is none */
    int first, last;
    ArrayRelation relation; /* to that array of `other` which lies in the same storage */
    const Tensor *other;
} Array;

/* How a layer's backward assigns the gradient of one of its inputs. */
typedef enum {
    NOT_WRITTEN, /* nobody wants it, or the input's gradient lies where the layer's does */
    SET,
    ADD,
} InputGradient;

/* A tensor, and the layer that computes it. */
typedef struct {
    const Tensor *t;
    Array values;     /* in forward, and in backward where they are kept */
    Array recomputed; /* the same values, computed a second time for backward */
    Array gradient;
    Array statistics; /* what the fast way's forward saves for its backward */
    Array factors;    /* what a random op drew */
    InputGradient assign[2];
    bool recompute; /* backward's readers take `recomputed` … */
    bool ready;     /* … which in this backward has been filled */
    double forward_seconds, backward_seconds;
} Node;

struct Training {
    const Net *net;
    TrainingOptions options;
    Node *nodes; /* by tensor */
    int count;
    Buffers buffers;
    size_t work_floats;
    float *work;
};

/* The plan without its memory; to be freed by training_free. */
Training *plan_new(const Net *net, TrainingOptions options);

Node *plan_node(const Training *plan, const Tensor *t);
/* A view computes nothing: its values are those of its input. */
bool plan_is_view(const Tensor *t);
/* The tensor whose values a view's are; any other tensor itself. */
const Tensor *plan_owner(const Tensor *t);
/* Does the layer run by its definition, having no fast way? */
bool plan_is_plain(const Tensor *t);
/* Whether the layer does what the flag says; a derivative may read whatever there is. */
bool plan_has(const Tensor *t, FastFlags flag);
/* The time step at which the layer runs backward. */
int plan_backward_step(const Training *plan, const Tensor *t);

/* Gives an array of a tensor a storage of its own, of that size, from `step` on. */
void plan_allot(Training *plan, Array *array, size_t floats, int step);
/* The array, and with it its storage, is alive at that time step, too. */
void plan_extend(Training *plan, Array *array, int step);

/* The array's memory; NULL where it has none. */
float *plan_data(const Training *plan, const Array *array);
/* What forward and backward of a layer have in common. */
FastCall plan_call(const Training *plan, const Node *n, const Weights *weights);

/* --- recompute.c ----------------------------------------------------------------------------- */

/* Decides which tensors' values are recomputed. */
void recompute_choose(Training *plan);
/* A backward at `step` reads t's values: they are kept until then, or recomputed in time. */
void recompute_or_keep(Training *plan, const Tensor *t, int step);
/* t's values for that backward, recomputed now if they are to be and nobody has read them yet. */
const float *recompute_values(Training *plan, const Tensor *t, const Weights *weights);

#endif
