/* train and evaluate: a step on a data set. */
#include "base/memory.h"
#include "cli/commands.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

/* What a network of any batch size is built from. */
typedef struct {
    const Step *step;
    Shape shape;
} Blueprint;

static Net *build(const void *context, int batch_size)
{
    Blueprint plan = *(const Blueprint *)context;
    plan.shape.n = batch_size;
    return build_network(plan.step, &plan.shape);
}

Shape shape_for_data(const Run *run, const Dataset *data)
{
    const Options *o = &run->options;
    Shape shape = shape_of(run->step, o, "small");
    if (option_given(o, "--classes") && shape.classes != data->classes)
        die(EXIT_USAGE, "--classes", "%d, but %s has %d", shape.classes, data->name, data->classes);
    if (option_given(o, "--input") && shape.c != data->channels)
        die(EXIT_USAGE, "--input", "%d channels, but %s has %d", shape.c, data->name,
            data->channels);
    if (option_given(o, "--input") && (shape.h < data->height || shape.w < data->width))
        die(EXIT_USAGE, "--input", "%dx%d, but the pictures of %s are %dx%d", shape.h, shape.w,
            data->name, data->height, data->width);
    shape.classes = data->classes;
    shape.c = data->channels;
    return shape;
}

static Blueprint blueprint(const Run *run, const Dataset *data)
{
    return (Blueprint){ .step = run->step, .shape = shape_for_data(run, data) };
}

static Dataset open_data(const char *name, DatasetPart part, int limit)
{
    Dataset data;
    Error error;
    if (!dataset_open(name, part, limit, &data, &error))
        die_of(EXIT_FAILED, &error);
    return data;
}

static int batch_size(const Options *o)
{
    return o->batch_size ? o->batch_size : 64;
}

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
                     .batch_size = batch_size(o),
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

int train(const Run *run)
{
    const Options *o = &run->options;
    Dataset training = open_data(o->data, TRAINING_SET, o->limit);
    Dataset test = open_data(o->data, TEST_SET, 0);
    Blueprint plan = blueprint(run, &training);
    char *network = network_text(run, &plan.shape);
    char *row = row_text(run, &plan.shape.config);
    char *out = o->out ? str_format("%s", o->out)
                       : str_format("runs/%s/%s%s-%llu", o->data, run->name, row,
                                    (unsigned long long)o->seed);
    Recipe recipe = recipe_of(run, out, network);
    Error error;
    TrainEnd end = TRAINED_ALL;
    if (!train_possible(&recipe, &training, &error))
        die_of(EXIT_USAGE, &error);
    if (!train_network(&recipe, (Builder){ build, &plan }, &training, &test, &end, &error))
        die_of(EXIT_FAILED, &error);
    if (end == TRAINED_INTERRUPTED)
        printf("stopped; the same command with --resume goes on\n");
    free(out);
    free(row);
    free(network);
    dataset_free(&training);
    dataset_free(&test);
    return end == TRAINED_INTERRUPTED ? EXIT_FAILED : 0;
}

/* --- evaluate -------------------------------------------------------------------------------- */

/* Rows: what a picture is; columns: what the network calls it. */
static void print_confusion(const Dataset *data, const Score *score)
{
    int classes = data->classes;
    printf("\nconfusion (row: true class, column: named)\n%-16s", "");
    for (int j = 0; j < classes; j++)
        printf("%6d", j);
    printf("\n");
    for (int i = 0; i < classes; i++) {
        printf("%2d %-13.13s", i, data->class_names[i]);
        for (int j = 0; j < classes; j++)
            printf("%6d", score->confusion[i * classes + j]);
        printf("\n");
    }
}

int evaluate(const Run *run)
{
    const Options *o = &run->options;
    Dataset test = open_data(o->data, TEST_SET, o->limit);
    Blueprint plan = blueprint(run, &test);
    Net *net = build(&plan, 1);
    Weights *weights = weights_new(net);
    Score score;
    Error error;
    if (!weights_load(weights, o->weights, &error) ||
        !evaluate_all((Builder){ build, &plan }, weights, &test, batch_size(o), &score, &error))
        die_of(EXIT_FAILED, &error);
    printf("%s, test set of %s, %d pictures: top-1 %.2f %%, top-5 %.2f %%, loss %.4f\n", run->name,
           test.name, score.count, 100 * score.top1, 100 * score.top5, score.loss);
    if (score.undecided)
        printf("%d pictures have a NaN among their logits: counted as wrong, named nothing\n",
               score.undecided);
    print_confusion(&test, &score);
    free(score.confusion);
    weights_free(weights);
    net_free(net);
    dataset_free(&test);
    return 0;
}
