#include "train/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/system.h"
#include "engine/training.h"
#include "io/file.h"
#include "ops/ops.h"
#include "train/checkpoint.h"
#include "train/loader.h"
#include "train/progress.h"
#include "train/schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A run: what it was asked for, what it works on, where it stands. */
typedef struct {
    const Recipe *recipe;
    Builder builder;
    const Dataset *data;
    DatasetSplit split;
    Net *net;
    Training *plan;
    Weights *gradients;
    State state;
    char *recipe_text, *log; /* log: the table's text so far */
    int batches;             /* an epoch's */
    int held;                /* the folder, locked */
    double started;          /* this epoch, clock_seconds() */
} Trainer;

/* --- files ----------------------------------------------------------------------------------- */

static char *path_in(const Trainer *t, const char *name)
{
    return str_format("%s/%s", t->recipe->out, name);
}

static bool write_text(const Trainer *t, const char *name, const char *text, Error *error)
{
    char *path = path_in(t, name);
    FileWriter *file = file_create(path, error);
    bool good = file && (file_put(file, text, strlen(text)), file_commit(file, error));
    free(path);
    return good;
}

static bool save_state(const Trainer *t, Error *error)
{
    char *path = path_in(t, "last.safetensors");
    bool good = checkpoint_save(path, &t->state, error);
    free(path);
    return good;
}

/* The weights that are judged: the average where there is one. */
static Weights *judged(const Trainer *t)
{
    return t->state.average ? t->state.average : t->state.weights;
}

/* Bare weights; the file's metadata tell what they are of. */
static bool save_best(const Trainer *t, Error *error)
{
    char *path = path_in(t, "best.safetensors");
    Form form = { .scheme = OFFICIAL,
                  .metadata = t->recipe->metadata,
                  .metadata_count = t->recipe->metadata_count };
    bool good = weights_save(judged(t), &form, path, error);
    free(path);
    return good;
}

static bool make_folder(const char *path, Error *error)
{
    char *part = str_format("%s", path);
    bool good = true;
    for (char *at = part + 1; good; at++) {
        if (*at && *at != '/')
            continue;
        char was = *at;
        *at = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            good = error_set(error, part, "cannot make the folder: %s", strerror(errno));
        *at = was;
        if (!was)
            break;
    }
    free(part);
    /* Better to know now than after an epoch. */
    struct stat status;
    if (good && (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)))
        good = error_set(error, path, "is not a folder");
    if (good && access(path, W_OK | X_OK) != 0)
        good = error_set(error, path, "cannot write into it: %s", strerror(errno));
    return good;
}

/* Locks the folder, which ends with the run, however that ends, and removes what killed runs were
 * writing. A file system without locks does without. */
static bool hold_folder(Trainer *t, Error *error)
{
    static const char *const names[] = { "last.safetensors", "best.safetensors", "log.tsv",
                                         "result.tsv" };
    t->held = open(t->recipe->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (t->held >= 0 && !system_lock(t->held))
        return error_set(error, t->recipe->out, "another run is working in it");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = path_in(t, names[i]);
        file_sweep(path);
        free(path);
    }
    return true;
}

/* --- the log --------------------------------------------------------------------------------- */

static const char log_header[] =
    "epoch\tlr\ttrain_loss\theld_out_loss\theld_out_top1\theld_out_top5\tseconds\n";

static void log_add(Trainer *t, const char *line)
{
    char *longer = str_format("%s%s", t->log, line);
    free(t->log);
    t->log = longer;
}

/* A run that goes on keeps the lines of the epochs that its checkpoint has. */
static void log_resume(Trainer *t)
{
    char *path = path_in(t, "log.tsv"), *text;
    size_t size;
    if (file_read(path, &text, &size, NULL)) {
        char *rest = NULL;
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            int epoch = atoi(line);
            if (epoch < 1 || epoch > t->state.epoch)
                continue;
            log_add(t, line);
            log_add(t, "\n");
        }
        free(text);
    }
    free(path);
}

/* --- SIGINT ---------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;
static struct sigaction otherwise; /* what SIGINT does but for a run */

/* The first SIGINT ends the run after this batch, a second one at once. */
static void interrupt(int signal)
{
    interrupted = 1;
    sigaction(signal, &otherwise, NULL);
}

static void catch_interrupt(void)
{
    struct sigaction action = { .sa_handler = interrupt };
    sigemptyset(&action.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, &action, &otherwise);
}

/* --- steps ----------------------------------------------------------------------------------- */

static long position(const Trainer *t)
{
    return (long)t->state.epoch * t->batches + t->state.batch;
}

static double lr_now(const Trainer *t)
{
    const Recipe *r = t->recipe;
    return schedule_lr(position(t), (long)r->epochs * t->batches, lround(r->warmup * t->batches),
                       r->lr, r->min_lr);
}

