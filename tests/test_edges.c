/* The edges of what numbers and sizes can be: NaN and infinity, one pixel, one channel, nothing at
 * all, more than the machine has. */
#include "base/memory.h"
#include "engine/engine.h"
#include "graph/op.h"
#include "io/safetensors.h"
#include "ops/ops.h"
#include "run.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CASES "tests/data/steps"

/* --- files with one value changed ------------------------------------------------------------ */

/* Copies a safetensors file with element `at` of a tensor set. */
static void copy_with(const char *from, const char *to, const char *key, size_t at, float value)
{
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(from, &file, &error), "%s", error.text);
    const Entry *entry = safetensors_find(&file, key);
    cr_assert(entry && at < entry_elements(entry), "%s has no %s[%zu]", from, key, at);
    /* The data are the file's own copy in memory. */
    memcpy((char *)entry->data + at * sizeof value, &value, sizeof value);
    cr_assert(safetensors_write(to, file.entries, file.count, NULL, 0, &error), "%s", error.text);
    safetensors_free(&file);
}

/* The logits of a step's case with these files; [2,10], owned by the caller. */
static float *logits_of(const char *step, const char *weights, const char *batch,
                        const char *folder, size_t *count)
{
    char *config = contents(CASES "/%s/config.txt", step), *out = str_format("%s/out", folder);
    config[strcspn(config, "\n")] = 0;
    run_well("%s/%s forward %s --weights %s --batch %s --output %s", build_folder(), step, config,
             weights, batch, out);
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(out, &file, &error), "%s", error.text);
    const Entry *entry = safetensors_find(&file, "logits");
    cr_assert_not_null(entry);
    *count = entry_elements(entry);
    float *logits = mem_alloc(*count, sizeof *logits);
    cr_assert(entry_floats(&file, entry, logits, &error), "%s", error.text);
    safetensors_free(&file);
    free(config);
    free(out);
    return logits;
}

/* --- NaN and infinity ------------------------------------------------------------------------ */

/* The first image has a pixel of that value: its logits are NaN, the others' as `before`. */
static void check_pixel(const char *step, const char *weights, const char *batch,
                        const char *folder, const float *before, float value)
{
    char *changed = str_format("%s/batch", folder);
    size_t count;
    copy_with(batch, changed, "x", 70, value);
    float *after = logits_of(step, weights, changed, folder, &count);
    for (size_t i = 0; i < 10; i++)
        cr_expect(isnan(after[i]), "%s: a pixel of %g gives logit %g", step, (double)value,
                  (double)after[i]);
    cr_expect_eq(memcmp(before + 10, after + 10, (count - 10) * sizeof *after), 0,
                 "%s: a pixel of %g reaches another image", step, (double)value);
    free(changed);
    free(after);
}

Test(edges, a_pixel_that_is_no_number)
{
    static const float values[] = { NAN, INFINITY, -INFINITY };
    char *folder = folder_new();
    for (size_t i = 0; i < LADDER; i++) {
        const char *step = step_name(i);
        char *weights = str_format(CASES "/%s/weights.safetensors", step);
        char *batch = str_format(CASES "/%s/batch.safetensors", step);
        size_t count;
        float *before = logits_of(step, weights, batch, folder, &count);
        cr_assert(count >= 20 && count % 10 == 0);
        for (int k = 0; k < 3; k++)
            check_pixel(step, weights, batch, folder, before, values[k]);
        free(weights);
        free(batch);
        free(before);
    }
    folder_remove(folder);
}

/* The stem has a weight of that value: all logits are NaN. */
static void check_weight(const char *step, const char *key, const char *folder, float value)
{
    char *weights = str_format(CASES "/%s/weights.safetensors", step);
    char *batch = str_format(CASES "/%s/batch.safetensors", step);
    char *changed = str_format("%s/weights", folder);
    size_t count;
    copy_with(weights, changed, key, 1, value);
    float *logits = logits_of(step, changed, batch, folder, &count);
    for (size_t k = 0; k < count; k++)
        cr_expect(isnan(logits[k]), "%s: a weight of %g gives logit %g", step, (double)value,
                  (double)logits[k]);
    free(weights);
    free(batch);
    free(changed);
    free(logits);
}

Test(edges, a_weight_that_is_no_number)
{
    static const float values[] = { NAN, INFINITY, -INFINITY };
    char *folder = folder_new();
    for (size_t i = 0; i < LADDER; i++)
        for (int k = 0; k < 3; k++)
            check_weight(step_name(i), i < 2 ? "encoder.stem.0.0.weight" : "encoder.stem.0.weight",
                         folder, values[k]);
    folder_remove(folder);
}

