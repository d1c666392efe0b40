/* Learning: gradients and AdamW against PyTorch's, training runs against each other. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "ops/ops.h"
#include "run.h"
#include "train/trainer.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- PyTorch --------------------------------------------------------------------------------- */

static double largest(const Safetensors *f, const char *prefix)
{
    double most = 0;
    for (size_t i = 0; i < f->count; i++) {
        size_t n;
        if (strncmp(f->entries[i].key, prefix, strlen(prefix)) != 0)
            continue;
        float *x = floats_in(f, f->entries[i].key, &n);
        for (size_t k = 0; k < n; k++)
            most = fmax(most, fabs((double)x[k]));
        free(x);
    }
    return most;
}

/* A relative error (2-norm) below `within`, or no element further off than `nearly`. */
static void expect_near(const Safetensors *ours, const char *our_key, const Safetensors *theirs,
                        const char *their_key, double within, double nearly)
{
    size_t n, m;
    float *a = floats_in(ours, our_key, &n), *b = floats_in(theirs, their_key, &m);
    cr_assert_eq(n, m);
    double error = 0, size = 1e-30, furthest = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i];
        error += d * d;
        size += (double)b[i] * b[i];
        furthest = fmax(furthest, fabs(d));
    }
    cr_expect(sqrt(error / size) < within || furthest <= nearly,
              "%s of %s: relative error %g, at most %g off", their_key, theirs->path,
              sqrt(error / size), furthest);
    free(a);
    free(b);
}

static char *options_of(const char *step)
{
    char *config = contents("tests/data/steps/%s/config.txt", step);
    config[strcspn(config, "\n")] = 0;
    char *options = str_format("%s --weights tests/data/steps/%s/weights.safetensors --batch "
                               "tests/data/steps/%s/batch.safetensors",
                               config, step, step);
    free(config);
    return options;
}

static const char *const engines[] = ENGINES;

static void check_gradient(const char *step, const char *engine, const char *folder)
{
    Safetensors ours, theirs;
    char *out = str_format("%s/gradient-%s.safetensors", folder, step);
    char *expected = str_format("tests/data/steps/%s/expected.safetensors", step);
    char *options = options_of(step);
    run_well("%s/%s gradient %s --engine %s --output %s", build_folder(), step, options, engine,
             out);
    ours = tensors_in("%s", out);
    theirs = tensors_in("%s", expected);
    expect_near(&ours, "loss", &theirs, "train/loss", 1e-4, 0);
    expect_near(&ours, "logits", &theirs, "train/logits", 1e-4, 0);
    double nearly = 5e-5 * largest(&theirs, "grad/");
    size_t gradients = 0;
    for (size_t i = 0; i < theirs.count; i++) {
        const char *key = theirs.entries[i].key;
        if (strncmp(key, "grad/", 5) == 0)
            expect_near(&ours, key, &theirs, key, 1e-4, nearly);
        else if (strncmp(key, "running/", 8) == 0)
            expect_near(&ours, key, &theirs, key, 1e-4, 0);
        gradients += strncmp(key, "grad/", 5) == 0;
    }
    cr_expect(gradients > 50);
    safetensors_free(&ours);
    safetensors_free(&theirs);
    free(out);
    free(expected);
    free(options);
}

Test(learn, gradients_are_those_of_pytorch)
{
    char *folder = folder_new();
    for (size_t i = 0; i < RUNGS; i++)
        for (int k = 0; k < 2; k++)
            check_gradient(step_name(i), engines[k], folder);
    folder_remove(folder);
}

Test(learn, five_steps_of_adamw_are_those_of_pytorch)
{
    char *folder = folder_new();
    for (size_t i = 0; i < 2 * RUNGS; i++) {
        Safetensors ours, theirs;
        const char *step = step_name(i / 2);
        char *options = options_of(step), *out = str_format("%s/fit-%s", folder, step);
        char *expected = str_format("tests/data/steps/%s/expected.safetensors", step);
        run_well("%s/%s fit %s --steps 5 --lr 1e-3 --weight-decay 0.05 --engine %s --output %s",
                 build_folder(), step, options, engines[i % 2], out);
        ours = tensors_in("%s", out);
        theirs = tensors_in("%s", expected);
        expect_near(&ours, "losses", &theirs, "fit/losses", 2e-3, 0);
        for (size_t k = 0; k < theirs.count; k++) {
            const char *key = theirs.entries[k].key;
            /* A step of AdamW is lr in size whatever the gradient's, so where that is only rounding
             * its sign is chance: five steps of 1e-3, twice. */
            if (strncmp(key, "fit/", 4) == 0 && strcmp(key, "fit/losses") != 0)
                expect_near(&ours, key + 4, &theirs, key, 2e-3, 1.1e-2);
        }
        safetensors_free(&ours);
        safetensors_free(&theirs);
        free(options);
        free(out);
        free(expected);
    }
    folder_remove(folder);
}

/* --- training runs --------------------------------------------------------------------------- */

/* A small network on few images: an epoch is a fraction of a second. */
#define SMALL                                                                                      \
    "train --data shapes --limit 400 --epochs 3 --batch-size 20 --stem 8 --widths 8,8,16,16 "      \
    "--depths 1,1,1,1 --drop-path 0.5 --layer-scale 0.1 --mixup --ema 0.9 --seed 4"

