/* train: a step on a data set. */
#include "base/memory.h"
#include "cli/blueprint.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

static double given_or(const Run *run, const char *name, double given, double otherwise)
{
    return option_given(&run->options, name) ? given : otherwise;
}

/* "-row5" of a step that has rows, which is one more network each. */
static char *row_text(const Run *run, const Config *c)
{
    return run->step->rows ? str_format("-row%d", c->row) : str_format("%s", "");
}

/* The network in words, for the checkpoint: what must be the same when a run goes on. */
static char *network_text(const Run *run, const Shape *s)
{
    const Config *c = &s->config;
    char *row = row_text(run, c);
    char *text =
        str_format("%s%s --stem %d --widths %d,%d,%d,%d --depths %d,%d,%d,%d --input %dx%dx%d "
                   "--drop-path %.9g --layer-scale %.9g",
                   run->name, row, c->stem, c->widths[0], c->widths[1], c->widths[2], c->widths[3],
                   c->depths[0], c->depths[1], c->depths[2], c->depths[3], s->c, s->h, s->w,
                   (double)c->drop_p, (double)c->layer_scale);
    free(row);
    return text;
}

static Recipe recipe_of(const Run *run, const char *out, const char *network)
{
    const Options *o = &run->options;
    int epochs = o->epochs ? o->epochs : 10;
    return (Recipe){ .data = o->data,
                     .out = out,
                     .network = network,
                     .resume = o->resume,
                     .limit = o->limit,
                     .epochs = epochs,
                     .batch_size = blueprint_batch_size(o),
                     .lr = given_or(run, "--lr", o->lr, 4e-3),
                     .min_lr = given_or(run, "--min-lr", o->min_lr, 1e-6),
                     .warmup = given_or(run, "--warmup", o->warmup, epochs / 10.0),
                     .weight_decay = given_or(run, "--weight-decay", o->weight_decay, 0.05),
                     .smoothing = given_or(run, "--smoothing", o->smoothing, 0.1),
                     .mixup = o->mixup,
                     .cutmix = o->cutmix,
                     .ema = o->ema,
                     .seed = o->seed };
}

int cmd_train(const Run *run)
{
    const Options *o = &run->options;
    Dataset training = blueprint_open_data(o->data, TRAINING_SET, o->limit);
    Dataset test = blueprint_open_data(o->data, TEST_SET, 0);
    Blueprint plan = blueprint_for_data(run, &training);
    char *network = network_text(run, &plan.shape);
    char *row = row_text(run, &plan.shape.config);
    char *out = o->out ? str_format("%s", o->out)
                       : str_format("runs/%s/%s%s-%llu", o->data, run->name, row,
                                    (unsigned long long)o->seed);
    Recipe recipe = recipe_of(run, out, network);
    Error error;
    TrainEnd end = TRAINED_ALL;
    if (!trainer_possible(&recipe, &training, &error))
        error_die_of(EXIT_USAGE, &error);
    if (!trainer_run(&recipe, blueprint_builder(&plan), &training, &test, &end, &error))
        error_die_of(EXIT_FAILED, &error);
    if (end == TRAINED_INTERRUPTED)
        printf("stopped; the same command with --resume goes on\n");
    free(out);
    free(row);
    free(network);
    dataset_free(&training);
    dataset_free(&test);
    return end == TRAINED_INTERRUPTED ? EXIT_FAILED : 0;
}
