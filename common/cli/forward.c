/* forward: the logits of a batch, in evaluation or in training mode, and on request the values of
 * layers. For these the training engine runs, in evaluation with running statistics: the inference
 * engine computes several layers as one. */
#include "base/memory.h"
#include "cli/activation.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "engine/engine.h"

#include <stdlib.h>
#include <string.h>

/* Returns the name at *at in "A, B,…", to be freed, and moves *at to the next; NULL at the end. */
static char *next_name(const char **at)
{
    if (!*at)
        return NULL;
    const char *start = *at + strspn(*at, " "), *end = strchr(start, ',');
    int length = (int)(end ? end - start : (long)strlen(start));
    while (length && start[length - 1] == ' ')
        length--;
    *at = end ? end + 1 : NULL;
    return str_format("%.*s", length, start);
}

/* Tests for the name in "A,B,…". */
static bool list_has(const char *list, const char *name)
{
    bool found = false;
    for (char *one; (one = next_name(&list)); free(one))
        found = found || strcmp(one, name) == 0;
    return found;
}

/* Ends the program if one of "A,B,…" is no layer. */
static void check_list(const Net *net, const char *list)
{
    if (strcmp(list, "all") == 0)
        return;
    for (char *name; (name = next_name(&list)); free(name)) {
        if (strcmp(name, "all") == 0)
            error_die(EXIT_USAGE, "--keep", "'all' is every layer: no other beside it");
        activation_layer(net, "--keep", name);
    }
}

/* Adds the kept values of the layers "A,B,…", or of all, under the layers' names. */
static void add_layers(const Net *net, const Engine *engine, const char *keep, Entry **entries,
                       size_t *count)
{
    bool all = strcmp(keep, "all") == 0;
    for (int i = 1; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        if (!all && !list_has(keep, t->name))
            continue;
        size_t shape[4] = { (size_t)t->n, (size_t)t->c, (size_t)t->h, (size_t)t->w };
        float *values = activation_values(engine, t);
        entries_add(entries, count, t->name, "F32", t->flat ? 2 : 4, shape, values,
                    tensor_elements(t) * sizeof *values);
        free(values);
    }
}

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
    bool training = o->mode == MODE_TRAIN;
    EngineKind kind = engine_kind(o->engine);
    Engine *engine;
    if (o->keep)
        check_list(net, o->keep);
    if (training || o->keep)
        engine = engine_for_training_with(
            kind, net, weights, NULL,
            (TrainingOptions){ .frozen = !training, .keep_values = o->keep });
    else
        engine = engine_adopting(kind, net, weights);
    add_logits(net, engine, &batch, &entries, &count);
    if (o->keep)
        add_layers(net, engine, o->keep, &entries, &count);
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
