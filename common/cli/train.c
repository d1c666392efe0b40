/* train: a step on a data set. */
#include "base/memory.h"
#include "cli/blueprint.h"
#include "cli/origin.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

/* What every file of weights says: the network, and what it is trained on. */
static MetadataList metadata_of(const Run *run, const Blueprint *plan, const Dataset *data)
{
    MetadataList list = { 0 };
    Error error;
    Net *net = network_build(plan->step, &plan->shape);
    origin_write(run, &plan->shape, net, &list);
    net_free(net);
    if (!provenance_write(data, plan->shape.h, plan->shape.w, &list, &error))
        error_die_of(EXIT_FAILED, &error);
    return list;
}

static double warmup(const Options *o)
{
    return option_given(o, "--warmup") ? o->warmup : o->epochs / 10.0;
}

static void check_schedule(const Options *o)
{
    if (warmup(o) > o->epochs)
        error_die(EXIT_USAGE, "--warmup", "%g epochs of warm-up, but %d in all", warmup(o),
                  o->epochs);
    if (o->min_lr > o->lr)
        error_die(EXIT_USAGE, option_given(o, "--min-lr") ? "--min-lr" : "--lr",
                  "the learning rate would rise, from %g to %g (--min-lr)", o->lr, o->min_lr);
}

static Recipe recipe_of(const Run *run, const char *out, const char *network)
{
    const Options *o = &run->options;
    return (Recipe){ .data = o->data,
                     .out = out,
                     .network = network,
                     .resume = o->resume,
                     .longer = option_given(o, "--epochs"),
                     .limit = o->limit,
                     .epochs = o->epochs,
                     .batch_size = o->batch_size,
                     .lr = o->lr,
                     .min_lr = o->min_lr,
                     .warmup = warmup(o),
                     .weight_decay = o->weight_decay,
                     .smoothing = o->smoothing,
                     .mixup = o->mixup,
                     .cutmix = o->cutmix,
                     .ema = o->ema,
                     .seed = o->seed };
}

int cmd_train(const Run *run)
{
    const Options *o = &run->options;
    check_schedule(o);
    Alteration alter = blueprint_alteration(o);
    DatasetWish wish = blueprint_wish(run, NULL);
    Dataset training, test;
    blueprint_open_data(o->data, &wish, o->limit, alter, &training, &test);
    Blueprint plan = blueprint_for_data(run, NULL, &training);
    char *network = origin_network(run, &plan.shape);
    char *name = origin_name(run, &plan.shape.config);
    MetadataList metadata = metadata_of(run, &plan, &training);
    char *set = dataset_short_name(o->data);
    char *out = o->out ? str_format("%s", o->out)
                       : str_format("runs/%s/%s-%llu", set, name, (unsigned long long)o->seed);
    Recipe recipe = recipe_of(run, out, network);
    recipe.metadata = metadata.items, recipe.metadata_count = metadata.count;
    Error error;
    TrainEnd end = TRAINED_ALL;
    if (!trainer_possible(&recipe, &training, &error))
        error_die_of(EXIT_USAGE, &error);
    if (!trainer_run(&recipe, blueprint_builder(&plan), &training, &test, &end, &error))
        error_die_of(end == TRAIN_REFUSED ? EXIT_USAGE : EXIT_FAILED, &error);
    if (end == TRAINED_INTERRUPTED)
        error_note(out, "stopped; the same command with --resume goes on");
    else if (!o->out)
        printf("weights: %s/best.safetensors\n", out);
    free(out);
    free(set);
    free(name);
    free(network);
    metadata_free(&metadata);
    dataset_free(&training);
    dataset_free(&test);
    return end == TRAINED_INTERRUPTED ? EXIT_FAILED : 0;
}