/* A class whose logit is NaN for every image; the others would be right now and then. */
Test(edges, a_broken_network_is_right_about_nothing)
{
    char *folder = folder_new(), *good = str_format("%s/good", folder);
    char *broken = str_format("%s/broken", folder);
    run_well("%s/11_drop_path_layer_scale init --preset small --output %s", build_folder(), good);
    copy_with(good, broken, "head.3.bias", 7, NAN);
    Result r = run("%s/11_drop_path_layer_scale evaluate --data shapes --limit 30 --weights %s",
                   build_folder(), broken);
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "30 images: top-1 0.00%, top-5 0.00%, loss nan"), "%s", r.out);
    cr_expect(strstr(r.out, "NaN among the logits of 30 images"), "%s", r.out);
    result_free(&r);
    free(good);
    free(broken);
    folder_remove(folder);
}

/* As torch.nn.functional.cross_entropy has it. */
Test(edges, cross_entropy_of_infinite_logits)
{
    float impossible[] = { 0, -INFINITY }, certain[] = { 0, INFINITY }, nothing[] = { 0, NAN };
    Targets first = { .a = (int[]){ 0 } }, second = { .a = (int[]){ 1 } };
    cr_expect_eq(cross_entropy_loss(impossible, 1, 2, first, 0, NULL), 0);
    cr_expect_eq(cross_entropy_loss(impossible, 1, 2, second, 0, NULL), INFINITY);
    cr_expect_eq(cross_entropy_loss(impossible, 1, 2, first, 0.1, NULL), INFINITY);
    cr_expect(isnan(cross_entropy_loss(certain, 1, 2, first, 0, NULL)));
    cr_expect(isnan(cross_entropy_loss(nothing, 1, 2, first, 0, NULL)));
}

/* --- one of everything ----------------------------------------------------------------------- */

/* Every op there is on an image of that size, with one channel in and out. */
static Net *smallest(int n, int h, int w)
{
    Net *net = net_new();
    Tensor *x = net_input(net, n, 1, h, w), *res = x;
    x = conv_norm_act(x, .out = 1, .kernel = 7, .groups = 1);
    x = max_pool(x, .kernel = 3, .stride = 2, .pad = 1);
    x = conv_norm_act(x, .out = 1, .kernel = 3, .bias = false);
    res = x;
    x = conv2d(x, .out = 1, .kernel = 7, .pad = 3, .groups = 1);
    x = group_norm(x, 1);
    x = conv2d(x, .out = 2, .kernel = 1);
    x = gelu(x);
    x = conv2d(x, .out = 1, .kernel = 1);
    SCOPE(net, "scale")
        x = layer_scale(x, 0.5f);
    x = add(x, res);
    x = relu(x);
    x = flatten(global_avg_pool(x));
    x = layer_norm(x);
    linear(x, .out = 1);
    return net;
}

static void fill(float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        x[i] = sinf(1 + 0.7f * (float)i);
}

/* The output by every op's definition. training: norms by the batch. */
static float defined_logit(const Net *net, const Weights *w, bool training)
{
    float **values = mem_alloc((size_t)net_tensors(net), sizeof(float *));
    for (int i = 0; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        values[i] = mem_alloc(tensor_elements(t), sizeof(float));
        if (!t->op) {
            fill(values[i], tensor_elements(t));
            continue;
        }
        Call call = { .x = { values[t->in[0]->index], t->in[1] ? values[t->in[1]->index] : NULL },
                      .y = values[i],
                      .param = w->values + t->first_param,
                      .training = training };
        t->op->define(t, &call);
    }
    float logit = values[net_tensors(net) - 1][0];
    for (int i = 0; i < net_tensors(net); i++)
        free(values[i]);
    free(values);
    return logit;
}

static float inferred_logit(const Net *net, const Weights *w)
{
    Engine *engine = engine_for_inference(engine_kind(NULL), net, w);
    fill(engine_input(engine), tensor_elements(net_tensor(net, 0)));
    engine_forward(engine);
    float logit = engine_output(engine)[0];
    engine_free(engine);
    return logit;
}