static void expect_same_file(const char *a, const char *b, const char *name)
{
    Result r = run("cmp %s/%s %s/%s", a, name, b, name);
    cr_expect_eq(r.status, 0, "%s differs: %s", name, r.out);
    result_free(&r);
}

static void expect_same_run(const char *a, const char *b)
{
    expect_same_file(a, b, "best.safetensors");
    expect_same_file(a, b, "last.safetensors");
    run_well("cut -f 1-11 %s/result.tsv >%s/but_seconds && cut -f 1-11 %s/result.tsv | "
             "cmp - %s/but_seconds && rm %s/but_seconds",
             a, a, b, a, a);
}

Test(train, gives_the_same_bytes_with_one_thread_and_two)
{
    char *folder = folder_new(), *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    run_well("%s/11_drop_path_layer_scale " SMALL " --threads 1 --out %s", build_folder(), a);
    run_well("%s/11_drop_path_layer_scale " SMALL " --threads 2 --out %s", build_folder(), b);
    expect_same_run(a, b);
    free(a);
    free(b);
    folder_remove(folder);
}

/* Starts a program, by a line for the shell whose last command takes the shell's place; what it
 * says on standard error goes into a file. */
static pid_t start(const char *line, const char *said)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", str_format("%s >/dev/null 2>%s", line, said), (char *)NULL);
        _exit(127);
    }
    return child;
}

/* Starts the run and kills it after so many milliseconds, unless it ends before. */
static void run_and_kill(const char *step, const char *out, unsigned milliseconds)
{
    char *line = str_format("exec %s/%s " SMALL " --resume --out %s", build_folder(), step, out);
    pid_t child = start(line, "/dev/null");
    usleep(1000 * milliseconds);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    free(line);
}

/* A run that ends in hours, not before it is stopped. */
#define LONG                                                                                       \
    "train --data shapes --limit 200 --epochs 100000 --batch-size 20 --stem 8 --widths "           \
    "8,12,16,24 "                                                                                  \
    "--depths 1,1,1,1"

/* How many epochs a run's log has. */
static int epochs_logged(const char *out)
{
    char *path = str_format("%s/log.tsv", out), *text, *at;
    int lines = 0;
    size_t size;
    if (file_read(path, &text, &size, NULL)) {
        for (at = text; (at = strchr(at, '\n')); at++)
            lines++;
        free(text);
    }
    free(path);
    return lines ? lines - 1 : 0;
}

/* Waits until a run has a checkpoint and so many epochs in its log; fails where it ends before. */
static void wait_for_epochs(pid_t child, const char *out, int epochs)
{
    char *checkpoint = str_format("%s/last.safetensors", out);
    for (int i = 0; epochs_logged(out) < epochs || access(checkpoint, F_OK) != 0; i++) {
        int status;
        cr_assert(i < 200000, "nothing comes in %s", out);
        cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "it ended: status 0x%x", status);
        usleep(1000);
    }
    free(checkpoint);
}

/* Kills a long run as soon as it has a checkpoint. */
static void run_until_checkpoint(const char *line, const char *out)
{
    char *replacing = str_format("exec %s", line);
    pid_t child = start(replacing, "/dev/null");
    wait_for_epochs(child, out, 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    free(replacing);
}

Test(train, killed_and_resumed_ends_with_the_same_bytes)
{
    static const unsigned moments[] = { 90, 350, 150, 500, 240 };
    char *folder = folder_new(), *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    run_well("%s/11_drop_path_layer_scale " SMALL " --out %s", build_folder(), a);
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
        run_and_kill("11_drop_path_layer_scale", b, moments[i]);
    run_well("%s/11_drop_path_layer_scale " SMALL " --resume --out %s", build_folder(), b);
    expect_same_run(a, b);
    Result r = run("cut -f 1-6 %s/log.tsv > %s/1; cut -f 1-6 %s/log.tsv | cmp - %s/1", a, folder, b,
                   folder);
    cr_expect_eq(r.status, 0, "the logs differ");
    result_free(&r);
    free(a);
    free(b);
    folder_remove(folder);
}

/* --- signals --------------------------------------------------------------------------------- */

/* The run ends by itself, with status 1 and a line that says how to go on. */
static void expect_stopped(pid_t child, const char *said)
{
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    char *text = contents("%s", said);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "0x%x: %s", status, text);
    cr_expect(strstr(text, "stopped; the same command with --resume continues"), "%s", text);
    free(text);
}

Test(train, stops_at_each_of_three_signals_and_goes_on)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    char *said = str_format("%s/said", folder);
    char *line =
        str_format("exec %s/09_layer_norm " LONG " --resume --out %s", build_folder(), out);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL); /* whatever runs the tests may ignore them */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        int before = epochs_logged(out);
        pid_t child = start(line, said);
        wait_for_epochs(child, out, before + 1);
        kill(child, signals[i]);
        expect_stopped(child, said);
        cr_expect(epochs_logged(out) > before);
        run_well("cd %s && test \"$(ls | paste -s -d ' ')\" = "
                 "'best.safetensors last.safetensors log.tsv'",
                 out);
    }
    free(line);
    free(said);
    free(out);
    folder_remove(folder);
}

