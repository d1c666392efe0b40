#include "train/trainer.h"

#include "base/built_for.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/stop.h"
#include "base/system.h"
#include "engine/engine.h"
#include "ops/ops.h"
#include "train/checkpoint.h"
#include "train/features.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/schedule.h"
#include "train/sgd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A run: what it was asked for, what it works on, its position. */
typedef struct {
    const Recipe *recipe;
    Builder builder;
    const Dataset *data;
    DatasetSplit split;
    Net *whole, *net; /* net: what is trained of it, all or the head */
    Engine *engine;
    Weights *gradients;
    State state;
    Weights trained, averaged; /* what is trained of the state's weights and average */
    Backbone *backbone;       /* of the whole network, where the head is trained alone; else NULL */
    Features known, held_out; /* the backbone's; known: of the images to train on, or empty */
    RunFolder folder;
    char *recipe_text;
    int batches;    /* per epoch */
    double started; /* this epoch, clock_seconds() */
} Trainer;

/* --- files ----------------------------------------------------------------------------------- */

static bool save_state(const Trainer *t, Error *error)
{
    char *path = run_folder_file(&t->folder, "last.safetensors");
    bool good = checkpoint_save(path, &t->state, error);
    free(path);
    return good;
}

/* Returns the weights that are evaluated: the average where there is one. */
static Weights *judged(const Trainer *t)
{
    return t->state.average ? t->state.average : t->state.weights;
}

/* Saves the weights alone; the file's metadata say of which network and data set they are. */
static bool save_best(const Trainer *t, Error *error)
{
    char *path = run_folder_file(&t->folder, "best.safetensors");
    Form form = { .scheme = OFFICIAL,
                  .metadata = t->recipe->metadata,
                  .metadata_count = t->recipe->metadata_count };
    bool good = weights_save(judged(t), &form, path, error);
    free(path);
    return good;
}

/* --- steps ----------------------------------------------------------------------------------- */

static long steps_done(const Trainer *t)
{
    return (long)t->state.epoch * t->batches + t->state.batch;
}

static double lr_now(const Trainer *t)
{
    const Recipe *r = t->recipe;
    long total = (long)r->epochs * t->batches, warmup = lround(r->warmup * t->batches);
    return r->classic ? schedule_steps_lr(steps_done(t), total, warmup, r->lr)
                      : schedule_lr(steps_done(t), total, warmup, r->lr, r->min_lr);
}

/* average += (1 - decay)·(weights - average), for parameters and running statistics alike. */
static void update_average(const Trainer *t)
{
    float keep = (float)t->recipe->ema;
    float *average = t->averaged.data;
    const float *now = t->trained.data;
    for (size_t i = 0; i < t->averaged.floats; i++)
        average[i] = keep * average[i] + (1 - keep) * now[i];
}

static void update_weights(Trainer *t)
{
    State *s = &t->state;
    double lr = lr_now(t), decay = t->recipe->weight_decay;
    if (s->velocity) {
        sgd_step(s->velocity, &t->trained, t->gradients, lr, decay);
        s->optimizer.step++;
    } else
        adamw_step(&s->optimizer, &t->trained, t->gradients, lr, decay);
    if (s->average)
        update_average(t);
}

/* Takes one optimiser step; returns the batch's mean loss. */
static double train_batch(Trainer *t, const Batch *batch)
{
    const Tensor *x = net_tensor(t->net, 0), *y = net_output(t->net);
    Targets targets = { .a = batch->a, .b = batch->b, .lambda = batch->lambda };
    memcpy(engine_input(t->engine), batch->x, tensor_elements(x) * sizeof(float));
    engine_drop(t->engine, (Random){ t->recipe->seed, (uint64_t)steps_done(t) });
    engine_forward(t->engine);
    double loss = cross_entropy_loss(engine_output(t->engine), y->n, y->c, targets,
                                     t->recipe->smoothing, engine_output_gradient(t->engine));
    if (!isfinite(loss))
        return loss;
    engine_backward(t->engine);
    update_weights(t);
    return loss;
}

