/* A run does what its recipe says: the same training once more, in a loop of its own, ends with the
 * same weights. What the loop calls is held to PyTorch, or to its definition, elsewhere. */
#include "base/memory.h"
#include "data/loader.h"
#include "engine/engine.h"
#include "ops/ops.h"
#include "run.h"
#include "train/adamw.h"
#include "train/schedule.h"
#include "train/sgd.h"
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

/* A straight line up over the warm-up, to the nearest step, then half a cosine down; or a tenth of
 * it from each third of the whole on. */
static double rate(const Recipe *r, int step, int batches)
{
    double warm = floor(r->warmup * batches + 0.5), rest = r->epochs * batches - warm;
    if (step < warm)
        return r->lr * (step + 1) / warm;
    if (r->classic)
        return r->lr * pow(10, -floor(3.0 * step / (r->epochs * batches)));
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
        .augment = { .crop = true,
                     .flip = true,
                     .mixup = r->mixup,
                     .cutmix = r->cutmix,
                     .randaugment = r->randaugment,
                     .erasing = r->erasing },
        .seed = r->seed,
    };
}

static Trained train_by_hand(const Recipe *r, const Dataset *data)
{
    Net *net = build(NULL, r->batch_size);
    Trained t = { weights_new(net), weights_new(net), 0 };
    Weights *gradients = weights_new(net);
    AdamW optimizer = adamw_new(net);
    Weights *velocity = weights_new(net);
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
            double lr = rate(r, step, batches);
            if (r->classic)
                sgd_step(velocity, t.weights, gradients, lr, r->weight_decay);
            else
                adamw_step(&optimizer, t.weights, gradients, lr, r->weight_decay);
            move_average(r, &t);
        }
        loader_stop(loader);
        t.loss /= batches;
    }
    engine_free(engine);
    dataset_split_free(&split);
    adamw_free(&optimizer);
    weights_free(velocity);
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
    cr_assert(dataset_open("shapes", &(DatasetWish){ 0 }, TRAINING_SET, 110, &training, &error),
              "%s", error.text);
    cr_assert(dataset_open("shapes", &(DatasetWish){ 0 }, TEST_SET, 20, &test, &error), "%s",
              error.text);
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
    recipe.randaugment = (RandAugment){ 2, 9 };
    recipe.erasing = 0.25;
    check(recipe);
    recipe.classic = true;
    check(recipe);
}

/* --- SGD ------------------------------------------------------------------------------------- */

/* A parameter's tensor in the file, "STEP/KEY" and a suffix, in memory's layout. */
static float *tensor_of(const Safetensors *file, const char *step, const Param *p,
                        const char *suffix)
{
    const char *dot = strrchr(p->key, '.');
    char *key = str_format("%s%s%s", step, dot ? dot + 1 : p->key, suffix);
    const Entry *e = safetensors_find(file, key);
    cr_assert(e && e->bytes == p->count * sizeof(float), "%s", key);
    float *raw = mem_alloc(p->count, sizeof *raw), *values = mem_alloc(p->count, sizeof *values);
    memcpy(raw, e->data, e->bytes);
    layout_from_file(p, raw, values);
    free(raw);
    free(key);
    return values;
}

/* tests/data/make.py made the steps, with learning rates in thirds. */
Test(sgd, steps_are_those_of_pytorch)
{
    enum { STEPS = 6 };
    Safetensors file = tensors_in("tests/data/sgd.safetensors");
    Net *net = net_new();
    linear(flatten(net_input(net, 1, 3, 1, 1)), .out = 5);
    Weights *weights = weights_new(net), *gradients = weights_new(net), *v = weights_new(net);
    for (int step = -1; step < STEPS; step++) {
        char *prefix = step < 0 ? str_format("%s", "") : str_format("%d/", step);
        for (int k = 0; step >= 0 && k < weights->count; k++) {
            float *g = tensor_of(&file, prefix, &weights->params[k], ".grad");
            memcpy(gradients->values[k], g, weights->params[k].count * sizeof *g);
            free(g);
        }
        if (step >= 0)
            sgd_step(v, weights, gradients, schedule_steps_lr(step, STEPS, 0, 0.3), 0.05);
        for (int k = 0; k < weights->count; k++) {
            float *w = tensor_of(&file, prefix, &weights->params[k], "");
            for (size_t i = 0; i < weights->params[k].count; i++)
                if (step < 0)
                    weights->values[k][i] = w[i];
                else
                    cr_expect_float_eq(weights->values[k][i], w[i], 2e-6, "step %d: %s", step,
                                       weights->params[k].key);
            free(w);
        }
        free(prefix);
    }
    weights_free(weights);
    weights_free(gradients);
    weights_free(v);
    net_free(net);
    safetensors_free(&file);
}

/* --- --recipe -------------------------------------------------------------------------------- */

#define SMALL                                                                                      \
    "train --data shapes --limit 200 --epochs 2 --batch-size 20 --stem 8 --widths 8,12,16,24 "     \
    "--depths 1,1,1,1 --seed 3 "