/* What an epoch came to is printed once it is saved: `| head` and `| tee` may be gone by then. */
Test(train, nobody_needs_to_read_what_it_prints)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    signal(SIGPIPE, SIG_DFL);
    run_well("%s/11_drop_path_layer_scale " SMALL " --out %s | true", build_folder(), out);
    cr_expect(epochs_logged(out) >= 1);
    run_well("test -e %s/last.safetensors", out);
    free(out);
    folder_remove(folder);
}

/* As nohup and a shell's & have it. */
Test(train, an_ignored_signal_stays_ignored)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    char *said = str_format("%s/said", folder);
    char *line =
        str_format("trap '' INT HUP; exec %s/09_layer_norm " LONG " --out %s", build_folder(), out);
    signal(SIGTERM, SIG_DFL);
    pid_t child = start(line, said);
    wait_for_epochs(child, out, 1);
    kill(child, SIGINT);
    kill(child, SIGHUP);
    wait_for_epochs(child, out, epochs_logged(out) + 2);
    kill(child, SIGTERM);
    expect_stopped(child, said);
    free(line);
    free(said);
    free(out);
    folder_remove(folder);
}

/* A run whose network raises signals when it is built for the n-th time: once it is for the
 * training, then for the evaluation after each epoch, then for the test set. */
typedef struct {
    int at; /* 0: never */
    int first, second;
    double pause; /* seconds between them */
} Raise;

static Net *small_network(const void *context, int batch_size);

static Net *raising_network(const void *context, int batch_size)
{
    static int builds;
    const Raise *r = context;
    if (++builds == r->at) {
        double start = clock_seconds();
        raise(r->first);
        usleep((useconds_t)(1e6 * r->pause));
        /* No pause is none, even where the processor is busy. */
        if (r->second && (r->pause > 0 || clock_seconds() - start < 0.25))
            raise(r->second);
    }
    return small_network(context, batch_size);
}

enum { NOISE = 40 };

/* Images of noise. */
static Dataset noise(unsigned char pixels[NOISE * 784], unsigned char labels[NOISE], uint64_t seed)
{
    for (uint64_t i = 0; i < NOISE * 784; i++)
        pixels[i] = (unsigned char)random_bits((Random){ seed, 0 }, i);
    for (uint64_t i = 0; i < NOISE; i++)
        labels[i] = (unsigned char)(random_bits((Random){ seed, 1 }, i) % 10);
    return (Dataset){ .name = "noise",
                      .count = NOISE,
                      .channels = 1,
                      .height = 28,
                      .width = 28,
                      .classes = 10,
                      .pixels = pixels,
                      .labels = labels,
                      .mean = { 0.5f },
                      .std = { 0.3f } };
}

static Recipe noise_recipe(const char *out)
{
    return (Recipe){ .data = "noise",
                     .network = "small",
                     .out = out,
                     .resume = true,
                     .longer = true,
                     .epochs = 2,
                     .batch_size = 18,
                     .lr = 4e-3,
                     .min_lr = 1e-6,
                     .warmup = 0.2,
                     .seed = 1 };
}

enum { FAILED = 100 }; /* and TrainEnd */

static _Noreturn void train_and_exit(const Recipe *recipe, const Raise *raise, const char *said)
{
    static unsigned char pixels[2][NOISE * 784], labels[2][NOISE];
    Dataset training = noise(pixels[0], labels[0], 1), test = noise(pixels[1], labels[1], 2);
    Builder builder = { .build = raising_network, .context = raise };
    Error error;
    TrainEnd end = TRAINED_ALL;
    if (!freopen("/dev/null", "w", stdout) || !freopen(said, "w", stderr))
        _exit(1);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    bool good = trainer_run(recipe, builder, &training, &test, &end, &error);
    if (!good)
        fputs(error.text, stderr);
    fflush(stderr);
    _exit((good ? 0 : FAILED) + (int)end);
}

/* A run on noise: its TrainEnd, FAILED more than that, or 128 + the number of the signal that ended
 * it. What it says goes into a file. */
static int train_noise(Recipe recipe, Raise raise, const char *said)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0)
        train_and_exit(&recipe, &raise, said);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int train_raising(const char *out, Raise raise)
{
    return train_noise(noise_recipe(out), raise, "/dev/null");
}

/* An evaluation may take minutes, a batch system's patience is seconds. */
Test(train, stops_within_an_evaluation)
{
    char *folder = folder_new(), *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    cr_expect_eq(train_raising(a, (Raise){ 0 }), TRAINED_ALL);
    cr_expect_eq(train_raising(b, (Raise){ .at = 2, .first = SIGTERM }), TRAINED_INTERRUPTED);
    run_well("test \"$(ls %s)\" = last.safetensors", b);
    cr_expect_eq(train_raising(b, (Raise){ .at = 3, .first = SIGINT }), TRAINED_INTERRUPTED);
    cr_expect_eq(epochs_logged(b), 1);
    cr_expect_eq(train_raising(b, (Raise){ .at = 3, .first = SIGTERM }), TRAINED_INTERRUPTED);
    cr_expect_eq(epochs_logged(b), 2);
    run_well("test ! -e %s/result.tsv", b);
    cr_expect_eq(train_raising(b, (Raise){ 0 }), TRAINED_ALL);
    expect_same_run(a, b);
    free(a);
    free(b);
    folder_remove(folder);
}