/* --- epochs ---------------------------------------------------------------------------------- */

static Augment augment_of(const Recipe *r)
{
    return (Augment){ .crop = !r->no_crop_flip,
                      .flip = !r->no_crop_flip,
                      .mixup = r->mixup,
                      .cutmix = r->cutmix,
                      .randaugment = r->randaugment,
                      .erasing = r->erasing };
}

/* An epoch of the images in the list. */
static LoaderOptions loader_options(const Trainer *t, const uint32_t *list, int count)
{
    const Tensor *x = net_tensor(t->whole, 0);
    return (LoaderOptions){ .data = t->data,
                            .list = list,
                            .count = count,
                            .channels = x->c,
                            .height = x->h,
                            .width = x->w,
                            .batch_size = t->recipe->batch_size,
                            .first_batch = t->state.batch,
                            .shuffle = true,
                            .drop_last = true,
                            .augment = augment_of(t->recipe),
                            .seed = t->recipe->seed,
                            .epoch = (uint64_t)t->state.epoch };
}

static LoaderOptions training_options(const Trainer *t)
{
    return loader_options(t, t->split.training, t->split.training_count);
}

/* What the backbone makes of images that are not augmented, which is the same in every epoch. */
static bool compute_features(Trainer *t, Error *error)
{
    const DatasetSplit *s = &t->split;
    bool once = !augment_any(augment_of(t->recipe));
    double start = clock_seconds();
    printf("frozen backbone: %s: ",
           once
               ? "no augmentation, so each image's features are computed once"
               : "augmented, so the features are computed in every epoch, those of held-out images "
                 "once");
    fflush(stdout);
    t->backbone = features_backbone(t->builder.engine, t->whole, t->state.weights);
    LoaderOptions held_out = loader_options(t, s->held_out, s->held_out_count);
    bool good = (!once || features_compute(t->backbone, training_options(t), &t->known, error)) &&
                (stop_asked() || features_compute(t->backbone, held_out, &t->held_out, error));
    printf("%d images, %.1f s\n", t->known.count + t->held_out.count, clock_seconds() - start);
    return good;
}

#define SMALLER_LR "a smaller --lr or a longer --warmup may help"

static bool lost(const Trainer *t, double loss, Error *error)
{
    bool kept = run_folder_has(&t->folder, "last.safetensors");
    return error_set(error, t->recipe->out, "the loss is %s in epoch %d, step %d; %s; " SMALLER_LR,
                     isnan(loss) ? "not a number" : "infinite", t->state.epoch + 1,
                     t->state.batch + 1,
                     kept ? "the checkpoint before it is kept" : "nothing was saved before it");
}

/* Trains on the rest of an epoch's batches, until a signal. Fails at a loss that is not finite. */
static bool train_batches(Trainer *t, Error *error)
{
    State *s = &t->state;
    LoaderOptions options = training_options(t);
    Feed *feed = features_feed(&options, t->backbone, t->known.count ? &t->known : NULL, error);
    if (!feed)
        return false;
    Progress progress = progress_start(t->batches, s->batch);
    const Batch *batch;
    bool good = true;
    while (!stop_asked() && features_next(feed, &batch)) {
        double loss = train_batch(t, batch);
        if (!isfinite(loss)) {
            good = lost(t, loss, error);
            break;
        }
        s->loss_sum += loss;
        s->batch++;
        progress_show(&progress, s->epoch + 1, t->recipe->epochs, s->batch, s->loss_sum / s->batch);
    }
    progress_clear(&progress);
    features_stop(feed);
    return good;
}

/* At such a mean loss the right class has, on the whole, a probability that no double can hold:
 * what was trained is lost. */
enum { DIVERGED = 700 };

