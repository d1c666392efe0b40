/* A run does what its recipe says: the same training once more, in a loop of its own, ends with the
 * same weights. What the loop calls is held to PyTorch, or to its definition, elsewhere. */
#include "base/memory.h"
#include "data/loader.h"
#include "engine/engine.h"
#include "ops/ops.h"
#include "run.h"
#include "train/adamw.h"
#include "train/trainer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small, and with all that a training step may move: running statistics, paths that are dropped,
 * parameters with decay and without. */
static Net *build(const void *context, int batch_size)
{
    (void)context;
    Net *net = net_new();
    Tensor *x = net_input(net, batch_size, 1, 32, 32);
    x = conv2d(x, .out = 8, .kernel = 4, .stride = 4, .bias = false);
    x = batch_norm(x);
    for (int i = 0; i < 2; i++)
        SCOPE(net, NEXT) {
            Tensor *y = conv2d(x, .out = 8, .kernel = 3, .pad = 1, .groups = 8);
            y = gelu(conv2d(layer_norm(y), .out = 16, .kernel = 1));
            y = conv2d(y, .out = 8, .kernel = 1);
            x = add(x, drop_path(y, 0.5f, .per_sample = i));
        }
    linear(flatten(global_avg_pool(x)), .out = 10);
    return net;
}

/* A straight line up over the warm-up, to the nearest step, then half a cosine down. */
static double rate(const Recipe *r, int step, int batches)
{
    double warm = floor(r->warmup * batches + 0.5), rest = r->epochs * batches - warm;
    if (step < warm)
        return r->lr * (step + 1) / warm;
    return r->min_lr + (r->lr - r->min_lr) * (1 + cos(acos(-1) * (step - warm) / rest)) / 2;
}

typedef struct {
    Weights *weights, *average;
    double loss; /* mean over the last epoch's batches */
} Trained;

static void train_batch(const Recipe *r, const Net *net, Engine *engine, const Batch *batch,
                        int step, Trained *t)
{
    Targets targets = { batch->a, batch->b, batch->lambda };
    memcpy(engine_input(engine), batch->x, tensor_elements(net_tensor(net, 0)) * sizeof(float));
    engine_drop(engine, (Random){ r->seed, (uint64_t)step });
    engine_forward(engine);
    t->loss += cross_entropy_loss(engine_output(engine), r->batch_size, 10, targets, r->smoothing,
                                  engine_output_gradient(engine));
    engine_backward(engine);
}

static void move_average(const Recipe *r, Trained *t)
{
    for (size_t i = 0; i < t->average->floats; i++)
        t->average->data[i] +=
            (float)((1 - r->ema) * ((double)t->weights->data[i] - t->average->data[i]));
}

static LoaderOptions loader_options(const Recipe *r, const Dataset *data, const DatasetSplit *split)
{
    return (LoaderOptions){
        .data = data,
        .list = split->training,
        .count = split->training_count,
        .channels = 1,
        .height = 32,
        .width = 32,
        .batch_size = r->batch_size,
        .shuffle = true,
        .drop_last = true,
        .augment = { .crop = true, .flip = true, .mixup = r->mixup, .cutmix = r->cutmix },
        .seed = r->seed,
    };
}

static Trained train_by_hand(const Recipe *r, const Dataset *data)
{
    Net *net = build(NULL, r->batch_size);
    Trained t = { weights_new(net), weights_new(net), 0 };
    Weights *gradients = weights_new(net);
    AdamW optimizer = adamw_new(net);
    DatasetSplit split = dataset_split(data);
    LoaderOptions options = loader_options(r, data, &split);
    weights_init(t.weights, r->seed);
    weights_init(t.average, r->seed);
    Engine *engine = engine_for_training(FAST, net, t.weights, gradients);
    int batches = loader_batches(&options), step = 0;
    for (options.epoch = 0; options.epoch < (uint64_t)r->epochs; options.epoch++) {
        Error error;
        Loader *loader = loader_start(&options, &error);
        cr_assert(loader, "%s", error.text);
        t.loss = 0;
        for (const Batch *batch; loader_next(loader, &batch); step++) {
            train_batch(r, net, engine, batch, step, &t);
            adamw_step(&optimizer, t.weights, gradients, rate(r, step, batches), r->weight_decay);
            move_average(r, &t);
        }
        loader_stop(loader);
        t.loss /= batches;
    }
    engine_free(engine);
    dataset_split_free(&split);
    adamw_free(&optimizer);
    weights_free(gradients);
    net_free(net);
    return t;
}

/* Parameter by parameter, the run's file against the weights by hand. */
static void expect_saved(const char *out, const char *prefix, const Weights *want)
{
    Safetensors file = tensors_in("%s/last.safetensors", out);
    Net *net = build(NULL, 1);
    Weights *saved = weights_new(net);
    Error error;
    cr_assert(weights_from_file(saved, &file, prefix, ALL, &error), "%s", error.text);
    for (int i = 0; i < want->count; i++) {
        double off = 0, size = 0;
        for (size_t k = 0; k < want->params[i].count; k++) {
            off += pow((double)saved->values[i][k] - want->values[i][k], 2);
            size += pow(want->values[i][k], 2);
        }
        cr_expect(sqrt(off / size) < 1e-4, "%s%s: relative error %g", prefix, want->params[i].key,
                  sqrt(off / size));
    }
    weights_free(saved);
    net_free(net);
    safetensors_free(&file);
}

/* The loss of the log's last line. */
static double logged_loss(const char *out)
{
    double loss = NAN;
    char *text = contents("%s/log.tsv", out), *rest = text, *line;
    while ((line = next_line(&rest)))
        sscanf(line, "%*d\t%*f\t%lf", &loss);
    free(text);
    return loss;
}

static void check(Recipe recipe)
{
    char *out = folder_new();
    cr_assert(freopen("/dev/null", "w", stdout), "cannot leave out what the run prints");
    Dataset training, test;
    Error error;
    TrainEnd end;
    cr_assert(dataset_open("shapes", TRAINING_SET, 110, &training, &error), "%s", error.text);
    cr_assert(dataset_open("shapes", TEST_SET, 20, &test, &error), "%s", error.text);
    recipe.out = out;
    cr_assert(trainer_run(&recipe, (Builder){ build, NULL, FAST }, &training, &test, &end, &error),
              "%s", error.text);
    Trained t = train_by_hand(&recipe, &training);
    expect_saved(out, "weights/", t.weights);
    if (recipe.ema > 0)
        expect_saved(out, "average/", t.average);
    cr_expect_float_eq(logged_loss(out), t.loss, 2e-5);
    weights_free(t.weights);
    weights_free(t.average);
    dataset_free(&training);
    dataset_free(&test);
    folder_remove(out);
}

Test(recipe, is_followed)
{
    Recipe recipe = { .data = "shapes",
                      .network = "test",
                      .epochs = 3,
                      .batch_size = 20,
                      .lr = 1e-2,
                      .min_lr = 1e-3,
                      .warmup = 0.5,
                      .weight_decay = 0.3,
                      .smoothing = 0.1,
                      .seed = 5 };
    check(recipe);
    recipe.mixup = recipe.cutmix = true;
    recipe.warmup = 0.7; /* 2.8 steps */
    recipe.ema = 0.8;
    check(recipe);
}