/* timeout(1) sends its signal to the program and to the program's group: that is one. */
Test(train, a_second_signal_ends_it_at_once)
{
    char *folder = folder_new(), *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    cr_expect_eq(train_raising(a, (Raise){ 3, SIGTERM, SIGTERM, 0.6 }), 128 + SIGTERM);
    cr_expect_eq(epochs_logged(a), 1, "the first epoch was saved before");
    cr_expect_eq(train_raising(a, (Raise){ 2, SIGTERM, SIGINT, 0.6 }), 128 + SIGINT);
    cr_expect_eq(train_raising(b, (Raise){ 3, SIGTERM, SIGTERM, 0 }), TRAINED_INTERRUPTED);
    cr_expect_eq(train_raising(a, (Raise){ 0 }), TRAINED_ALL);
    cr_expect_eq(train_raising(b, (Raise){ 0 }), TRAINED_ALL);
    expect_same_run(a, b);
    free(a);
    free(b);
    folder_remove(folder);
}

/* --- what would be lost ---------------------------------------------------------------------- */

/* Frees the line. */
static void expect_failure(const char *what, int status, const char *said, char *line)
{
    Result r = run("%s", line);
    cr_expect_eq(r.status, status, "%s: status %d", what, r.status);
    cr_expect(strstr(r.err, said), "%s: '%s' is not in '%s'", what, said, r.err);
    result_free(&r);
    free(line);
}

Test(train, refuses_what_would_lose_a_run)
{
    char *folder = folder_new();
    run_well(
        "%s/09_layer_norm train --data shapes --limit 100 --epochs 1 --batch-size 20 --out %s/a",
        build_folder(), folder);
    expect_failure("a folder with a run", 2, "--resume",
                   str_format("%s/09_layer_norm train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --out %s/a",
                              build_folder(), folder));
    expect_failure("other options", 2, "other options",
                   str_format("%s/09_layer_norm train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --lr 0.1 --resume --out %s/a",
                              build_folder(), folder));
    expect_failure("another step", 2, "other options",
                   str_format("%s/08_fewer_norms train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --resume --out %s/a",
                              build_folder(), folder));
    expect_failure("a file in the folder's place", 1, "is not a folder",
                   str_format("%s/08_fewer_norms train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --out %s/a/log.tsv",
                              build_folder(), folder));
    expect_failure("too large a batch", 2, "--batch-size",
                   str_format("%s/08_fewer_norms train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 91 --out %s/b",
                              build_folder(), folder));
    folder_remove(folder);
}

/* --- going on -------------------------------------------------------------------------------- */

/* Trains on noise and looks at what is said: `wanted`, and nothing where that is empty. */
static void expect_noise(Recipe recipe, int end, const char *wanted)
{
    char *said = str_format("%s.said", recipe.out);
    cr_expect_eq(train_noise(recipe, (Raise){ 0 }, said), end);
    char *text = contents("%s", said);
    cr_expect(*wanted ? strstr(text, wanted) != NULL : !*text, "'%s', not '%s'", text, wanted);
    free(text);
    free(said);
}

static char *field_of(const char *out, const char *table, int line, size_t column)
{
    char *text = contents("%s/%s", out, table), *rest = text, *fields[8], *row = NULL;
    for (int i = 0; i <= line; i++)
        row = next_line(&rest);
    cr_assert(row && split(row, fields, 8) > column);
    char *field = str_format("%s", fields[column]);
    free(text);
    return field;
}

static void expect_field(const char *out, const char *table, int line, size_t column,
                         const char *wanted)
{
    char *field = field_of(out, table, line, column);
    cr_expect_str_eq(field, wanted);
    free(field);
}

/* More epochs: allowed, told, and written down, so that nobody takes it for a run of so many.
 * Killed after it was made longer, it still ends with the same bytes. */
Test(train, more_epochs_make_a_run_longer)
{
    char *folder = folder_new(), *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    Recipe recipe = noise_recipe(a);
    expect_noise(recipe, TRAINED_ALL, "nothing to resume, there was no such folder: starts anew");
    run_well("cp -r %s %s", a, b);
    expect_field(a, "result.tsv", 1, 0, "2");
    recipe.epochs = 5;
    recipe.warmup = 0.5; /* a tenth of them */
    expect_noise(
        recipe, TRAINED_ALL,
        "made longer after --epochs 2 --warmup 0.2 to step 4: the learning rate continues as "
        "with --epochs 5");
    cr_expect_eq(epochs_logged(a), 5);
    expect_field(a, "result.tsv", 1, 0, "5 after --epochs 2 --warmup 0.2 to step 4");
    expect_field(a, "log.tsv", 2, 1, "1e-06");
    expect_field(a, "log.tsv", 3, 1, "0.00165329"); /* of the cosine over 5 */
    recipe.out = b;
    cr_expect_eq(train_noise(recipe, (Raise){ .at = 2, .first = SIGTERM }, "/dev/null"),
                 TRAINED_INTERRUPTED);
    cr_expect_eq(train_noise(recipe, (Raise){ 3, SIGTERM, SIGTERM, 0.6 }, "/dev/null"),
                 128 + SIGTERM);
    expect_noise(recipe, TRAINED_ALL, "made longer after --epochs 2 --warmup 0.2 to step 4:");
    expect_same_run(a, b);
    recipe.epochs = 6;
    recipe.warmup = 0.6;
    expect_noise(recipe, TRAINED_ALL, "to step 4, --epochs 5 --warmup 0.5 to step 10:");
    free(a);
    free(b);
    folder_remove(folder);
}