/* average += (1 - decay)·(weights - average), for parameters and running statistics alike. */
static void update_average(const Trainer *t)
{
    float keep = (float)t->recipe->ema;
    float *average = t->state.average->data;
    const float *now = t->state.weights->data;
    for (size_t i = 0; i < t->state.average->floats; i++)
        average[i] = keep * average[i] + (1 - keep) * now[i];
}

/* One optimiser step; gives the batch's loss. */
static double train_batch(Trainer *t, const Batch *batch)
{
    const Tensor *x = net_tensor(t->net, 0), *y = net_output(t->net);
    State *s = &t->state;
    Targets targets = { .a = batch->a, .b = batch->b, .lambda = batch->lambda };
    memcpy(training_input(t->plan), batch->x, tensor_elements(x) * sizeof(float));
    training_drop(t->plan, (Random){ t->recipe->seed, (uint64_t)position(t) });
    training_forward(t->plan, s->weights);
    double loss = cross_entropy_loss(training_output(t->plan), y->n, y->c, targets,
                                     t->recipe->smoothing, training_output_gradient(t->plan));
    if (!isfinite(loss))
        return loss;
    training_backward(t->plan, s->weights, t->gradients);
    adamw_step(&s->optimizer, s->weights, t->gradients, lr_now(t), t->recipe->weight_decay);
    if (s->average)
        update_average(t);
    return loss;
}

/* --- epochs ---------------------------------------------------------------------------------- */

static Loader *start_loader(const Trainer *t, Error *error)
{
    const Recipe *r = t->recipe;
    const Tensor *x = net_tensor(t->net, 0);
    LoaderOptions options = {
        .data = t->data,
        .list = t->split.training,
        .count = t->split.training_count,
        .channels = x->c,
        .height = x->h,
        .width = x->w,
        .batch_size = r->batch_size,
        .first_batch = t->state.batch,
        .shuffle = true,
        .drop_last = true,
        .augment = { .crop = true, .flip = true, .mixup = r->mixup, .cutmix = r->cutmix },
        .seed = r->seed,
        .epoch = (uint64_t)t->state.epoch
    };
    return loader_start(&options, error);
}

/* The batches of an epoch that are still to do. Fails when the loss is not a number. */
static bool train_batches(Trainer *t, Error *error)
{
    State *s = &t->state;
    Loader *loader = start_loader(t, error);
    if (!loader)
        return false;
    Progress progress = progress_start(t->batches, s->batch);
    const Batch *batch;
    bool good = true;
    while (good && !interrupted && loader_next(loader, &batch)) {
        double loss = train_batch(t, batch);
        if (!isfinite(loss)) {
            good =
                error_set(error, t->recipe->out,
                          "the loss is %g in epoch %d, step %d; the checkpoint before it is kept",
                          loss, s->epoch + 1, s->batch + 1);
            break;
        }
        s->loss_sum += loss;
        s->batch++;
        progress_show(&progress, s->epoch + 1, t->recipe->epochs, s->batch, s->loss_sum / s->batch);
    }
    progress_clear(&progress);
    loader_stop(loader);
    return good;
}

/* Judges the epoch on the held-out pictures, logs it, and saves. */
static bool end_epoch(Trainer *t, Error *error)
{
    State *s = &t->state;
    Score score;
    if (!evaluate_pictures(t->builder, judged(t), t->data, t->split.held_out,
                           t->split.held_out_count, t->recipe->batch_size, &score, error))
        return false;
    free(score.confusion);
    double loss = s->loss_sum / t->batches, seconds = clock_seconds() - t->started;
    char *line = str_format("%d\t%.6g\t%.5f\t%.5f\t%.2f\t%.2f\t%.1f\n", s->epoch + 1, lr_now(t),
                            loss, score.loss, 100 * score.top1, 100 * score.top5, seconds);
    log_add(t, line);
    free(line);
    printf("epoch %d/%d: loss %.4f, held out: loss %.4f, top-1 %.2f %%, top-5 %.2f %%, %.1f s\n",
           s->epoch + 1, t->recipe->epochs, loss, score.loss, 100 * score.top1, 100 * score.top5,
           seconds);
    fflush(stdout);
    s->epoch++;
    s->batch = 0;
    s->loss_sum = 0;
    bool better = s->best_epoch == 0 || score.top1 > s->best_top1;
    if (better) {
        s->best_epoch = s->epoch;
        s->best_top1 = score.top1;
    }
    return write_text(t, "log.tsv", t->log, error) && (!better || save_best(t, error)) &&
           save_state(t, error);
}

static bool run_epochs(Trainer *t, TrainEnd *end, Error *error)
{
    while (t->state.epoch < t->recipe->epochs) {
        t->started = clock_seconds();
        if (!train_batches(t, error))
            return false;
        if (t->state.batch == t->batches) {
            if (!end_epoch(t, error))
                return false;
        } else {
            *end = TRAINED_INTERRUPTED;
            return save_state(t, error);
        }
    }
    *end = TRAINED_ALL;
    return true;
}

