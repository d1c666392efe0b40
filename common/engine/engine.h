/* Running a network, whatever runs it: what commands and the trainer know of engines. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/random.h"
#include "graph/net.h"
#include "graph/weights.h"

/* PLAIN runs layers as they are defined, engine/plain.h. FAST plans, with kernels, what comes to
 * the same but for rounding, engine/fast; `make PLAIN=1` leaves that out, and PLAIN runs in its
 * place. */
typedef enum { FAST, PLAIN } EngineKind;
#ifdef PLAIN_ONLY
#define ENGINE_STANDARD "plain"
#else
#define ENGINE_STANDARD "fast"
#endif
/* "fast" or "plain"; NULL: the standard one. A name of what is left out ends the program. */
EngineKind engine_kind(const char *name);

typedef struct Engine Engine;

/* As a trained network runs. The network and its weights must outlive the engine, and the weights
 * stay as they are. */
Engine *engine_for_inference(EngineKind kind, const Net *net, const Weights *weights);
/* The same for weights that nobody else needs: they may be changed for the engine's purposes. */
Engine *engine_adopting(EngineKind kind, const Net *net, Weights *weights);

/* In training: forward moves the running statistics in `weights`, backward sets `gradients` (NULL
 * where nobody goes backward). */
Engine *engine_for_training(EngineKind kind, const Net *net, Weights *weights, Weights *gradients);

/* What else than training a network is wanted; all zero: nothing. */
typedef struct {
    bool input_gradient; /* backward computes the input's gradient, too */
    bool frozen;         /* batch norm uses its running statistics, and leaves them alone */
    bool keep_values;    /* engine_values tells every tensor's values until the next forward */
    const Tensor *last;  /* run the network's layers up to this one; its values are the output */
} TrainingOptions;
Engine *engine_for_training_with(EngineKind kind, const Net *net, Weights *weights,
                                 Weights *gradients, TrainingOptions options);

void engine_free(Engine *engine);

/* The caller fills the input, [n,h,w,c], before every forward, and finds the output after it. */
float *engine_input(Engine *engine);
void engine_forward(Engine *engine);
const float *engine_output(const Engine *engine);

/* The values of a tensor of the network after forward, [n,h,w,c]; in training only, and only where
 * the options asked to keep them. */
const float *engine_values(const Engine *engine, const Tensor *t);

/* In training only. drop: draws which paths are dropped in the next forward; without it none is.
 * The caller writes the output's gradient between forward and backward. */
void engine_drop(Engine *engine, Random r);
float *engine_output_gradient(Engine *engine);
void engine_backward(Engine *engine);
/* The input's, [n,h,w,c], where the options asked for it. */
const float *engine_input_gradient(const Engine *engine);

/* --- what there is to see -------------------------------------------------------------------- */

/* Bytes that running the network takes besides its weights: activations, in training gradients of
 * them, scratch memory. */
size_t engine_needs(EngineKind kind, const Net *net, bool training);

/* Layers that run as one, and the seconds that they took since the engine was made. The plain
 * engine tells of none. */
typedef struct {
    const Tensor *first, *last; /* in inference a product, and the last layer that it absorbed */
    double forward, backward;   /* backward with what was computed again for it */
} EngineUnit;
int engine_units(const Engine *engine);
EngineUnit engine_unit(const Engine *engine, int i);

/* The most that this machine can do: float32 multiply-adds by all threads, in FLOP/s · 1e-9; 0
 * without the fast engine. */
double engine_peak(void);

/* --- the plan of training -------------------------------------------------------------------- */

/* What the fast engine decides before it trains a network: where the arrays of a tensor lie and for
 * how long. Layer i of the n tensors runs forward at time step i and backward at 2n - i; between
 * them, at n, the caller reads the output and writes its gradient. */
typedef enum {
    ARRAY_VALUES,
    ARRAY_RECOMPUTED, /* the values a second time, for backward */
    ARRAY_GRADIENT,
    ARRAY_STATISTICS, /* what a norm or a pool saves for its backward */
    ARRAY_FACTORS,    /* what drop path drew */
} ArrayRole;

/* To the same array of another tensor, in whose storage it lies. */
typedef enum {
    ARRAY_OWN,  /* none, when it was made */
    ARRAY_SAME, /* it holds the same numbers: a view, or a gradient that a sum passes through */
    ARRAY_OVER, /* it is written over that one, which nobody reads any more */
} ArrayRelation;

typedef struct {
    const Tensor *tensor;
    ArrayRole role;
    int storage;          /* from 1; a piece of the one block of memory, which arrays may share */
    size_t offset, bytes; /* in the block, where storages overlap that are not alive together */
    int first, last;      /* its lifetime in time steps, both included; -1: before forward */
    bool recompute;       /* of values: backward's readers take the recomputed ones */
    ArrayRelation relation;
    const Tensor *other;
} PlannedArray;

typedef struct {
    PlannedArray *arrays; /* by tensor, then by role */
    int count, storages;
    size_t workspace, total; /* bytes of scratch memory, and of it and the block */
} EnginePlan;

/* Of training the whole network; the plain engine has none: count is 0. To be freed. */
EnginePlan engine_plan(EngineKind kind, const Net *net);
void engine_plan_free(EnginePlan *plan);

#endif