/* Stopped and gone on with, other recipes end with the same bytes, too. */
Test(train, other_recipes_go_on)
{
    for (int classic = 0; classic < 2; classic++) {
        char *folder = folder_new();
        char *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
        Recipe recipe = noise_recipe(a);
        recipe.classic = classic;
        recipe.cutmix = true;
        recipe.randaugment = (RandAugment){ 2, 9 };
        recipe.erasing = 0.5;
        cr_expect_eq(train_noise(recipe, (Raise){ 0 }, "/dev/null"), TRAINED_ALL);
        recipe.out = b;
        for (int at = 2; at < 4; at++)
            cr_expect_eq(train_noise(recipe, (Raise){ .at = at, .first = SIGTERM }, "/dev/null"),
                         TRAINED_INTERRUPTED);
        cr_expect_eq(train_noise(recipe, (Raise){ 0 }, "/dev/null"), TRAINED_ALL);
        expect_same_run(a, b);
        run_well("test $(strings %s/last.safetensors | grep -c 'sgd.velocity/') = %d", a, classic);
        free(a);
        free(b);
        folder_remove(folder);
    }
}

/* What differs is told, and nothing else. */
Test(train, says_what_another_recipe_has)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    Recipe first = noise_recipe(out), other = first;
    expect_noise(first, TRAINED_ALL, "starts anew");
    expect_noise(first, TRAINED_ALL, "");
    other.epochs = 1;
    other.warmup = 0.1;
    expect_noise(other, FAILED + TRAIN_REFUSED,
                 "with other options: --epochs 2 then, 1 now. --resume");
    other = first;
    other.epochs = 3;
    other.warmup = 0.3;
    other.longer = false;
    expect_noise(other, FAILED + TRAIN_REFUSED,
                 "with other options: --epochs 2 then, 3 now. --resume");
    other.longer = true;
    other.lr = 0.1;
    other.mixup = true;
    other.ema = 0.5;
    expect_noise(
        other, FAILED + TRAIN_REFUSED,
        "with other options: --epochs 2 then, 3 now; --lr 0.004 then, 0.1 now; --mixup off "
        "then, on now; --ema off then, 0.5 now. --resume");
    other = first;
    other.epochs = 3; /* and the same warm-up, which is not a tenth of them */
    other.network = "large --stem 8";
    expect_noise(other, FAILED + TRAIN_REFUSED,
                 "with other options: small then, large now; --stem none then, 8 now; --epochs 2 "
                 "then, 3 now. --resume");
    other = first;
    other.warmup = 0.1;
    expect_noise(other, FAILED + TRAIN_REFUSED,
                 "with other options: --warmup 0.2 then, 0.1 now. --resume");
    free(out);
    folder_remove(folder);
}

/* Whole numbers are not rounded, and are said as an option takes them. */
Test(train, says_whole_numbers_in_full)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    Recipe first = noise_recipe(out), other;
    first.seed = (1u << 24) + 1; /* not a float */
    expect_noise(first, TRAINED_ALL, "starts anew");
    other = first;
    other.seed--;
    other.epochs = 20;
    other.longer = false;
    expect_noise(other, FAILED + TRAIN_REFUSED,
                 "--epochs 2 then, 20 now; --seed 16777217 then, 16777216 now");
    free(out);
    folder_remove(folder);
}

/* The loss on the test set, another's noise, that a run's best weights have. */
static double best_loss_on_test(const char *out)
{
    static unsigned char pixels[NOISE * 784], labels[NOISE];
    Dataset test = noise(pixels, labels, 2);
    Net *net = small_network(NULL, 1);
    Weights *weights = weights_new(net);
    char *path = str_format("%s/best.safetensors", out);
    Score score;
    Error error;
    cr_assert(weights_load(weights, path, &error), "%s", error.text);
    cr_assert(evaluate_images((Builder){ small_network, NULL, FAST }, weights, &test, NULL,
                              test.count, NOISE, &score, &error),
              "%s", error.text);
    free(score.confusion);
    free(path);
    weights_free(weights);
    net_free(net);
    return score.loss;
}

/* Of epochs with one accuracy, of four images, the one with the lowest loss: its weights are
 * those that meet the test set. */
