/* Running a network with either engine: the interface for commands and the trainer. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/random.h"
#include "graph/net.h"
#include "graph/weights.h"

/* PLAIN runs layers by their definitions (engine/plain.h). FAST (engine/fast) plans memory and
 * calls kernels, with the same results except for rounding; `make PLAIN=1` leaves it out, and PLAIN
 * is used instead. */
typedef enum { FAST, PLAIN } EngineKind;
#ifdef PLAIN_ONLY
#define ENGINE_STANDARD "plain"
#else
#define ENGINE_STANDARD "fast"
#endif
/* Returns the engine named "fast" or "plain"; NULL: the standard one. The name of an engine that
 * was left out ends the program. */
EngineKind engine_kind(const char *name);

typedef struct Engine Engine;

/* Makes an engine for a trained network. The network and its weights must outlive the engine and
 * stay unchanged. */
Engine *engine_for_inference(EngineKind kind, const Net *net, const Weights *weights);
/* Makes such an engine with weights that nothing else uses and that it may modify. */
Engine *engine_adopting(EngineKind kind, const Net *net, Weights *weights);

/* Makes an engine for training: forward updates the running statistics in `weights`, backward sets
 * `gradients` (NULL if backward is never called). */
Engine *engine_for_training(EngineKind kind, const Net *net, Weights *weights, Weights *gradients);

/* Options besides plain training of a network; all zero: none. */
typedef struct {
    bool input_gradient; /* backward computes the input's gradient, too */
    bool frozen;         /* batch norm uses its running statistics and does not update them */
    bool keep_values;    /* engine_values has every tensor's values until the next forward */
    const Tensor *last;  /* runs the layers up to this one, whose values are the output */
} TrainingOptions;
Engine *engine_for_training_with(EngineKind kind, const Net *net, Weights *weights,
                                 Weights *gradients, TrainingOptions options);

void engine_free(Engine *engine);

/* The caller fills the input, [n,h,w,c], before every forward and reads the output after it. */
float *engine_input(Engine *engine);
void engine_forward(Engine *engine);
const float *engine_output(const Engine *engine);

/* Returns the values of a tensor of the network after forward, [n,h,w,c]; for training only, if the
 * options asked to keep them. */
const float *engine_values(const Engine *engine, const Tensor *t);

/* For training only. drop: draws which paths are dropped in the next forward; none without it. The
 * caller writes the output's gradient between forward and backward. */
void engine_drop(Engine *engine, Random r);
float *engine_output_gradient(Engine *engine);
void engine_backward(Engine *engine);
/* Returns the input's gradient, [n,h,w,c], if the options asked for it. */
const float *engine_input_gradient(const Engine *engine);

/* --- inspection ------------------------------------------------------------------------------ */

/* Returns the bytes that running the network takes besides its weights: activations, their
 * gradients in training, scratch memory. */
size_t engine_needs(EngineKind kind, const Net *net, bool training);

/* Layers that run as one unit, and the seconds spent on them since the engine was made. The plain
 * engine reports no units. */
typedef struct {
    const Tensor *first, *last; /* in inference a product and the last layer fused into it */
    double forward, backward;   /* backward includes recomputation for it */
} EngineUnit;
int engine_units(const Engine *engine);
EngineUnit engine_unit(const Engine *engine, int i);

/* Returns this machine's peak rate: float32 multiply-adds by all threads, in FLOP/s · 1e-9; 0
 * without the fast engine. */
double engine_peak(void);

/* --- the plan of training -------------------------------------------------------------------- */

/* The fast engine's decisions before it trains a network: the place and lifetime of each tensor's
 * arrays. Layer i of the n tensors runs forward at time step i and backward at 2n - i; between
 * them, at n, the caller reads the output and writes its gradient. */
typedef enum {
    ARRAY_VALUES,
    ARRAY_RECOMPUTED, /* the values, computed once more for backward */
    ARRAY_GRADIENT,
    ARRAY_STATISTICS, /* a norm's or a pool's saved values */
    ARRAY_FACTORS,    /* drop path's random factors */
} ArrayRole;

/* The relation to the array of another tensor in the same storage. */
typedef enum {
    ARRAY_OWN,  /* none when it was made */
    ARRAY_SAME, /* alias of the same numbers: a view, or a gradient passed through by a sum */
    ARRAY_OVER, /* written over that array, which is not read any more */
} ArrayRelation;

typedef struct {
    const Tensor *tensor;
    ArrayRole role;
    int storage;          /* from 1; part of the one block of memory, which arrays may share */
    size_t offset, bytes; /* in the block; storages not alive at the same time may overlap */
    int first, last;      /* lifetime in time steps, both included; -1: before forward */
    bool recompute;       /* for values: backward reads the recomputed ones */
    ArrayRelation relation;
    const Tensor *other;
} PlannedArray;

typedef struct {
    PlannedArray *arrays; /* by tensor, then by role */
    int count, storages;
    size_t workspace, total; /* bytes: scratch memory, and scratch memory plus block */
} EnginePlan;

/* Returns the plan for training the whole network, to be freed by engine_plan_free; for the plain
 * engine, which plans nothing, count is 0. */
EnginePlan engine_plan(EngineKind kind, const Net *net);
void engine_plan_free(EnginePlan *plan);

#endif
