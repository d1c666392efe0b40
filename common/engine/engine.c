#include "engine/engine.h"

#include "base/error.h"
#include "base/memory.h"
#include "engine/plain.h"

#include <stdlib.h>
#include <string.h>

/* Selects one of two values or calls. `make PLAIN=1` leaves engine/fast out, and the arguments that
 * use it are then not compiled. */
#ifdef PLAIN_ONLY
#define EITHER(is_plain, plain, fast) (plain)
#else
#include "engine/fast/inference.h"
#include "engine/fast/kernels/peak.h"
#include "engine/fast/training.h"
#define EITHER(is_plain, plain, fast) ((is_plain) ? (plain) : (fast))
#endif

struct Engine {
    Plain *plain; /* exactly one of these three is set */
    struct Inference *inference;
    struct Training *training;
    const Net *net;
    Weights *weights, *gradients;
    bool is_training;
    TrainingOptions options;
};

EngineKind engine_kind(const char *name)
{
    EngineKind kind = strcmp(name ? name : ENGINE_STANDARD, "plain") == 0 ? PLAIN : FAST;
    if (EITHER(false, kind == FAST, false))
        error_die(EXIT_USAGE, "--engine", "there is none but plain in what make PLAIN=1 builds");
    return kind;
}

/* --- making ---------------------------------------------------------------------------------- */

static Engine *engine_new(EngineKind kind, Engine engine)
{
    Engine *e = mem_alloc(1, sizeof *e);
    *e = engine;
    const Tensor *last = e->options.last ? e->options.last : net_output(e->net);
    e->plain = EITHER(kind == PLAIN, plain_new_to(e->net, last), NULL);
    e->training = EITHER(e->plain || !e->is_training, NULL, training_new_with(e->net, e->options));
    e->inference = EITHER(e->plain || e->is_training, NULL, inference_new(e->net));
    return e;
}

Engine *engine_for_inference(EngineKind kind, const Net *net, const Weights *weights)
{
    Engine *e =
        engine_new(kind, (Engine){ .net = net, .weights = (Weights *)weights /* only read */ });
    EITHER(e->plain, (void)0, inference_load(e->inference, weights));
    return e;
}

Engine *engine_adopting(EngineKind kind, const Net *net, Weights *weights)
{
    Engine *e = engine_new(kind, (Engine){ .net = net, .weights = weights });
    EITHER(e->plain, (void)0, inference_adopt(e->inference, weights));
    return e;
}

Engine *engine_for_training_with(EngineKind kind, const Net *net, Weights *weights,
                                 Weights *gradients, TrainingOptions options)
{
    return engine_new(kind, (Engine){ .net = net,
                                      .weights = weights,
                                      .gradients = gradients,
                                      .is_training = true,
                                      .options = options });
}

Engine *engine_for_training(EngineKind kind, const Net *net, Weights *weights, Weights *gradients)
{
    return engine_for_training_with(kind, net, weights, gradients, (TrainingOptions){ 0 });
}

void engine_free(Engine *e)
{
    if (!e)
        return;
    EITHER(e->plain, plain_free(e->plain),
           e->is_training ? training_free(e->training) : inference_free(e->inference));
    free(e);
}

/* --- running --------------------------------------------------------------------------------- */

float *engine_input(Engine *e)
{
    return EITHER(e->plain, plain_input(e->plain),
                  e->is_training ? training_input(e->training) : inference_input(e->inference));
}

void engine_forward(Engine *e)
{
    EITHER(e->plain, plain_forward(e->plain, e->weights, e->is_training && !e->options.frozen),
           e->is_training ? training_forward(e->training, e->weights)
                          : inference_run(e->inference));
}

const float *engine_output(const Engine *e)
{
    return EITHER(e->plain, plain_output(e->plain),
                  e->is_training ? training_output(e->training) : inference_output(e->inference));
}

const float *engine_values(const Engine *e, const Tensor *t)
{
    return EITHER(e->plain, plain_values(e->plain, t), training_values(e->training, t));
}

void engine_drop(Engine *e, Random r)
{
    EITHER(e->plain, plain_drop(e->plain, r), training_drop(e->training, r));
}

float *engine_output_gradient(Engine *e)
{
    return EITHER(e->plain, plain_output_gradient(e->plain), training_output_gradient(e->training));
}

void engine_backward(Engine *e)
{
    EITHER(e->plain, plain_backward(e->plain, e->weights, e->gradients),
           training_backward(e->training, e->weights, e->gradients));
}

const float *engine_input_gradient(const Engine *e)
{
    return EITHER(e->plain, plain_input_gradient(e->plain), training_input_gradient(e->training));
}

/* --- memory and inspection ------------------------------------------------------------------- */

size_t engine_needs(EngineKind kind, const Net *net, bool training)
{
    return EITHER(kind == PLAIN, plain_needs(net),
                  training ? training_needs(net) : inference_needs(net));
}

int engine_units(const Engine *e)
{
    return EITHER(e->plain, 0,
                  e->is_training ? net_tensors(e->net) - 1 : inference_units(e->inference));
}

EngineUnit engine_unit(const Engine *e, int i)
{
    return EITHER(e->plain, (EngineUnit){ 0 },
                  e->is_training ? training_unit(e->training, i) : inference_unit(e->inference, i));
}

double engine_peak(void)
{
    return EITHER(false, 0, peak_fma());
}

EnginePlan engine_plan(EngineKind kind, const Net *net)
{
    return EITHER(kind == PLAIN, (EnginePlan){ 0 }, training_plan(net, (TrainingOptions){ 0 }));
}

void engine_plan_free(EnginePlan *plan)
{
    free(plan->arrays);
}