/* Forward and backward; every gradient has to be a number. */
static float trained_logit(const Net *net, Weights *w)
{
    Weights *gradients = weights_new(net);
    Engine *engine = engine_for_training(engine_kind(NULL), net, w, gradients);
    fill(engine_input(engine), tensor_elements(net_tensor(net, 0)));
    engine_forward(engine);
    float logit = engine_output(engine)[0];
    for (int i = 0; i < net_output(net)->n; i++)
        engine_output_gradient(engine)[i] = 1;
    engine_backward(engine);
    for (size_t i = 0; i < gradients->floats; i++)
        cr_expect(isfinite(gradients->data[i]));
    weights_free(gradients);
    engine_free(engine);
    return logit;
}

Test(edges, one_pixel_one_channel_one_class)
{
    static const int sizes[][3] = {
        { 1, 1, 1 }, { 2, 1, 1 }, { 1, 5, 1 }, { 1, 1, 9 }, { 3, 2, 1 }
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Net *net = smallest(sizes[i][0], sizes[i][1], sizes[i][2]);
        Weights *w = weights_new(net);
        weights_init(w, 5);
        /* The last norm's only channel leaves just its bias, which starts as 0. */
        w->values[w->count - 3][0] = 0.25f;
        cr_expect_float_eq(inferred_logit(net, w), defined_logit(net, w, false), 1e-5f);
        if (tensor_rows(net_output(net)) * sizes[i][1] * sizes[i][2] > 4)
            cr_expect_float_eq(trained_logit(net, w), defined_logit(net, w, true), 1e-5f);
        weights_free(w);
        net_free(net);
    }
}

/* --- nothing, and too little ----------------------------------------------------------------- */

static void write_batch(const char *path, size_t n, size_t h, size_t w)
{
    float *x = mem_alloc(n * 3 * h * w, sizeof *x);
    int64_t *labels = mem_alloc(n, sizeof *labels);
    fill(x, n * 3 * h * w);
    Entry entries[] = {
        { .key = "x", .dtype = "F32", .rank = 4, .shape = { n, 3, h, w }, .data = x },
        { .key = "labels", .dtype = "I64", .rank = 1, .shape = { n }, .data = labels }
    };
    entries[0].bytes = n * 3 * h * w * sizeof *x;
    entries[1].bytes = n * sizeof *labels;
    Error error;
    cr_assert(safetensors_write(path, entries, 2, NULL, 0, &error), "%s", error.text);
    free(x);
    free(labels);
}

/* Runs step 00's small network on a batch of that size. */
static Result on_batch(const char *command, size_t n, size_t h, size_t w)
{
    char *folder = folder_new(), *batch = str_format("%s/batch", folder);
    write_batch(batch, n, h, w);
    const char *network = "--stem 4 --widths 4,8,16,32 --depths 1,2,2,1 --classes 10";
    Result r = run("%s/00_resnet %s %s --weights " CASES "/00_resnet/weights.safetensors "
                   "--batch %s --output %s/out",
                   build_folder(), command, network, batch, folder);
    Result left = run("ls %s", folder);
    cr_expect_eq(strcmp(left.out, "batch\nout\n") == 0, r.status == 0, "left: %s", left.out);
    result_free(&left);
    free(batch);
    folder_remove(folder);
    return r;
}

static void refuses(const char *command, size_t n, size_t h, size_t w, const char *why)
{
    Result r = on_batch(command, n, h, w);
    cr_expect(r.status == 1 || r.status == 2, "%s: status %d", command, r.status);
    cr_expect(strstr(r.err, why), "%s %zux3x%zux%zu: %s", command, n, h, w, r.err);
    result_free(&r);
}

Test(edges, an_empty_batch)
{
    refuses("forward", 0, 64, 64, "'x' has a dimension of 0");
    refuses("gradient", 2, 0, 64, "'x' has a dimension of 0");
    refuses("fit --steps 1 --lr 1 --weight-decay 0", 0, 1, 1, "'x' has a dimension of 0");
}

/* PyTorch: "Expected more than 1 value per channel when training". */
Test(edges, batch_norm_of_one_value)
{
    refuses("gradient", 1, 1, 1, "more than one value");
    refuses("forward --mode train", 1, 32, 32, "more than one value");
    refuses("gradient", 1, 32, 32, "main.c:");
    Result two = on_batch("gradient", 2, 1, 1), eval = on_batch("forward", 1, 1, 1);
    cr_expect_eq(two.status, 0, "%s", two.err);
    cr_expect_eq(eval.status, 0, "%s", eval.err);
    result_free(&two);
    result_free(&eval);
}

