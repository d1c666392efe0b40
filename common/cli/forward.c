/* forward: the logits of a batch, as a trained network gives them or as training sees them. */
#include "base/memory.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

static void add_logits(const Net *net, Engine *engine, const FileBatch *batch, Entry **entries,
                       size_t *count)
{
    const Tensor *y = net_output(net);
    size_t shape[2] = { (size_t)y->n, (size_t)y->c };
    memcpy(engine_input(engine), batch->x, tensor_elements(net_tensor(net, 0)) * sizeof(float));
    engine_forward(engine);
    entries_add(entries, count, "logits", "F32", 2, shape, engine_output(engine),
                tensor_elements(y) * sizeof(float));
}

int cmd_forward(const Run *run)
{
    const Options *o = &run->options;
    Origin origin = origin_read(run);
    FileBatch batch = batch_read(o->batch, 0);
    Shape shape = batch_shape(&origin, &batch);
    Net *net = network_build(run->step, &shape);
    Weights *weights = origin_weights(&origin, &shape, net);
    Error error;
    Entry *entries = NULL;
    size_t count = 0;
    bool training = strcmp(o->mode, "train") == 0;
    EngineKind kind = engine_kind(o->engine);
    Engine *engine = training ? engine_for_training(kind, net, weights, NULL)
                              : engine_adopting(kind, net, weights);
    add_logits(net, engine, &batch, &entries, &count);
    if (training)
        weights_entries(weights, "running/", RUNNING, &entries, &count);
    if (!safetensors_write(o->output, entries, count, NULL, 0, &error))
        error_die_of(EXIT_FAILED, &error);
    entries_free(entries, count);
    engine_free(engine);
    weights_free(weights);
    net_free(net);
    batch_free(&batch);
    origin_free(&origin);
    return 0;
}