/* Returns whether this epoch is the best so far, and notes it. Of equal accuracies the lower loss
 * is better, of equal losses the earlier epoch. One that diverged is never the best, nor NaN. */
static bool keep_best(State *s, const Score *score)
{
    bool better =
        score->loss < DIVERGED && (s->best_epoch == 0 || score->top1 > s->best_top1 ||
                                   (score->top1 == s->best_top1 && score->loss < s->best_loss));
    if (better) {
        s->best_epoch = s->epoch;
        s->best_top1 = score->top1;
        s->best_loss = score->loss;
    }
    return better;
}

/* Prints the epoch after it is saved: writing to a closed pipe may end the program. */
static void print_epoch(const Trainer *t, double loss, const Score *score, double seconds)
{
    printf("epoch %d/%d: loss %.4f, held out: loss %.4f, top-1 %.2f%%, top-5 %.2f%%, %.1f s\n",
           t->state.epoch, t->recipe->epochs, loss, score->loss, 100 * score->top1,
           100 * score->top5, seconds);
    fflush(stdout);
}

/* Evaluates the held-out images. */
static bool judge(const Trainer *t, Score *score, Error *error)
{
    const DatasetSplit *split = &t->split;
    if (!t->backbone)
        return evaluate_images(t->builder, judged(t), t->data, split->held_out,
                               split->held_out_count, t->recipe->batch_size, score, error);
    const Weights *weights = t->state.average ? &t->averaged : &t->trained;
    *score = evaluate_features(t->net, t->builder.engine, weights, t->held_out.values,
                               t->held_out.labels, t->held_out.count);
    return true;
}

/* Evaluates the epoch on the held-out images, logs it, and saves; unless a signal comes first. */
static bool end_epoch(Trainer *t, Error *error)
{
    State *s = &t->state;
    Score score;
    if (!judge(t, &score, error))
        return false;
    free(score.confusion);
    if (score.stopped)
        return true;
    double loss = s->loss_sum / t->batches, seconds = clock_seconds() - t->started;
    str_append(&t->folder.log, "%d\t%.6g\t%.5f\t%.5f\t%.2f\t%.2f\t%.1f\n", s->epoch + 1, lr_now(t),
               loss, score.loss, 100 * score.top1, 100 * score.top5, seconds);
    s->epoch++;
    s->batch = 0;
    s->loss_sum = 0;
    bool better = keep_best(s, &score);
    bool good = run_folder_write(&t->folder, "log.tsv", t->folder.log, error) &&
                (!better || save_best(t, error)) && save_state(t, error);
    if (good)
        print_epoch(t, loss, &score, seconds);
    return good;
}

static bool run_epochs(Trainer *t, Error *error)
{
    bool done = t->state.epoch >= t->recipe->epochs;
    bool good = done || !t->recipe->freeze || compute_features(t, error);
    while (good && !stop_asked() && t->state.epoch < t->recipe->epochs) {
        t->started = clock_seconds();
        good = train_batches(t, error) && (stop_asked() || end_epoch(t, error));
    }
    /* Between two epochs all is saved. */
    bool between = t->state.epoch > 0 && t->state.batch == 0;
    return good && (!stop_asked() || between || save_state(t, error));
}

/* --- the end --------------------------------------------------------------------------------- */

/* Returns the number of epochs as result.tsv has it, which tells a run that was made longer. */
static char *epochs_text(const Trainer *t)
{
    const char *before = t->state.before;
    return str_format("%d%s%s", t->recipe->epochs, before ? " after " : "", before ? before : "");
}

/* Returns what ended the run, and its time, as result.tsv alone has them: weights and checkpoints
 * are the same whoever trains them. */
