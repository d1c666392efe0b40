/* train: a step on a data set. */
#include "base/memory.h"
#include "cli/blueprint.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

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
                     .limit = o->limit,
                     .epochs = o->epochs,
                     .batch_size = blueprint_batch_size(o),
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
    Dataset training = blueprint_open_data(o->data, TRAINING_SET, o->limit, alter);
    Dataset test = blueprint_open_data(o->data, TEST_SET, 0, alter);
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
