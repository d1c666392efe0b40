/* Running a network, whatever runs it: what commands and the trainer know of engines. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/random.h"
#include "graph/net.h"
#include "graph/weights.h"

/* FAST: engine/inference.h and engine/training.h; PLAIN: engine/plain.h. */
typedef enum { FAST, PLAIN } EngineKind;
EngineKind engine_kind(const char *name); /* "fast" or "plain" */

typedef struct Engine Engine;

/* As a trained network runs. The network and its weights must outlive the engine, and the weights
 * stay as they are. */
Engine *engine_for_inference(EngineKind kind, const Net *net, const Weights *weights);
/* The same for weights that nobody else needs: they may be changed for the engine's purposes. */
Engine *engine_adopting(EngineKind kind, const Net *net, Weights *weights);

/* In training: forward moves the running statistics in `weights`, backward sets `gradients` (NULL
 * where nobody goes backward). */
Engine *engine_for_training(EngineKind kind, const Net *net, Weights *weights, Weights *gradients);

void engine_free(Engine *engine);

/* The caller fills the input, [n,h,w,c], before every forward, and finds the output after it. */
float *engine_input(Engine *engine);
void engine_forward(Engine *engine);
const float *engine_output(const Engine *engine);

/* In training only. drop: draws which paths are dropped in the next forward; without it none is.
 * The caller writes the output's gradient between forward and backward. */
void engine_drop(Engine *engine, Random r);
float *engine_output_gradient(Engine *engine);
void engine_backward(Engine *engine);

#endif
