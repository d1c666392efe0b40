/* Commands by either engine: the same numbers but for rounding, so not the same bits. (Their
 * logits, gradients and optimiser steps are held to PyTorch's in test_steps.c and test_learn.c.) */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Step 12 draws its paths for each sample by itself, and has no parameter whose gradient is zero
 * but for rounding, which AdamW would make as large as any. */
#define STEP "12_official_convnext"
#define TINY "--data shapes --stem 8 --widths 8,8,16,16 --depths 1,1,1,1"
#define RUN                                                                                        \
    "train " TINY " --limit 200 --epochs 1 --batch-size 20 --drop-path 0.5 --layer-scale 0.1 "     \
    "--mixup --ema 0.9 --seed 4"

static const char *const engines[] = ENGINES;

/* The weights of an epoch by each engine, in the folder's fast and plain. */
static void train(const char *folder)
{
    for (int i = 0; i < 2; i++)
        run_well("%s/" STEP " " RUN " --engine %s --out '%s/%s'", build_folder(), engines[i],
                 folder, engines[i]);
}

static double distance(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - (b ? b[i] : 0)) * ((double)a[i] - (b ? b[i] : 0));
    return sqrt(sum);
}

static void expect_same_weights(const char *folder)
{
    Safetensors fast = tensors_in("%s/fast/best.safetensors", folder);
    Safetensors plain = tensors_in("%s/plain/best.safetensors", folder);
    double apart = 0;
    for (size_t i = 0; i < plain.count; i++) {
        const char *key = plain.entries[i].key;
        size_t n, m;
        float *a = floats_in(&fast, key, &n), *b = floats_in(&plain, key, &m);
        cr_assert_eq(n, m);
        double off = distance(a, b, n);
        cr_expect(off < 1e-4 * distance(b, NULL, n), "%s: %g off", key, off);
        apart += off;
        free(a);
        free(b);
    }
    cr_expect(apart > 0, "one engine trained both");
    safetensors_free(&fast);
    safetensors_free(&plain);
}

/* The first numbers behind two words of what a command prints. */
static void expect_same_numbers(const char *what, const char *fast, const char *plain,
                                const char *word, double within)
{
    double a, b;
    const char *in_fast = strstr(fast, word), *in_plain = strstr(plain, word);
    cr_assert(in_fast && in_plain, "%s prints no %s", what, word);
    cr_assert(sscanf(in_fast + strlen(word), "%lf", &a) == 1);
    cr_assert(sscanf(in_plain + strlen(word), "%lf", &b) == 1);
    cr_expect(fabs(a - b) < within, "%s, %s: %g and %g", what, word, a, b);
}

/* A program's words, run by each engine. */
static void run_both(const char *words, Result results[2])
{
    for (int i = 0; i < 2; i++) {
        results[i] = run("%s/" STEP " %s --engine %s", build_folder(), words, engines[i]);
        cr_assert_eq(results[i].status, 0, "%s: %s", words, results[i].err);
    }
}

Test(engines, train_evaluate_and_classify_alike)
{
    char *folder = folder_new();
    train(folder);
    expect_same_weights(folder);
    Result r[2];
    char *words =
        str_format("evaluate " TINY " --limit 100 --weights '%s/fast/best.safetensors'", folder);
    run_both(words, r);
    expect_same_numbers("evaluate", r[0].out, r[1].out, "top-1 ", 1.5);
    expect_same_numbers("evaluate", r[0].out, r[1].out, ", loss ", 2e-4);
    free(words);
    result_free(&r[0]);
    result_free(&r[1]);
    run_well("printf 'P5 4 4 255 abcdefghijklmnop' > '%s/image.pgm'", folder);
    words = str_format("classify '%s/image.pgm' --format tsv " TINY
                       " --weights '%s/fast/best.safetensors'",
                       folder, folder);
    run_both(words, r);
    expect_same_numbers("classify", r[0].out, r[1].out, "\t1\t", 1e-4);
    free(words);
    result_free(&r[0]);
    result_free(&r[1]);
    r[0] =
        run("%s/" STEP " " RUN " --engine fast --resume --out '%s/plain'", build_folder(), folder);
    cr_expect_eq(r[0].status, 2, "resumed by another engine: %s", r[0].out);
    cr_expect(strstr(r[0].err, "--engine plain then, fast now"), "%s", r[0].err);
    result_free(&r[0]);
    folder_remove(folder);
}

Test(engines, of_other_commands_there_is_one)
{
    static const char *const commands[] = { "report",  "keys",   "init",  "bench",
                                            "compare", "export", "field", "data" };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        Result r = run("%s/" STEP " %s --engine plain", build_folder(), commands[i]);
        cr_expect_eq(r.status, 2, "%s: status %d", commands[i], r.status);
        cr_expect(strstr(r.err, "one engine"), "%s: %s", commands[i], r.err);
        result_free(&r);
    }
    Result r = run("%s/" STEP " forward --engine quick", build_folder());
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "fast|plain"), "%s", r.err);
    result_free(&r);
}