static char *author_text(const Trainer *t)
{
    const char *network = t->recipe->network;
    char *cpu = system_processor();
    char *text =
        str_format("%.*s\t%s\t%s\t%s\t%s\t%.1f", (int)strcspn(network, " \t\n"), network,
                   built_commit, built_compiler, cpu, t->builder.engine == PLAIN ? "plain" : "fast",
                   run_folder_seconds(&t->folder));
    free(cpu);
    return text;
}

/* Reads the test set, once, with the best epoch's weights; unless a signal comes first. */
static bool write_result(Trainer *t, const Dataset *test, TrainEnd *end, Error *error)
{
    if (!t->state.best_epoch)
        return error_set(error, t->recipe->out,
                         "training has diverged: after no epoch is the loss on the held-out images "
                         "below %d, so no weights are kept as the best; " SMALLER_LR,
                         DIVERGED);
    char *path = run_folder_file(&t->folder, "best.safetensors");
    bool good = weights_load(judged(t), path, error);
    free(path);
    Score score;
    good = good && evaluate_images(t->builder, judged(t), test, NULL, test->count,
                                   t->recipe->batch_size, &score, error);
    if (!good)
        return false;
    free(score.confusion);
    if (score.stopped)
        return true;
    char *epochs = epochs_text(t), *author = author_text(t);
    char *text = str_format("epochs\tbest_epoch\theld_out_top1\ttest_top1\ttest_top5\ttest_loss\t"
                            "program\tcommit\tcompiler\tcpu\tengine\tseconds\n"
                            "%s\t%d\t%.2f\t%.2f\t%.2f\t%.5f\t%s\n",
                            epochs, t->state.best_epoch, 100 * t->state.best_top1, 100 * score.top1,
                            100 * score.top5, score.loss, author);
    good = run_folder_write(&t->folder, "result.tsv", text, error);
    *end = TRAINED_ALL;
    if (good)
        printf("test set%s%s, weights of epoch %d: loss %.4f, top-1 %.2f%%, top-5 %.2f%%\n",
               *test->altered ? " altered by " : "", test->altered, t->state.best_epoch, score.loss,
               100 * score.top1, 100 * score.top5);
    if (good)
        printf("sha256 of the weights: %s\n", weights_digest(judged(t)).text);
    free(epochs);
    free(author);
    free(text);
    return good;
}

/* --- the beginning --------------------------------------------------------------------------- */

/* Resumes from the checkpoint. */
static bool go_on(Trainer *t, Error *error)
{
    char *path = run_folder_file(&t->folder, "last.safetensors");
    bool good = checkpoint_load(path, &t->state, error);
    free(path);
    if (good && t->state.best_epoch) {
        good = run_folder_needs(&t->folder, "best.safetensors", error);
        t->state.refused = !good;
    }
    if (!good)
        return false;
    run_folder_resume_log(&t->folder, t->state.epoch);
    if (t->state.before)
        error_note(
            t->recipe->out,
            "made longer after %s: the learning rate continues as with --epochs %d, so this is "
            "not the run that %d epochs from the start would be",
            t->state.before, t->recipe->epochs, t->recipe->epochs);
    return true;
}

/* Begins a new run, unless another would be lost by it. A run that was killed in its first epoch
 * may have left some of its files, and is begun anew by --resume; a complete one has its result. */
static bool begin_anew(Trainer *t, Error *error)
{
    const RunFolder *f = &t->folder;
    const char *out = t->recipe->out, *taken = run_folder_taken(f);
    bool left = run_folder_has(f, "last.safetensors");
    bool gone = !left && run_folder_has(f, "best.safetensors") && run_folder_has(f, "result.tsv");
    t->state.refused = taken && (!t->recipe->resume || gone);
    if (gone)
        return run_folder_needs(f, "last.safetensors", error);
    if (t->state.refused)
        return error_set(
            error, out, "holds %s run (%s); --resume %s, another --out starts a new one",
            left ? "a" : "the beginning of a", taken, left ? "continues it" : "starts it anew");
    if (t->recipe->resume)
        error_note(out, "nothing to resume, %s: starts anew",
                   f->found ? "there is no last.safetensors in it" : "there was no such folder");
    return true;
}