/* A recipe is the same as its options, whatever the threads. */
static void expect_same_options(const char *step, const char *recipe, const char *options)
{
    char *folder = folder_new();
    run_well("%s/%s " SMALL "--recipe %s --threads 1 --out %s/a", build_folder(), step, recipe,
             folder);
    run_well("%s/%s " SMALL "%s --threads 2 --out %s/b", build_folder(), step, options, folder);
    run_well(
        "cd %s && cmp a/last.safetensors b/last.safetensors && "
        "cmp a/best.safetensors b/best.safetensors && cut -f 1-11 a/result.tsv >a/but_seconds && "
        "cut -f 1-11 b/result.tsv | cmp - a/but_seconds",
        folder);
    folder_remove(folder);
}

#define PAPER                                                                                      \
    "--lr 4e-3 --min-lr 1e-6 --warmup 0.13333333333333333 --weight-decay 0.05 --smoothing 0.1 "    \
    "--randaugment 2,9 --erasing 0.25 --mixup --cutmix"

Test(recipes, are_their_options)
{
    expect_same_options("11_drop_path_layer_scale", "paper", PAPER " --drop-path 0.1");
    expect_same_options("00_resnet", "paper", PAPER); /* has no drop path */
    expect_same_options("09_layer_norm", "paper --randaugment 1,5 --erasing 0 --lr 1e-3",
                        "--lr 1e-3 --warmup 0.13333333333333333 --randaugment 1,5 --mixup "
                        "--cutmix");
    expect_same_options("00_resnet", "classic",
                        "--recipe classic --lr 0.0078125 --warmup 0 --weight-decay 1e-4 "
                        "--smoothing 0");
}

/* A run goes on with its own recipe alone. */
Test(recipes, another_is_refused)
{
    char *folder = folder_new();
    run_well("%s/00_resnet " SMALL "--recipe paper --out %s/paper", build_folder(), folder);
    run_well("%s/00_resnet " SMALL "--recipe classic --out %s/classic", build_folder(), folder);
    static const char *const others[][3] = {
        { "paper", "",
          "--randaugment 2,9 then, none now|--erasing 0.25 then, none now|--mixup on" },
        { "paper", "--recipe classic", "--recipe none then, classic now" },
        { "classic", "--recipe paper", "--recipe classic then, none now" },
        { "paper", "--recipe paper --randaugment 2,8",
          "--randaugment 2,9 then, 2,8 now. --resume" },
        { "paper", "--recipe paper --erasing 0.5", "--erasing 0.25 then, 0.5 now. --resume" },
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_line(run("%s/00_resnet " SMALL "%s --resume --out %s/%s", build_folder(),
                        others[i][1], folder, others[i][0]),
                    2, others[i][2], others[i][1]);
    run_well("%s/00_resnet " SMALL "--recipe paper --resume --epochs 3 --out %s/paper 2>&1 | "
             "grep 'made longer after --epochs 2 --warmup 0.133'",
             build_folder(), folder);
    folder_remove(folder);
}

Test(recipes, what_is_wrong_is_told)
{
    static const char *const wrong[][2] = {
        { "--recipe modern", "'modern' is not one of classic|paper" },
        { "--randaugment 2", "'2' is not N,M, each from 0 to 10" },
        { "--randaugment 2,11", "'2,11' is not N,M" },
        { "--randaugment 2,9,1", "'2,9,1' is not N,M" },
        { "--erasing 1.5", "'1.5' is not P, a number from 0 to 1" },
        { "--recipe classic --min-lr 0", "--min-lr: the classic recipe's learning rate" },
        { "--recipe paper --epochs 2 --warmup 3", "3 epochs of warm-up, but 2 in all" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_line(run("%s/00_resnet train --data shapes --out /dev/null/x %s", build_folder(),
                        wrong[i][0]),
                    2, wrong[i][1], wrong[i][0]);
    expect_line(run("%s/00_resnet data shapes --recipe paper", build_folder()), 2,
                "--recipe: shows only in the images", "data");
}

/* data draws what training would see: something else with each of these options, and the same with
 * what changes no image. */
Test(recipes, data_shows_what_they_do)
{
    static const char *const options[] = {
        "",         "--randaugment 2,9", "--erasing 1", "--mixup",
        "--cutmix", "--recipe paper",    "--seed 1",    "--recipe paper --seed 1"
    };
    enum { SHEETS = sizeof options / sizeof *options };
    char *folder = folder_new();
    for (size_t i = 0; i < SHEETS; i++)
        run_well("%s/00_resnet data shapes %s --output %s/%zu.pgm", build_folder(), options[i],
                 folder, i);
    run_well("cd %s && test $(cksum *.pgm | cut -d ' ' -f 1 | sort -u | wc -l) = %d", folder,
             (int)SHEETS);
    run_well("%s/00_resnet data shapes --recipe classic --output %s/x && cmp %s/x %s/0.pgm",
             build_folder(), folder, folder, folder);
    run_well("%s/00_resnet data shapes --recipe paper --randaugment 2,9 --erasing 0.25 --mixup "
             "--threads 1 --output %s/x && cmp %s/x %s/5.pgm",
             build_folder(), folder, folder, folder);
    folder_remove(folder);
}
