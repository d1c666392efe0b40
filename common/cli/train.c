/* train: a step on a data set. */
#include "base/memory.h"
#include "cli/blueprint.h"
#include "cli/origin.h"
#include "cli/outputs.h"
#include "cli/recipes.h"
#include "train/features.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void check_schedule(const Options *o)
{
    if (o->warmup > o->epochs)
        error_die(EXIT_USAGE, "--warmup", "%g epochs of warm-up, but %d in all", o->warmup,
                  o->epochs);
    if (o->min_lr > o->lr)
        error_die(EXIT_USAGE, option_given(o, "--min-lr") ? "--min-lr" : "--lr",
                  "the learning rate would rise, from %g to %g (--min-lr)", o->lr, o->min_lr);
}

static void check_start(const Options *o)
{
    if (!o->weights && o->freeze)
        error_die(EXIT_USAGE, "--freeze", "needs --weights FILE: a trained network");
    if (!o->weights && o->as_is)
        error_die(EXIT_USAGE, "--as-is", "is about --weights, of which there are none");
    if (o->freeze && o->drop_path > 0)
        error_die(EXIT_USAGE, "--drop-path", "with --freeze no path is dropped");
}

/* What the file has for the network that will be trained. */
static Weights *start_of(Origin *origin, const Blueprint *plan)
{
    const Options *o = &origin->run->options;
    Net *net = network_build(plan->step, &plan->shape);
    Net *head = o->freeze ? features_head(net) : NULL;
    if (o->freeze && !head)
        error_die(EXIT_USAGE, "--freeze",
                  "the last layer with weights and those after it read more than one tensor of the "
                  "layers before them");
    Weights *start = origin_weights_to_tune(origin, &plan->shape, net, o->seed);
    net_free(head);
    net_free(net);
    return start;
}

/* The weights to start from know what images are normalised by. */
static void normalise(const Origin *origin, Dataset *training, Dataset *test)
{
    origin_normalise(origin, training);
    memcpy(test->mean, training->mean, sizeof test->mean);
    memcpy(test->std, training->std, sizeof test->std);
}

/* --freeze is for features that are computed once, unless it is told otherwise. */
static bool crop_flip(const Options *o)
{
    return o->augment ? o->augment == AUGMENT_CROP_FLIP : !o->freeze;
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
                     .warmup = o->warmup,
                     .weight_decay = o->weight_decay,
                     .smoothing = o->smoothing,
                     .classic = recipes_classic(o),
                     .mixup = o->mixup,
                     .cutmix = o->cutmix,
                     .randaugment = { o->randaugment[0], o->randaugment[1] },
                     .erasing = o->erasing,
                     .no_crop_flip = !crop_flip(o),
                     .freeze = o->freeze,
                     .ema = o->ema,
                     .seed = o->seed };
}

int cmd_train(const Run *call)
{
    Run with_recipe = *call;
    const Run *run = &with_recipe;
    const Options *o = &run->options;
    recipes_apply(&with_recipe.options);
    check_schedule(o);
    check_start(o);
    Alteration alter = blueprint_alteration(o);
    Origin origin = o->weights ? origin_read_to_tune(run) : (Origin){ 0 };
    Origin *from = o->weights ? &origin : NULL;
    DatasetWish wish = blueprint_wish(run, from);
    Dataset training, test;
    blueprint_open_data(o->data, &wish, o->limit, alter, &training, &test);
    if (from)
        normalise(from, &training, &test);
    Blueprint plan = blueprint_for_data(run, from, &training);
    recipes_apply_to_network(o, plan.step, &plan.shape);
    Weights *start = from ? start_of(from, &plan) : NULL;
    char *network = origin_network(run, &plan.shape);
    char *name = origin_name(run, &plan.shape.config);
    MetadataList metadata = metadata_of(run, &plan, &training);
    char *set = dataset_short_name(o->data);
    char *out = o->out ? str_format("%s", o->out)
                       : str_format("runs/%s/%s-%llu", set, name, (unsigned long long)o->seed);
    outputs_check_run(o, out);
    Recipe recipe = recipe_of(run, out, network);
    recipe.start = start;
    recipe.metadata = metadata.items, recipe.metadata_count = metadata.count;
    Error error;
    TrainEnd end = TRAINED_ALL;
    if (!trainer_possible(&recipe, &training, &error))
        error_die_of(EXIT_USAGE, &error);
    if (!trainer_run(&recipe, blueprint_builder(&plan), &training, &test, &end, &error))
        error_die_of(end == TRAIN_REFUSED ? EXIT_USAGE : EXIT_FAILED, &error);
    if (end == TRAINED_INTERRUPTED)
        error_note(out, "stopped; the same command with --resume continues");
    else if (!o->out)
        printf("weights: %s/best.safetensors\n", out);
    weights_free(start);
    if (from)
        origin_free(from);
    free(out);
    free(set);
    free(name);
    free(network);
    metadata_free(&metadata);
    dataset_free(&training);
    dataset_free(&test);
    return end == TRAINED_INTERRUPTED ? EXIT_FAILED : 0;
}