/* Begins with fresh weights, or with those of the checkpoint where --resume finds one. */
static bool begin(Trainer *t, Error *error)
{
    bool resumes = t->recipe->resume && run_folder_has(&t->folder, "last.safetensors");
    return resumes ? go_on(t, error) : begin_anew(t, error);
}

static void trainer_free(Trainer *t)
{
    dataset_split_free(&t->split);
    engine_free(t->engine);
    weights_free(t->gradients);
    weights_free(t->state.weights);
    weights_free(t->state.average);
    weights_free(t->state.velocity);
    adamw_free(&t->state.optimizer);
    if (t->net != t->whole)
        net_free(t->net);
    net_free(t->whole);
    features_backbone_free(t->backbone);
    features_free(&t->known);
    features_free(&t->held_out);
    free(t->state.before);
    free(t->recipe_text);
    run_folder_free(&t->folder);
}

/* Fresh ones, or those that the recipe starts from. */
static Weights *first_weights(const Trainer *t)
{
    Weights *weights = weights_new(t->whole);
    if (t->recipe->start)
        memcpy(weights->data, t->recipe->start->data, weights->floats * sizeof(float));
    else
        weights_init(weights, t->recipe->seed);
    return weights;
}

static Trainer trainer_new(const Recipe *recipe, Builder builder, const Dataset *data)
{
    Trainer t = { .recipe = recipe, .builder = builder, .data = data };
    t.split = dataset_split(data);
    t.batches = t.split.training_count / recipe->batch_size;
    t.whole = builder.build(builder.context, recipe->batch_size);
    t.net = recipe->freeze ? features_head(t.whole) : t.whole;
    t.recipe_text = recipe_text(recipe, builder.engine, data->altered);
    t.gradients = weights_new(t.net);
    t.state.weights = first_weights(&t);
    if (recipe->classic)
        t.state.velocity = weights_new(t.net);
    else
        t.state.optimizer = adamw_new(t.net);
    t.state.recipe = t.recipe_text;
    t.state.metadata = recipe->metadata;
    t.state.metadata_count = recipe->metadata_count;
    t.state.longer = recipe->longer;
    int first = recipe->freeze ? net_head(t.whole)->first_param : 0;
    t.trained = weights_tail(t.state.weights, first);
    if (recipe->ema > 0) {
        t.state.average = first_weights(&t);
        t.averaged = weights_tail(t.state.average, first);
    }
    return t;
}

bool trainer_possible(const Recipe *recipe, const Dataset *training, Error *error)
{
    DatasetSplit split = dataset_split(training);
    bool good = true;
    if (!split.held_out_count)
        good = error_set(error, recipe->limit ? "--limit" : recipe->data,
                         "%d image%s none to hold out: 10 do", training->count,
                         training->count == 1 ? " leaves" : "s leave");
    else if (recipe->batch_size > split.training_count)
        good = error_set(error, "--batch-size", "%d is more than the %d training images",
                         recipe->batch_size, split.training_count);
    dataset_split_free(&split);
    return good;
}

bool trainer_run(const Recipe *recipe, Builder builder, const Dataset *training,
                 const Dataset *test, TrainEnd *end, Error *error)
{
    Trainer t = trainer_new(recipe, builder, training);
    *end = TRAINED_INTERRUPTED;
    stop_catch();
    bool good = run_folder_hold(&t.folder, recipe->out, error) && begin(&t, error);
    if (good) {
        t.engine = engine_for_training(builder.engine, t.net, &t.trained, t.gradients);
        good = run_epochs(&t, error);
    }
    if (good && !stop_asked())
        good = write_result(&t, test, end, error);
    if (t.state.refused)
        *end = TRAIN_REFUSED;
    stop_release();
    trainer_free(&t);
    return good;
}
