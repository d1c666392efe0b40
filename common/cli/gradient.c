/* gradient: the loss of a batch and its gradient, as after PyTorch's loss.backward(); fit: AdamW on
 * that one batch. Both in training mode, without label smoothing and drop path. */
#include "base/memory.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "engine/engine.h"
#include "ops/ops.h"
#include "train/adamw.h"

#include <stdlib.h>
#include <string.h>

/* A network in training on one batch from a file. */
typedef struct {
    Origin origin;
    FileBatch batch;
    Shape shape;
    Net *net;
    Weights *weights, *gradients;
    Engine *engine;
    Entry *entries; /* the output's tensors */
    size_t count;
} BatchTraining;

static BatchTraining batch_training_new(const Run *run)
{
    const Options *o = &run->options;
    BatchTraining l = { .origin = origin_read(run) };
    l.batch = batch_read(o->batch, origin_shape(&l.origin, 0).config.classes);
    l.shape = batch_shape(&l.origin, &l.batch);
    l.net = network_build(run->step, &l.shape);
    l.weights = origin_weights(&l.origin, &l.shape, l.net);
    l.gradients = weights_new(l.net);
    l.engine = engine_for_training(engine_kind(o->engine), l.net, l.weights, l.gradients);
    return l;
}

/* Runs forward; returns the loss of the batch and sets the gradient from which backward starts. */
static double run_forward(BatchTraining *l)
{
    const Tensor *y = net_output(l->net);
    size_t bytes = tensor_elements(net_tensor(l->net, 0)) * sizeof(float);
    memcpy(engine_input(l->engine), l->batch.x, bytes);
    engine_forward(l->engine);
    return cross_entropy_loss(engine_output(l->engine), y->n, y->c,
                              (Targets){ .a = l->batch.labels }, 0,
                              engine_output_gradient(l->engine));
}

static int batch_training_write(BatchTraining *l, const char *path, const MetadataList *list)
{
    Error error;
    if (!safetensors_write(path, l->entries, l->count, list->items, list->count, &error))
        error_die_of(EXIT_FAILED, &error);
    entries_free(l->entries, l->count);
    engine_free(l->engine);
    weights_free(l->weights);
    weights_free(l->gradients);
    net_free(l->net);
    batch_free(&l->batch);
    origin_free(&l->origin);
    return 0;
}

int cmd_gradient(const Run *run)
{
    BatchTraining l = batch_training_new(run);
    const Tensor *y = net_output(l.net);
    float loss = (float)run_forward(&l);
    entries_add(&l.entries, &l.count, "loss", "F32", 1, (size_t[]){ 1 }, &loss, sizeof loss);
    entries_add(&l.entries, &l.count, "logits", "F32", 2, (size_t[]){ (size_t)y->n, (size_t)y->c },
                engine_output(l.engine), tensor_elements(y) * sizeof(float));
    engine_backward(l.engine);
    weights_entries(l.gradients, "grad/", TRAINED, &l.entries, &l.count);
    weights_entries(l.weights, "running/", RUNNING, &l.entries, &l.count);
    return batch_training_write(&l, run->options.output, &(MetadataList){ 0 });
}

int cmd_fit(const Run *run)
{
    const Options *o = &run->options;
    BatchTraining l = batch_training_new(run);
    AdamW optimizer = adamw_new(l.net);
    float *losses = mem_alloc((size_t)o->steps, sizeof *losses);
    for (int i = 0; i < o->steps; i++) {
        losses[i] = (float)run_forward(&l);
        engine_backward(l.engine);
        adamw_step(&optimizer, l.weights, l.gradients, o->lr, o->weight_decay);
    }
    entries_add(&l.entries, &l.count, "losses", "F32", 1, (size_t[]){ (size_t)o->steps }, losses,
                (size_t)o->steps * sizeof *losses);
    weights_entries(l.weights, "", ALL, &l.entries, &l.count);
    free(losses);
    adamw_free(&optimizer);
    MetadataList list = origin_metadata(&l.origin, &l.shape, l.net);
    int status = batch_training_write(&l, o->output, &list);
    metadata_free(&list);
    return status;
}
