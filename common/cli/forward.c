/* forward: the logits of a batch, as a trained network gives them or as training sees them. */
#include "base/memory.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "engine/inference.h"
#include "engine/training.h"

#include <stdlib.h>
#include <string.h>

static void add_logits(const Net *net, const float *logits, Entry **entries, size_t *count)
{
    const Tensor *y = net_output(net);
    size_t shape[2] = { (size_t)y->n, (size_t)y->c };
    entries_add(entries, count, "logits", "F32", 2, shape, logits,
                tensor_elements(y) * sizeof(float));
}

static void forward_eval(const Net *net, Weights *weights, const FileBatch *batch, Entry **entries,
                         size_t *count)
{
    Inference *plan = inference_new(net);
    inference_adopt(plan, weights);
    memcpy(inference_input(plan), batch->x, tensor_elements(net_tensor(net, 0)) * sizeof(float));
    inference_run(plan);
    add_logits(net, inference_output(plan), entries, count);
    inference_free(plan);
}

static void forward_train(const Net *net, Weights *weights, const FileBatch *batch, Entry **entries,
                          size_t *count)
{
    Training *plan = training_new(net);
    memcpy(training_input(plan), batch->x, tensor_elements(net_tensor(net, 0)) * sizeof(float));
    training_forward(plan, weights);
    add_logits(net, training_output(plan), entries, count);
    weights_entries(weights, "running/", RUNNING, entries, count);
    training_free(plan);
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
    (strcmp(o->mode, "train") == 0 ? forward_train(net, weights, &batch, &entries, &count)
                                   : forward_eval(net, weights, &batch, &entries, &count));
    if (!safetensors_write(o->output, entries, count, NULL, 0, &error))
        error_die_of(EXIT_FAILED, &error);
    entries_free(entries, count);
    weights_free(weights);
    net_free(net);
    batch_free(&batch);
    origin_free(&origin);
    return 0;
}
