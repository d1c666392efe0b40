#include "engine/engine.h"

#include "base/memory.h"
#include "engine/fast/inference.h"
#include "engine/plain.h"
#include "engine/fast/training.h"

#include <stdlib.h>
#include <string.h>

/* One of the three runs the network. */
struct Engine {
    Plain *plain;
    Inference *inference;
    Training *training;
    Weights *weights, *gradients;
    bool learns;
};

EngineKind engine_kind(const char *name)
{
    return strcmp(name, "plain") == 0 ? PLAIN : FAST;
}

static Engine *engine_new(EngineKind kind, const Net *net, Engine engine)
{
    Engine *e = mem_alloc(1, sizeof *e);
    *e = engine;
    if (kind == PLAIN)
        e->plain = plain_new(net);
    else if (e->learns)
        e->training = training_new(net);
    else
        e->inference = inference_new(net);
    return e;
}

Engine *engine_for_inference(EngineKind kind, const Net *net, const Weights *weights)
{
    Engine *e = engine_new(kind, net, (Engine){ .weights = (Weights *)weights /* only read */ });
    if (e->inference)
        inference_load(e->inference, weights);
    return e;
}

Engine *engine_adopting(EngineKind kind, const Net *net, Weights *weights)
{
    Engine *e = engine_new(kind, net, (Engine){ .weights = weights });
    if (e->inference)
        inference_adopt(e->inference, weights);
    return e;
}

Engine *engine_for_training(EngineKind kind, const Net *net, Weights *weights, Weights *gradients)
{
    return engine_new(kind, net,
                      (Engine){ .weights = weights, .gradients = gradients, .learns = true });
}

void engine_free(Engine *e)
{
    if (!e)
        return;
    plain_free(e->plain);
    inference_free(e->inference);
    training_free(e->training);
    free(e);
}

float *engine_input(Engine *e)
{
    if (e->plain)
        return plain_input(e->plain);
    return e->training ? training_input(e->training) : inference_input(e->inference);
}

void engine_forward(Engine *e)
{
    if (e->plain)
        plain_forward(e->plain, e->weights, e->learns);
    else if (e->training)
        training_forward(e->training, e->weights);
    else
        inference_run(e->inference);
}

const float *engine_output(const Engine *e)
{
    if (e->plain)
        return plain_output(e->plain);
    return e->training ? training_output(e->training) : inference_output(e->inference);
}

void engine_drop(Engine *e, Random r)
{
    if (e->plain)
        plain_drop(e->plain, r);
    else
        training_drop(e->training, r);
}

float *engine_output_gradient(Engine *e)
{
    return e->plain ? plain_output_gradient(e->plain) : training_output_gradient(e->training);
}

void engine_backward(Engine *e)
{
    if (e->plain)
        plain_backward(e->plain, e->weights, e->gradients);
    else
        training_backward(e->training, e->weights, e->gradients);
}