Test(train, the_lower_loss_decides_between_equal_accuracies)
{
    enum { EPOCHS = 12 };
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    Recipe recipe = noise_recipe(out);
    recipe.epochs = EPOCHS;
    recipe.lr = 1e-4;
    expect_noise(recipe, TRAINED_ALL, "starts anew");
    double top1[EPOCHS], loss[EPOCHS];
    int best = 0, first = 0;
    for (int i = 0; i < EPOCHS; i++) {
        char *a = field_of(out, "log.tsv", i + 1, 4), *b = field_of(out, "log.tsv", i + 1, 3);
        top1[i] = atof(a);
        loss[i] = atof(b);
        first = top1[i] > top1[first] ? i : first;
        if (top1[i] > top1[best] || (top1[i] == top1[best] && loss[i] < loss[best]))
            best = i;
        free(a);
        free(b);
    }
    cr_expect(best != first && best != EPOCHS - 1, "best of all: %d; this shows nothing", best);
    char *wanted = str_format("%d", best + 1), *loss_said = field_of(out, "result.tsv", 1, 5);
    expect_field(out, "result.tsv", 1, 1, wanted);
    cr_expect_float_eq(atof(loss_said), best_loss_on_test(out), 6e-6);
    free(wanted);
    free(loss_said);
    free(out);
    folder_remove(folder);
}

/* A network that its training leaves as it is: nothing to drop, nothing that runs along. */
static Net *still_network(const void *context, int batch_size)
{
    (void)context;
    Net *net = net_new();
    linear(flatten(global_avg_pool(net_input(net, batch_size, 1, 28, 28))), .out = 10);
    return net;
}

Test(train, the_first_of_equal_epochs_is_the_best)
{
    static unsigned char pixels[NOISE * 784], labels[NOISE];
    char *out = folder_new();
    Dataset data = noise(pixels, labels, 1);
    Recipe recipe = noise_recipe(out);
    recipe.resume = false;
    recipe.lr = recipe.min_lr = 0;
    Error error;
    TrainEnd end;
    cr_assert(freopen("/dev/null", "w", stdout));
    cr_assert(
        trainer_run(&recipe, (Builder){ still_network, NULL, FAST }, &data, &data, &end, &error),
        "%s", error.text);
    char *first = field_of(out, "log.tsv", 1, 3);
    expect_field(out, "log.tsv", 2, 3, first);
    expect_field(out, "result.tsv", 1, 1, "1");
    free(first);
    folder_remove(out);
}

/* A run that is there is only lost by whoever removes its files. */
Test(train, begins_anew_where_nothing_is_lost)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    Recipe again = noise_recipe(out), new = again;
    new.resume = false;
    expect_noise(new, TRAINED_ALL, "");
    expect_noise(new, FAILED + TRAIN_REFUSED, "holds a run (last.safetensors); --resume continues");
    run_well("mv %s/last.safetensors %s", out, folder);
    expect_noise(new, FAILED + TRAIN_REFUSED, "a run whose last.safetensors is gone");
    expect_noise(again, FAILED + TRAIN_REFUSED, "a run whose last.safetensors is gone");
    run_well("rm %s/result.tsv", out);
    expect_noise(new, FAILED + TRAIN_REFUSED,
                 "holds the beginning of a run (best.safetensors); --resume starts it anew");
    expect_noise(again, TRAINED_ALL,
                 "nothing to resume, there is no last.safetensors in it: starts");
    run_well("cmp %s/last.safetensors %s/last.safetensors", out, folder);
    run_well("rm %s/best.safetensors", out);
    again.epochs++;
    expect_noise(again, FAILED + TRAIN_REFUSED, "a run whose best.safetensors is gone");
    again.epochs--;
    run_well("rm %s/*.safetensors", out);
    expect_noise(new, FAILED + TRAIN_REFUSED,
                 "holds the beginning of a run (log.tsv); --resume starts it anew");
    run_well("rm %s/* && touch %s/mine", out, out);
    expect_noise(new, TRAINED_ALL, "");
    run_well("test -e %s/mine", out);
    free(out);
    folder_remove(folder);
}

/* What a folder says that another run holds, and one where a killed run left something. */
Test(train, one_run_in_a_folder)
{
    char *folder = folder_new();
    char *line = str_format("%s/09_layer_norm train --data shapes --limit 20 --epochs 1 "
                            "--batch-size 18 --stem 8 --widths 8,8,8,8 --depths 1,0,0,0 --out %s",
                            build_folder(), folder);
    run_well("touch %s/last.safetensors.123.tmp %s/mine.tmp", folder, folder);
    int held = open(folder, O_RDONLY);
    cr_assert(held >= 0 && flock(held, LOCK_EX) == 0);
    expect_failure("a folder in use", 1, "another run", str_format("%s", line));
    run_well("cd %s && test \"$(ls | paste -s)\" = 'last.safetensors.123.tmp	mine.tmp'", folder);
    close(held);
    run_well("%s", line);
    run_well("cd %s && ls *.tmp && test \"$(ls *.tmp)\" = mine.tmp", folder);
    free(line);
    folder_remove(folder);
}