Test(edges, too_few_images_to_hold_some_out)
{
    char *folder = folder_new();
    Result r = run("%s/00_resnet train --data shapes --limit 9 --batch-size 2 --out %s/run",
                   build_folder(), folder);
    cr_expect_eq(r.status, 2);
    cr_expect(strstr(r.err, "--limit: 9 images leave none to hold out"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}

/* --- more than 32 bits, 64 bits, the machine ------------------------------------------------- */

/* The total's MACs and the line of a layer, as `report --format tsv` gives them. */
static uint64_t macs_of(const char *step, const char *options, const char *layer, uint64_t *macs)
{
    uint64_t total = 0;
    Result r = run("%s/%s report --format tsv %s", build_folder(), step, options);
    cr_assert_eq(r.status, 0, "%s", r.err);
    for (char *text = r.out, *line, *fields[5]; (line = next_line(&text));)
        if (split(line, fields, 5) == 5) {
            if (layer && strcmp(fields[0], layer) == 0)
                *macs = strtoull(fields[4], NULL, 10);
            if (strcmp(fields[0], "total") == 0)
                total = strtoull(fields[4], NULL, 10);
        }
    result_free(&r);
    return total;
}

Test(edges, tensors_of_more_than_32_bits_are_counted)
{
    if (sizeof(size_t) == 4)
        return;
    uint64_t one = macs_of("05_large_kernel", "", NULL, NULL), stem = 0;
    cr_expect_eq(macs_of("05_large_kernel", "--batch-size 1048576", NULL, NULL), one << 20);
    /* 4x4 patches of 3 channels, 64 filters: 2^38 outputs, 48 multiply-accumulates each. */
    macs_of("05_large_kernel", "--batch-size 16 --input 3x65536x65536", "encoder.stem.0", &stem);
    cr_expect_eq(stem, ((uint64_t)1 << 38) * 48);
}

/* Where addresses have 32 bits, none of it has one. */
static void too_large(const char *words, const char *why)
{
    if (sizeof(size_t) == 4)
        why = "addressed";
    Result r = run("%s/05_large_kernel %s", build_folder(), words);
    cr_expect(r.status == 1 || r.status == 2, "%s: status %d", words, r.status);
    cr_expect(strstr(r.err, why), "%s: %s", words, r.err);
    result_free(&r);
}

Test(edges, what_64_bits_cannot_count)
{
    too_large("report --batch-size 1048576 --input 1048576x1048576x1048576", "addressed");
    too_large("report --stem 1048576 --input 1x1048576x1048576", "addressed");
    too_large("report --widths 1048573,1048574,1048575,1048576 --stem 1048576 --input 3x8192x8192 "
              "--depths 1000,1000,1000,1000",
              "64 bits");
}

Test(edges, more_memory_than_there_is)
{
    if (sanitized())
        return;
    too_large("bench --preset small --batch-size 500000 --runs 1", "MiB");
    too_large("bench --preset small --batch-size 1048576 --runs 1", "more pixels");
}

/* Files without an end: a device is read so far, a pipe until memory is short. */
Test(edges, weights_that_never_end)
{
    const char *words = "forward --batch " CASES "/00_resnet/batch.safetensors --output /dev/null";
    Result r = run("%s/00_resnet %s --weights /dev/zero", build_folder(), words);
    cr_expect_eq(r.status, 1, "status %d", r.status);
    cr_expect(strstr(r.err, "/dev/zero: cannot read it: File too large"), "%s", r.err);
    result_free(&r);
    if (sanitized())
        return;
    r = run("ulimit -v 1000000; cat /dev/zero | %s/00_resnet %s --weights -", build_folder(),
            words);
    cr_expect_eq(r.status, 1, "status %d", r.status);
    cr_expect(strstr(r.err, "memory") && strstr(r.err, "MiB"), "%s", r.err);
    result_free(&r);
}

/* One and a half times what the machine has; the limit keeps this test from using it if the
 * program does not look first. */
Test(edges, memory_is_asked_for_before_it_is_used)
{
    if (sanitized() || plain_only() || sizeof(size_t) == 4 || access("/proc/meminfo", R_OK) != 0)
        return;
    Result r = run("awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo");
    int mib = atoi(r.out);
    cr_assert(mib > 256);
    result_free(&r);
    /* The first block's 16x16 pixels of 96 channels, and more: 0.15 MiB per image. */
    char *words = str_format("bench --preset small --runs 1 --batch-size %d", mib * 10);
    r = run("ulimit -v 2000000; %s/05_large_kernel %s", build_folder(), words);
    cr_expect_eq(r.status, 1, "status %d", r.status);
    cr_expect(strstr(r.err, "MiB needed at once") && strstr(r.err, "are free"), "%s", r.err);
    result_free(&r);
    free(words);
}