/* --- the end --------------------------------------------------------------------------------- */

/* Reads the test set, once, with the best epoch's weights. */
static bool write_result(Trainer *t, const Dataset *test, Error *error)
{
    char *path = path_in(t, "best.safetensors");
    bool good = weights_load(judged(t), path, error);
    free(path);
    Score score;
    good = good && evaluate_all(t->builder, judged(t), test, t->recipe->batch_size, &score, error);
    if (!good)
        return false;
    free(score.confusion);
    printf("test set%s%s, weights of epoch %d: loss %.4f, top-1 %.2f %%, top-5 %.2f %%\n",
           *test->altered ? " altered by " : "", test->altered, t->state.best_epoch, score.loss,
           100 * score.top1, 100 * score.top5);
    char *text = str_format("epochs\tbest_epoch\theld_out_top1\ttest_top1\ttest_top5\ttest_loss\n"
                            "%d\t%d\t%.2f\t%.2f\t%.2f\t%.5f\n",
                            t->recipe->epochs, t->state.best_epoch, 100 * t->state.best_top1,
                            100 * score.top1, 100 * score.top5, score.loss);
    good = write_text(t, "result.tsv", text, error);
    free(text);
    return good;
}

/* --- the beginning --------------------------------------------------------------------------- */

static char *recipe_text(const Recipe *r, const Dataset *data)
{
    return str_format("%s --data %s --limit %d --epochs %d --batch-size %d --lr %.9g --min-lr %.9g "
                      "--warmup %.9g --weight-decay %.9g --smoothing %.9g --mixup %d --cutmix %d "
                      "--ema %.9g --seed %llu%s%s",
                      r->network, r->data, r->limit, r->epochs, r->batch_size, r->lr, r->min_lr,
                      r->warmup, r->weight_decay, r->smoothing, r->mixup, r->cutmix, r->ema,
                      (unsigned long long)r->seed, *data->altered ? " --alter " : "",
                      data->altered);
}

/* Fresh weights, or those of the checkpoint that is there. */
static bool begin(Trainer *t, Error *error)
{
    char *path = path_in(t, "last.safetensors");
    bool there = access(path, F_OK) == 0, good = true;
    if (there && !t->recipe->resume)
        good =
            error_set(error, t->recipe->out,
                      "holds a run already; --resume goes on with it, another --out starts anew");
    else if (there)
        good = checkpoint_load(path, &t->state, error);
    free(path);
    if (there && good)
        log_resume(t);
    return good;
}

static void trainer_free(Trainer *t)
{
    dataset_split_free(&t->split);
    training_free(t->plan);
    weights_free(t->gradients);
    weights_free(t->state.weights);
    weights_free(t->state.average);
    adamw_free(&t->state.optimizer);
    net_free(t->net);
    free(t->recipe_text);
    free(t->log);
    if (t->held >= 0)
        close(t->held);
}

static Trainer trainer_new(const Recipe *recipe, Builder builder, const Dataset *data)
{
    Trainer t = { .recipe = recipe, .builder = builder, .data = data, .held = -1 };
    t.split = dataset_split(data);
    t.batches = t.split.training_count / recipe->batch_size;
    t.net = builder.build(builder.context, recipe->batch_size);
    t.recipe_text = recipe_text(recipe, data);
    t.log = str_format("%s", log_header);
    t.gradients = weights_new(t.net);
    t.state.weights = weights_new(t.net);
    t.state.optimizer = adamw_new(t.net);
    t.state.recipe = t.recipe_text;
    t.state.metadata = recipe->metadata;
    t.state.metadata_count = recipe->metadata_count;
    weights_init(t.state.weights, recipe->seed);
    if (recipe->ema > 0) {
        t.state.average = weights_new(t.net);
        weights_init(t.state.average, recipe->seed);
    }
    return t;
}

bool trainer_possible(const Recipe *recipe, const Dataset *training, Error *error)
{
    DatasetSplit split = dataset_split(training);
    bool good = true;
    if (!split.held_out_count)
        good = error_set(error, recipe->limit ? "--limit" : recipe->data,
                         "%d pictures leave none to hold out: 10 do", training->count);
    else if (recipe->batch_size > split.training_count)
        good = error_set(error, "--batch-size", "%d is more than the %d training pictures",
                         recipe->batch_size, split.training_count);
    dataset_split_free(&split);
    return good;
}

bool trainer_run(const Recipe *recipe, Builder builder, const Dataset *training,
                 const Dataset *test, TrainEnd *end, Error *error)
{
    Trainer t = trainer_new(recipe, builder, training);
    bool good = make_folder(recipe->out, error) && hold_folder(&t, error) && begin(&t, error);
    if (good) {
        t.plan = training_new(t.net);
        catch_interrupt();
        good = run_epochs(&t, end, error);
    }
    if (good && *end == TRAINED_ALL)
        good = write_result(&t, test, error);
    trainer_free(&t);
    return good;
}