/* What can be known before a run begins is the call's fault and leaves no folder. */
Test(train, a_wrong_call_makes_no_folder)
{
    static const char *const calls[][2] = {
        { "--limit", "--limit 9 --batch-size 2" },
        { "--batch-size", "--limit 40 --batch-size 37" },
        { "--input", "--limit 40 --batch-size 10 --input 1x27x64" },
        { "--input", "--limit 40 --batch-size 10 --input 3x64x64" },
        { "main.c", "--limit 40 --batch-size 10 --widths 7,7,7,7 --stem 8" },
    };
    char *folder = folder_new();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        Result r = run("%s/03_depthwise_conv train --data shapes %s --out %s/run", build_folder(),
                       calls[i][1], folder);
        cr_expect_eq(r.status, 2, "%s: status %d: %s", calls[i][1], r.status, r.err);
        cr_expect(strstr(r.err, calls[i][0]), "%s: %s", calls[i][1], r.err);
        run_well("test ! -e %s/run", folder);
        result_free(&r);
    }
    folder_remove(folder);
}

/* Rewrites a checkpoint: its weights' first number becomes another (NULL: it stays), and from a
 * word on (NULL: never) its position is another text, no longer than what was there. */
static void change_checkpoint(const char *out, const float *number, const char *word,
                              const char *instead)
{
    char *path = str_format("%s/last.safetensors", out);
    Safetensors file = tensors_in("%s", path);
    Error error;
    if (number)
        memcpy((char *)file.entries[0].data, number, sizeof *number);
    for (size_t i = 0; i < file.metadata_count && word; i++)
        if (strcmp(file.metadata[i].key, "position") == 0 && strstr(file.metadata[i].value, word))
            strcpy(strstr(file.metadata[i].value, word), instead);
    cr_assert(safetensors_write(path, file.entries, file.count, file.metadata, file.metadata_count,
                                &error),
              "%s", error.text);
    safetensors_free(&file);
    free(path);
}

/* As the first edition wrote it: without the best epoch's loss. */
Test(train, an_older_checkpoint_goes_on)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    cr_expect_eq(train_raising(out, (Raise){ .at = 3, .first = SIGTERM }), TRAINED_INTERRUPTED);
    change_checkpoint(out, NULL, " best_loss", "");
    expect_noise(noise_recipe(out), TRAINED_ALL, "");
    free(out);
    folder_remove(folder);
}

/* Where the position cannot be, the run neither goes on nor begins anew. */
Test(train, an_impossible_checkpoint_is_refused)
{
    static const char *const positions[][2] = {
        { "epoch", "epoch -1 batch 0 loss 0x0p+0 best 0 0x0p+0 step 1" },
        { "batch", "batch -1 loss 0x0p+0 best 0 0x0p+0 step 1" },
        { "loss", "loss nan best 0 0x0p+0 step 1" },
        { "best", "best -1 0x0p+0 step 1" },
        { "best", "best 2 0x0p+0 step 1" },
        { "best", "best 1 0x1p+1 step 1" },
        { "best", "best 1 -0x1p+1 step 1" },
        { "best_loss", "best_loss nan" },
        { "step", "" },
    };
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    Recipe recipe = noise_recipe(out);
    recipe.epochs = 1;
    expect_noise(recipe, TRAINED_ALL, "starts anew");
    run_well("cp %s/last.safetensors %s", out, folder);
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        run_well("cp %s/last.safetensors %s", folder, out);
        change_checkpoint(out, NULL, positions[i][0], positions[i][1]);
        expect_noise(recipe, FAILED + TRAINED_INTERRUPTED,
                     "last.safetensors: is not a checkpoint: no position in it");
    }
    free(out);
    folder_remove(folder);
}

Test(train, stops_at_a_loss_that_is_no_number)
{
    static const float nan = NAN;
    char *folder = folder_new(), *out = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    Recipe recipe = noise_recipe(out);
    recipe.lr = 1e30;
    recipe.warmup = 0;
    expect_noise(recipe, FAILED + TRAINED_INTERRUPTED,
                 "in epoch 1, step 2; nothing was saved before it");
    run_well("test ! -e %s/last.safetensors", out);
    recipe = noise_recipe(b);
    recipe.epochs = 1;
    expect_noise(recipe, TRAINED_ALL, "starts anew");
    change_checkpoint(b, &nan, NULL, NULL);
    run_well("cp %s/last.safetensors %s", b, folder);
    recipe.epochs = 2;
    expect_noise(recipe, FAILED + TRAINED_INTERRUPTED,
                 "the loss is not a number in epoch 2, step 1; the checkpoint before it is kept");
    run_well("cmp %s/last.safetensors %s/last.safetensors", b, folder);
    free(out);
    free(b);
    folder_remove(folder);
}

/* Weights that give nonsense are not the best, whatever the accuracy that they have by chance; the
 * epochs are logged, and the checkpoint goes on. */
Test(train, a_diverged_epoch_is_never_the_best)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    Recipe recipe = noise_recipe(out);
    recipe.lr = recipe.min_lr = 1e6; /* the loss stays finite */
    recipe.freeze = true;
    for (recipe.epochs = 1; recipe.epochs <= 2; recipe.epochs++) {
        expect_noise(recipe, FAILED + TRAINED_INTERRUPTED, "training has diverged: after no epoch");
        run_well("cd %s && test -e last.safetensors && test ! -e best.safetensors && "
                 "test ! -e result.tsv && test $(wc -l < log.tsv) = %d",
                 out, recipe.epochs + 1);
    }
    free(out);
    folder_remove(folder);
}

