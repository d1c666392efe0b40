/* The plan of training, made before anything runs: plan.c decides where each array is stored and
 * how long it lives, recompute.c which values are recomputed instead of kept; run.c executes it. */
#ifndef ENGINE_FAST_PLAN_H
#define ENGINE_FAST_PLAN_H

#include "engine/fast/buffers.h"
#include "engine/fast/fast.h"
#include "engine/fast/training.h"

/* An array: its storage and its lifetime, the time steps from first to last, both included. */
typedef struct {
    int storage; /* a buffer's number; -1: none */
    int first, last;
    ArrayRelation relation; /* to the array of `other` in the same storage */
    const Tensor *other;
} Array;

/* The way a layer's backward assigns the gradient of one of its inputs. */
typedef enum {
    NOT_WRITTEN, /* not wanted, or an alias of the layer's own gradient */
    SET,
    ADD,
} InputGradient;

/* A tensor, and the layer that computes it. */
typedef struct {
    const Tensor *t;
    Array values;     /* for forward, and for backward if they are kept */
    Array recomputed; /* the same values, recomputed for backward */
    Array gradient;
    Array statistics; /* saved by the fast way's forward for its backward */
    Array factors;    /* drawn by a random op */
    InputGradient assign[2];
    bool recompute; /* backward reads `recomputed` … */
    bool ready;     /* … which has been filled in this backward */
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

/* Plans without allocating the block; freed by training_free. */
Training *plan_new(const Net *net, TrainingOptions options);

Node *plan_node(const Training *plan, const Tensor *t);
/* Returns the owner of a view's values; any other tensor itself. */
const Tensor *plan_owner(const Tensor *t);
/* Tests whether the layer runs by its definition because it has no fast way. */
bool plan_runs_definition(const Tensor *t);
/* Tests a flag of the layer's fast way; a derivative may read everything. */
bool plan_has(const Tensor *t, FastFlags flag);
/* Returns the time step at which the layer runs backward. */
int plan_backward_step(const Training *plan, const Tensor *t);

/* Gives an array a storage of its own of that size, alive at `step`. */
void plan_assign_storage(Training *plan, Array *array, size_t floats, int step);
/* Extends the lifetime of the array and its storage to that time step. */
void plan_extend(Training *plan, Array *array, int step);

/* Returns the array's memory, NULL if it has none. */
float *plan_data(const Training *plan, const Array *array);
/* Fills the fields that forward and backward of a layer have in common. */
FastCall plan_call(const Training *plan, const Node *n, const Weights *weights);

/* --- recompute.c ----------------------------------------------------------------------------- */

/* Decides which tensors are recomputed. */
void recompute_choose(Training *plan);
/* Notes that a backward at `step` reads t's values: they are kept until then, or recomputed. */
void recompute_or_keep(Training *plan, const Tensor *t, int step);
/* Returns t's values for backward, recomputing them first if the plan says so and no earlier layer
 * of this backward has. */
const float *recompute_values(Training *plan, const Tensor *t, const Weights *weights);

#endif
