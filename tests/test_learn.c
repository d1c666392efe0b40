/* Learning: gradients and AdamW against PyTorch's, training runs against each other. */
#include "base/memory.h"
#include "io/safetensors.h"
#include "ops/ops.h"
#include "run.h"
#include "train/evaluate.h"

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

static void check_gradient(const char *step, const char *folder)
{
    Safetensors ours, theirs;
    char *out = str_format("%s/gradient-%s.safetensors", folder, step);
    char *expected = str_format("tests/data/steps/%s/expected.safetensors", step);
    char *options = options_of(step);
    run_well("%s/%s gradient %s --output %s", build_folder(), step, options, out);
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
        check_gradient(step_name(i), folder);
    folder_remove(folder);
}

Test(learn, five_steps_of_adamw_are_those_of_pytorch)
{
    char *folder = folder_new();
    for (size_t i = 0; i < RUNGS; i++) {
        Safetensors ours, theirs;
        const char *step = step_name(i);
        char *options = options_of(step), *out = str_format("%s/fit-%s", folder, step);
        char *expected = str_format("tests/data/steps/%s/expected.safetensors", step);
        run_well("%s/%s fit %s --steps 5 --lr 1e-3 --weight-decay 0.05 --output %s", build_folder(),
                 step, options, out);
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

/* A small network on few pictures: an epoch is a fraction of a second. */
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
    expect_same_file(a, b, "result.tsv");
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

/* Starts the run and kills it after so many milliseconds, unless it ends before. */
static void run_and_kill(const char *step, const char *out, unsigned milliseconds)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        char *line = str_format("exec %s/%s " SMALL " --resume --out %s >/dev/null 2>&1",
                                build_folder(), step, out);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    usleep(1000 * milliseconds);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
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

Test(train, interrupted_says_how_to_go_on_and_does)
{
    char *folder = folder_new(), *a = str_format("%s/a", folder), *b = str_format("%s/b", folder);
    run_well("%s/11_drop_path_layer_scale " SMALL " --out %s", build_folder(), a);
    for (int i = 0; i < 3; i++) {
        Result r =
            run("timeout -s INT 0.%d %s/11_drop_path_layer_scale " SMALL " --resume --out %s",
                3 + i, build_folder(), b);
        cr_expect(r.status == 124 || r.status == 0, "status %d: %s", r.status, r.err);
        if (strstr(r.out, "stopped"))
            cr_expect(strstr(r.out, "--resume"), "%s", r.out);
        result_free(&r);
    }
    run_well("%s/11_drop_path_layer_scale " SMALL " --resume --out %s", build_folder(), b);
    expect_same_run(a, b);
    free(a);
    free(b);
    folder_remove(folder);
}

/* Frees the line. */
static void expect_failure(const char *what, const char *said, char *line)
{
    Result r = run("%s", line);
    cr_expect(r.status == 1 || r.status == 2, "%s: status %d", what, r.status);
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
    expect_failure("a folder with a run", "--resume",
                   str_format("%s/09_layer_norm train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --out %s/a",
                              build_folder(), folder));
    expect_failure("other options", "other options",
                   str_format("%s/09_layer_norm train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --lr 0.1 --resume --out %s/a",
                              build_folder(), folder));
    expect_failure("another step", "other options",
                   str_format("%s/08_fewer_norms train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --resume --out %s/a",
                              build_folder(), folder));
    expect_failure("a file in the folder's place", "is not a folder",
                   str_format("%s/08_fewer_norms train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 20 --out %s/a/log.tsv",
                              build_folder(), folder));
    expect_failure("too large a batch", "--batch-size",
                   str_format("%s/08_fewer_norms train --data shapes --limit 100 --epochs 1 "
                              "--batch-size 91 --out %s/b",
                              build_folder(), folder));
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
    expect_failure("a folder in use", "another run", str_format("%s", line));
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

Test(train, stops_at_a_loss_that_is_no_number)
{
    char *folder = folder_new();
    expect_failure("lr 1e6", "epoch 1, step",
                   str_format("%s/08_fewer_norms train --data shapes --limit 400 --epochs 1 "
                              "--batch-size 20 --lr 1e6 --warmup 0 --out %s/a",
                              build_folder(), folder));
    folder_remove(folder);
}

/* Kills a long run as soon as it has a checkpoint. */
static void run_until_checkpoint(const char *line, const char *out)
{
    char *checkpoint = str_format("%s/last.safetensors", out);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", str_format("exec %s >/dev/null 2>&1", line), (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 20000 && access(checkpoint, F_OK) != 0; i++)
        usleep(1000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_assert_eq(access(checkpoint, F_OK), 0);
    free(checkpoint);
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
    enum { PICTURES = 45 };
    static const int sizes[] = { 64, 1, 2, 7, 16, 44, 45 };
    Builder builder = { small_network, NULL };
    Dataset data;
    Error error;
    Score first = { 0 };
    cr_assert(dataset_open("shapes", TEST_SET, PICTURES, &data, &error), "%s", error.text);
    Net *net = small_network(NULL, 1);
    Weights *weights = weights_new(net);
    weights_init(weights, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Score score;
        cr_assert(evaluate_all(builder, weights, &data, sizes[i], &score, &error), "%s",
                  error.text);
        cr_expect_eq(built_for, sizes[i] < PICTURES ? sizes[i] : PICTURES, "%d", built_for);
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