/* A file system that is full: no file may grow beyond 16 KiB. */
Test(train, keeps_the_checkpoint_before_when_the_disk_is_full)
{
    char *folder = folder_new(), *out = str_format("%s/a", folder);
    char *line =
        str_format("%s/09_layer_norm train --data shapes --limit 200 --epochs 500 "
                   "--batch-size 20 --stem 8 --widths 8,12,16,24 --depths 1,1,1,1 --resume "
                   "--out %s",
                   build_folder(), out);
    run_until_checkpoint(line, out);
    run_well("cp %s/last.safetensors %s/before", out, folder);
    Result r = run("ulimit -f 16; %s", line);
    cr_expect_eq(r.status, 1, "status %d", r.status);
    cr_expect(strstr(r.err, out), "'%s' does not name the file", r.err);
    result_free(&r);
    run_well("cmp %s/last.safetensors %s/before", out, folder);
    r = run("ls -A %s | grep tmp", out);
    cr_expect_str_eq(r.out, "", "something half-written is left");
    result_free(&r);
    free(out);
    free(line);
    folder_remove(folder);
}

Test(train, learns_shapes_and_evaluate_agrees)
{
    char *folder = folder_new();
    Result r = run("%s/05_large_kernel train --data shapes --limit 1500 --epochs 2 --lr 4e-3 --out "
                   "%s/a",
                   build_folder(), folder);
    cr_assert_eq(r.status, 0, "%s", r.err);
    double top1 = 0;
    const char *said = strstr(r.out, "test set, weights of epoch");
    cr_assert(said && sscanf(strstr(said, "top-1"), "top-1 %lf", &top1) == 1);
    cr_expect(top1 > 40, "top-1 %g %%: ten classes by chance are 10 %%", top1);
    Result e = run("%s/05_large_kernel evaluate --data shapes --weights %s/a/best.safetensors",
                   build_folder(), folder);
    double again = 0;
    cr_assert(strstr(e.out, "top-1") && sscanf(strstr(e.out, "top-1"), "top-1 %lf", &again) == 1);
    cr_expect_eq(top1, again);
    cr_expect(strstr(e.out, "confusion"));
    result_free(&r);
    result_free(&e);
    folder_remove(folder);
}

/* --- evaluation ------------------------------------------------------------------------------ */

static int built_for;

/* A network of what steps are made of. */
static Net *small_network(const void *context, int batch_size)
{
    (void)context;
    built_for = batch_size;
    Net *net = net_new();
    Tensor *x = net_input(net, batch_size, 1, 32, 32);
    x = conv_norm_act(x, .out = 24, .kernel = 4, .stride = 4);
    x = conv2d(x, .out = 24, .kernel = 7, .pad = 3, .groups = 24);
    x = gelu(conv2d(layer_norm(x), .out = 96, .kernel = 1));
    x = conv_norm_act(x, .out = 17, .kernel = 3);
    linear(flatten(global_avg_pool(x)), .out = 10);
    return net;
}

/* The batch size is the caller's and nothing of the score: not in the last bit. */
Test(train, evaluation_in_batches_of_any_size)
{
    enum { IMAGES = 45 };
    static const int sizes[] = { 64, 1, 2, 7, 16, 44, 45 };
    Builder builder = { small_network, NULL, FAST };
    Dataset data;
    Error error;
    Score first = { 0 };
    cr_assert(dataset_open("shapes", &(DatasetWish){ 0 }, TEST_SET, IMAGES, &data, &error), "%s",
              error.text);
    Net *net = small_network(NULL, 1);
    Weights *weights = weights_new(net);
    weights_init(weights, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Score score;
        cr_assert(
            evaluate_images(builder, weights, &data, NULL, data.count, sizes[i], &score, &error),
            "%s", error.text);
        cr_expect_eq(built_for, sizes[i] < IMAGES ? sizes[i] : IMAGES, "%d", built_for);
        if (i == 0)
            first = score;
        cr_expect(score.loss == first.loss && score.top5 == first.top5, "batches of %d: %.17g",
                  sizes[i], score.loss);
        if (i)
            free(score.confusion);
    }
    free(first.confusion);
    weights_free(weights);
    net_free(net);
    dataset_free(&data);
}

/* Whoever gives every class the same takes the first ones: of ten, each of which comes as often,
 * one is right, and five are among the best five. */
Test(train, of_equal_logits_the_first_are_the_best)
{
    Dataset data;
    Error error;
    Score score;
    cr_assert(dataset_open("shapes", &(DatasetWish){ 0 }, TEST_SET, 50, &data, &error), "%s",
              error.text);
    Net *net = small_network(NULL, 1);
    Weights *zeros = weights_new(net);
    cr_assert(evaluate_images((Builder){ small_network, NULL, FAST }, zeros, &data, NULL,
                              data.count, 50, &score, &error),
              "%s", error.text);
    cr_expect_float_eq(score.top1, 0.1, 1e-12);
    cr_expect_float_eq(score.top5, 0.5, 1e-12);
    free(score.confusion);
    weights_free(zeros);
    net_free(net);
    dataset_free(&data);
}
