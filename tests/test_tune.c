/* Fine-tuning: training that starts from weights, and of the head alone. */
#include "base/memory.h"
#include "data/shapes.h"
#include "io/cifar.h"
#include "io/file.h"
#include "run.h"
#include "train/features.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DONE, FAILED, USAGE };

static char *folder, *programs;

static void setup(void)
{
    folder = folder_new();
    programs = realpath(build_folder(), NULL);
}

static void teardown(void)
{
    folder_remove(folder);
    free(programs);
}

TestSuite(tune, .init = setup, .fini = teardown);

/* --- data sets ------------------------------------------------------------------------------- */

static void put(const char *path, const unsigned char *bytes, size_t size)
{
    char *whole = str_format("%s/%s", folder, path);
    Error error;
    cr_assert(file_write(whole, bytes, size, &error), "%s", error.text);
    free(whole);
}

enum { PIXELS = SHAPES_SIDE * SHAPES_SIDE };

/* The next of shapes' images, from number *i on, whose class is a digit in `classes`: the class's
 * place in there. */
static int next_shape(int split, const char *classes, uint32_t *i, uint8_t pixels[PIXELS])
{
    const char *found = NULL;
    while (!found)
        found = strchr(classes, '0' + shapes_draw(split, (*i)++, pixels));
    return (int)(found - classes);
}

/* Images of these classes of shapes as two of the files of Fashion-MNIST's kind. */
static void write_part(const char *name, const char *part, int split, const char *classes,
                       int count)
{
    unsigned char *images = mem_alloc(16 + (size_t)count * PIXELS, 1);
    unsigned char *labels = mem_alloc(8 + (size_t)count, 1);
    memcpy(images, "\0\0\10\3\0\0\0\0\0\0\0\34\0\0\0\34", 16);
    memcpy(labels, "\0\0\10\1\0\0\0\0", 8);
    images[6] = labels[6] = (unsigned char)(count / 256);
    images[7] = labels[7] = (unsigned char)(count % 256);
    uint32_t next = 0;
    for (int i = 0; i < count; i++)
        labels[8 + i] =
            (unsigned char)next_shape(split, classes, &next, images + 16 + (size_t)i * PIXELS);
    char *path = str_format("%s/%s-images-idx3-ubyte", name, part);
    put(path, images, 16 + (size_t)count * PIXELS);
    free(path);
    path = str_format("%s/%s-labels-idx1-ubyte", name, part);
    put(path, labels, 8 + (size_t)count);
    free(path);
    free(images);
    free(labels);
}

/* A data set in a folder of that name. */
static void write_set(const char *name, const char *classes, int training, int test)
{
    run_well("mkdir -p '%s/%s'", folder, name);
    write_part(name, "train", 0, classes, training);
    write_part(name, "t10k", 1, classes, test);
}

/* 60 images as CIFAR-10 in the folder cifar, for training and test: shapes in a colour. */
static void write_cifar(void)
{
    enum { IMAGES = 10 };
    static unsigned char bytes[IMAGES * (1 + CIFAR_IMAGE)];
    run_well("mkdir -p '%s/cifar'", folder);
    uint32_t next = 0;
    for (int file = 1; file <= 6; file++) {
        memset(bytes, 0, sizeof bytes);
        for (int i = 0; i < IMAGES; i++) {
            uint8_t pixels[PIXELS];
            unsigned char *at = bytes + (size_t)i * (1 + CIFAR_IMAGE);
            *at++ = (unsigned char)next_shape(0, "0123456789", &next, pixels);
            for (int k = 0; k < 3 * PIXELS; k++)
                at[k / PIXELS * 1024 + k % PIXELS / 28 * 32 + k % 28] = pixels[k % PIXELS];
        }
        char *path = file < 6 ? str_format("cifar/data_batch_%d.bin", file)
                              : str_format("cifar/test_batch.bin");
        put(path, bytes, sizeof bytes);
        free(path);
    }
}

/* --- helpers --------------------------------------------------------------------------------- */

/* Runs a program in the folder: "set", by which Fashion-MNIST is found, then "STEP words…". */
#define CALL(set, ...)                                                                             \
    (setenv("FASHION_MNIST", set, 1), setenv("CIFAR10", "cifar", 1),                               \
     run_in(folder, programs, "/" __VA_ARGS__))
#define says(status, words, set, ...)                                                              \
    expect_line(CALL(set, __VA_ARGS__), status, words, #__VA_ARGS__)

/* It must end well; what it printed, both ways, for the caller to free. */
#define runs(set, ...) printed(CALL(set, __VA_ARGS__), #__VA_ARGS__)
static char *printed(Result r, const char *what)
{
    cr_assert_eq(r.status, DONE, "%s: status %d: %s", what, r.status, r.err);
    char *all = str_format("%s%s", r.out, r.err);
    result_free(&r);
    return all;
}
#define ends_well(...) free(runs(__VA_ARGS__))

static void expect_words(char *text, const char *words)
{
    cr_expect(strstr(text, words), "'%s' is not in: %s", words, text);
    free(text);
}

/* A number of a table's last line, by its column from 0. */
static double cell(const char *path, size_t column)
{
    char *text = contents("%s/%s", folder, path), *at = text, *fields[8], *last = NULL;
    for (char *line; (line = next_line(&at));)
        last = line;
    cr_assert(last && split(last, fields, 8) > column, "%s", path);
    double number = atof(fields[column]);
    free(text);
    return number;
}
static double test_top1(const char *run)
{
    char *path = str_format("%s/result.tsv", run);
    double top1 = cell(path, 3);
    free(path);
    return top1;
}

static void same_file(const char *a, const char *b)
{
    run_well("cd '%s' && cmp %s %s", folder, a, b);
}

/* |a - b| / |b| of a tensor of two files. */
static double difference(const char *a, const char *b, const char *key)
{
    Safetensors first = tensors_in("%s/%s", folder, a), second = tensors_in("%s/%s", folder, b);
    size_t n, m;
    float *x = floats_in(&first, key, &n), *y = floats_in(&second, key, &m);
    double off = 0, norm = 1e-30;
    cr_assert_eq(n, m, "%s", key);
    for (size_t i = 0; i < n; i++) {
        off += pow((double)x[i] - (double)y[i], 2);
        norm += pow((double)y[i], 2);
    }
    free(x);
    free(y);
    safetensors_free(&first);
    safetensors_free(&second);
    return sqrt(off / norm);
}

/* All tensors but the head's must have the same bytes in both files, and the head's others. */
static void expect_same_backbone(const char *a, const char *b, const char *head)
{
    Safetensors file = tensors_in("%s/%s", folder, a);
    int others = 0;
    for (size_t i = 0; i < file.count; i++) {
        const char *key = file.entries[i].key;
        bool of_head = strncmp(key, head, strlen(head)) == 0;
        double d = difference(a, b, key);
        cr_expect(of_head ? d > 1e-6 : d == 0, "%s of %s and %s: %g apart", key, a, b, d);
        others += !of_head;
    }
    cr_expect(others > 20);
    safetensors_free(&file);
}

static void tells(const char *path, const char *key, const char *wanted)
{
    Safetensors file = tensors_in("%s/%s", folder, path);
    const char *value = safetensors_metadata(&file, key);
    cr_expect(value && strcmp(value, wanted) == 0, "%s, %s: %s", path, key, value);
    safetensors_free(&file);
}

/* --- it learns ------------------------------------------------------------------------------- */

#define TRAIN "09_layer_norm train --data fashion-mnist --seed 3 --lr 3e-3 "
#define NETWORK "--input 1x32x32 --stem 16 --widths 16,32,64,128 --depths 1,1,1,1 "

/* Five classes of shapes, then five others by 30 images: more than 300 of them teach a network that
 * starts from nothing, in fewer passes. */
Test(tune, learns_other_classes_in_a_tenth_of_the_images)
{
    write_set("some", "02468", 4000, 100);
    write_set("others", "13579", 300, 500);
    ends_well("some", TRAIN NETWORK "--epochs 5 --batch-size 16 --out first");
    ends_well("others", TRAIN NETWORK "--epochs 5 --batch-size 16 --out nothing-300");
    ends_well("others", TRAIN NETWORK "--epochs 20 --batch-size 9 --limit 30 --out nothing-30");
    ends_well("others", TRAIN "--weights first/best.safetensors --epochs 20 --batch-size 9 "
                              "--limit 30 --out tuned");
    double first = test_top1("first"), tuned = test_top1("tuned");
    double nothing_300 = test_top1("nothing-300"), nothing_30 = test_top1("nothing-30");
    cr_expect(first > 97, "%g %%", first);
    cr_expect(tuned > nothing_300, "%g %%, from nothing %g %%", tuned, nothing_300);
    cr_expect(tuned > nothing_30 + 20, "%g %%, from nothing %g %%", tuned, nothing_30);

    /* Its images are normalised as those that the weights were trained on. */
    Safetensors file = tensors_in("%s/first/best.safetensors", folder);
    tells("tuned/best.safetensors", "data", "fashion-mnist");
    tells("tuned/best.safetensors", "mean", safetensors_metadata(&file, "mean"));
    tells("tuned/best.safetensors", "std", safetensors_metadata(&file, "std"));
    safetensors_free(&file);
}

/* --- the head alone -------------------------------------------------------------------------- */

#define SMALL "--input 1x64x64 --stem 4 --widths 4,8,16,32 --depths 1,1,1,1 "
#define SHORT "--epochs 1 --batch-size 30 "

/* A network with running statistics, and one with drop path. */
static const char *const steps[] = { "00_resnet", "11_drop_path_layer_scale" };
static const char *const heads[] = { "head.3.", "head.3." };
static const char *const engines[] = ENGINES;

/* Weights of a step after an epoch, in the folder "first". */
static void train_first(const char *step, const char *engine)
{
    const char *drop =
        strcmp(step, "11_drop_path_layer_scale") == 0 ? "--drop-path 0.5 --layer-scale 0.5" : "";
    ends_well("set",
              "%s train --data fashion-mnist " SMALL SHORT "--seed 1 %s --engine %s "
              "--out first",
              step, drop, engine);
}

/* What is in front of the head runs as in inference, and none of it changes. With a learning rate
 * of 0 the losses of training are those of evaluation. */
Test(tune, a_frozen_backbone_runs_as_in_inference)
{
    write_set("set", "0123456789", 100, 50);
    run_well("cd '%s/set' && cp train-images-idx3-ubyte t10k-images-idx3-ubyte && "
             "cp train-labels-idx1-ubyte t10k-labels-idx1-ubyte",
             folder);
    for (int i = 0; i < 4; i++) {
        const char *step = steps[i / 2], *engine = engines[i % 2];
        train_first(step, engine);
        expect_words(runs("set",
                          "%s train --data fashion-mnist --epochs 1 --batch-size 9 --freeze --lr 0 "
                          "--min-lr 0 "
                          "--smoothing 0 --weights first/best.safetensors --engine %s "
                          "--out still",
                          step, engine),
                     "each image's features are computed once: 100 images");
        ends_well("set",
                  "%s evaluate --weights first/best.safetensors --engine %s --format tsv "
                  "> evaluated",
                  step, engine);
        char *table = contents("%s/evaluated", folder), *at = table, *fields[8];
        next_line(&at);
        cr_assert(split(next_line(&at), fields, 8) > 3);
        double loss = atof(fields[3]);
        free(table);
        double mean = 0.9 * cell("still/log.tsv", 2) + 0.1 * cell("still/log.tsv", 3);
        cr_expect(fabs(mean - loss) < 2e-5 * (1 + loss), "%s, %s: %g, evaluated %g", step, engine,
                  mean, loss);
        cr_expect(fabs(cell("still/result.tsv", 5) - loss) < 2e-5 * (1 + loss));

        ends_well("set",
                  "%s train --data fashion-mnist " SHORT "--freeze --lr 1e-2 --ema 0.5 "
                  "--weights first/best.safetensors --engine %s --out tuned",
                  step, engine);
        expect_same_backbone("first/best.safetensors", "tuned/best.safetensors", heads[i / 2]);
        run_well("cd '%s' && rm -r first still tuned", folder);
    }
}

/* One step on one batch, in a network without batch norm: the head's is the same whether what is in
 * front of it learns as well or not. AdamW's first step is the gradient's sign, so that rounding
 * may turn a few of them. */
Test(tune, the_heads_gradient_is_that_of_the_whole_network)
{
    write_set("set", "0123456789", 100, 50);
    ends_well("set", "12_official_convnext train --data fashion-mnist "
                     "--preset small " SMALL SHORT "--seed 1 --out first");
#define ONE_STEP                                                                                   \
    "12_official_convnext train --data fashion-mnist --epochs 1 --batch-size 90 --warmup 0 --lr "  \
    "0.1 "                                                                                         \
    "--weights first/best.safetensors --augment none "
    for (int i = 0; i < 2; i++) {
        ends_well("set", ONE_STEP "--engine %s --out whole", engines[i]);
        ends_well("set", ONE_STEP "--engine %s --freeze --out head", engines[i]);
        double step = difference("first/best.safetensors", "whole/best.safetensors", "head.weight");
        double apart = difference("head/best.safetensors", "whole/best.safetensors", "head.weight");
        cr_expect(step > 0.1, "%g", step);
        cr_expect(apart < 0.05 * step, "%s: %g apart after a step of %g", engines[i], apart, step);
        run_well("cd '%s' && rm -r whole head", folder);
    }
}

/* Where images are augmented the backbone sees them anew in every epoch, and says so. */
Test(tune, augmented_images_have_features_of_their_own)
{
    write_set("set", "0123456789", 100, 50);
    ends_well("set",
              "09_layer_norm train --data fashion-mnist " SMALL SHORT "--seed 1 --out first");
    static const char *const ways[] = { "--augment crop-flip", "--mixup", "--cutmix" };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        expect_words(runs("set",
                          "09_layer_norm train --data fashion-mnist " SHORT "--freeze "
                          "--weights first/best.safetensors %s --out %zu",
                          ways[i], i),
                     "computed in every epoch, those of held-out images once: 10 ");
        char *path = str_format("%zu/best.safetensors", i);
        expect_same_backbone("first/best.safetensors", path, "head.3.");
        cr_expect(difference(path, "0/best.safetensors", "head.3.weight") > 0 || i == 0);
        free(path);
    }
}

/* An epoch's batches of known features: every image once with its own label, in an order of the
 * epoch's own; those from the third on are the same when they are asked for alone. */
Test(tune, known_features_come_in_the_epochs_order)
{
    enum { IMAGES = 20, SIZE = 4 };
    float values[IMAGES], seen[3][IMAGES];
    int labels[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        values[i] = (float)i, labels[i] = 100 + i;
    Features known = { .count = IMAGES, .each = 1, .values = values, .labels = labels };
    for (int run = 0; run < 3; run++) {
        LoaderOptions options = { .count = IMAGES, .batch_size = SIZE, .shuffle = true };
        options.drop_last = true;
        options.epoch = run == 1;
        options.first_batch = run == 2 ? 2 : 0;
        Error error;
        Feed *feed = features_feed(&options, NULL, &known, &error);
        const Batch *batch;
        int at = options.first_batch * SIZE, often[IMAGES] = { 0 };
        while (features_next(feed, &batch))
            for (int i = 0; i < batch->count; i++, at++) {
                seen[run][at] = batch->x[i];
                cr_expect_eq(batch->a[i], 100 + (int)batch->x[i]);
                cr_expect_eq(batch->lambda[i], 1);
                cr_expect_eq(often[(int)batch->x[i]]++, 0);
            }
        features_stop(feed);
        cr_assert_eq(at, IMAGES);
    }
    cr_expect(memcmp(seen[0], seen[1], sizeof seen[0]) != 0);
    size_t rest = (IMAGES - 2 * SIZE) * sizeof **seen;
    cr_expect(memcmp(seen[0] + 2 * SIZE, seen[2] + 2 * SIZE, rest) == 0);
}

/* Stops a run somewhere, again and again, and lets it end. */
#define FREEZE_LONG                                                                                \
    "09_layer_norm train --data fashion-mnist --epochs 60 --batch-size 2 --freeze --ema 0.9 "      \
    "--weights first/best.safetensors "
static void stop_and_go_on(const char *more, const char *out)
{
    for (int i = 1; i <= 3; i++) {
        Result r = run("cd '%s' && { '%s/'" FREEZE_LONG "%s --resume --out %s & p=$!; sleep 0.%d; "
                       "kill $p; wait $p; }",
                       folder, programs, more, out, i);
        result_free(&r);
    }
    ends_well("set", FREEZE_LONG "%s --resume --out %s", more, out);
}

Test(tune, frozen_runs_have_the_same_bytes_stopped_or_by_any_number_of_threads)
{
    static const char *const ways[] = { "", "--augment crop-flip" };
    write_set("set", "0123456789", 100, 50);
    ends_well("set",
              "09_layer_norm train --data fashion-mnist " SMALL SHORT "--seed 1 --out first");
    for (int i = 0; i < 2; i++) {
        ends_well("set", FREEZE_LONG "%s --threads 1 --out one", ways[i]);
        ends_well("set", FREEZE_LONG "%s --threads 3 --out three", ways[i]);
        stop_and_go_on(ways[i], "stopped");
        same_file("one/last.safetensors", "three/last.safetensors");
        same_file("one/best.safetensors", "three/best.safetensors");
        same_file("one/last.safetensors", "stopped/last.safetensors");
        same_file("one/best.safetensors", "stopped/best.safetensors");
        run_well("cd '%s' && cut -f 1-11 one/result.tsv >one/but_seconds && "
                 "cut -f 1-11 stopped/result.tsv | cmp - one/but_seconds",
                 folder);
        run_well("cd '%s' && rm -r one three stopped", folder);
    }
}

/* --- published weights ----------------------------------------------------------------------- */

#define OFFICIAL "12_official_convnext "
#define OFFICIAL_SIZES "--widths 4,8,16,32 --depths 1,1,2,1 --input 3x32x32 "
#define OFFICIAL_TRAIN OFFICIAL "train --data cifar10 --epochs 1 --batch-size 15 "

/* Whatever the names, training starts from the same weights; what comes out names images and goes
 * on to ONNX with the data set's classes. */
Test(tune, published_weights_of_any_scheme_on_a_new_set)
{
    static const char *const schemes[] = { "official", "timm", "torchvision", "transformers" };
    write_cifar();
    run_well("cp tests/data/official/*.safetensors '%s'", folder);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        expect_words(
            runs("", OFFICIAL_TRAIN OFFICIAL_SIZES "--weights %s.safetensors --out %s", schemes[i],
                 schemes[i]),
            "normalised with the weights' mean and std (0.485, 0.229), not with those of cifar10");
        char *best = str_format("%s/best.safetensors", schemes[i]);
        same_file(best, "official/best.safetensors");
        free(best);
    }
    tells("timm/best.safetensors", "mean", "0.485000014,0.456,0.405999988");
    tells("timm/best.safetensors", "data", "cifar10");
    run_well("cd '%s' && { printf 'P5 28 28 255\\n'; head -c 784 cifar/data_batch_1.bin; } > i.pgm",
             folder);
    expect_words(runs("", OFFICIAL "classify i.pgm --top 10 --weights timm/best.safetensors"),
                 "airplane");
    ends_well("", OFFICIAL "export --weights timm/best.safetensors --onnx model.onnx");
    run_well("cd '%s' && grep -q '\"airplane\",\"automobile\"' model.onnx", folder);
}

/* A head of another size is initialised anew, by the seed; all else is the file's. */
Test(tune, a_head_for_other_classes_begins_afresh)
{
    write_cifar();
    ends_well("", OFFICIAL "init --scheme torchvision " OFFICIAL_SIZES
                           "--classes 17 --seed 5 --output many");
    ends_well("", OFFICIAL "export " OFFICIAL_SIZES "--classes 17 --weights many --output as-here");
#define AFRESH OFFICIAL_TRAIN OFFICIAL_SIZES "--weights many --freeze --lr 0 --min-lr 0 "
    expect_words(runs("", AFRESH "--seed 1 --out a"),
                 "its head, head.weight, is for 17 classes: a new one for 10 is initialised");
    ends_well("", AFRESH "--seed 2 --out b");
    cr_expect(difference("a/best.safetensors", "b/best.safetensors", "head.weight") > 0.1);
    Safetensors file = tensors_in("%s/as-here", folder);
    for (size_t i = 0; i < file.count; i++)
        if (strncmp(file.entries[i].key, "head.", 5) != 0)
            cr_expect(difference("a/best.safetensors", "as-here", file.entries[i].key) == 0);
    safetensors_free(&file);
    ends_well("", OFFICIAL "init " OFFICIAL_SIZES "--classes 10 --seed 1 --output fresh");
    cr_expect(difference("a/best.safetensors", "fresh", "head.weight") == 0);
}

/* --- what contradicts itself ----------------------------------------------------------------- */

#define REFUSED "09_layer_norm train --data fashion-mnist --epochs 1 --batch-size 30 "

Test(tune, contradictions_are_refused)
{
    write_set("set", "0123456789", 100, 50);
    write_cifar();
    ends_well("set", REFUSED SMALL "--seed 1 --out first");
    ends_well("set", REFUSED SMALL "--seed 2 --out second");
    ends_well("set", REFUSED "--weights first/best.safetensors --freeze --out tuned");
#define FIRST "--weights first/best.safetensors "
    says(USAGE, "--freeze|needs --weights", "set", REFUSED "--freeze --out x");
    says(USAGE, "--as-is|--weights", "set", REFUSED "--as-is --out x");
    says(USAGE, "--drop-path|--freeze", "set",
         "11_drop_path_layer_scale train --data fashion-mnist --freeze --drop-path 0.1 " FIRST
         "--out x");
    says(USAGE, "would replace the weights", "set", REFUSED FIRST "--out first --resume");
    says(USAGE, "--weights|then", "set",
         REFUSED "--weights second/best.safetensors --freeze --resume --out tuned");
    says(USAGE, "--freeze on then, off now", "set", REFUSED FIRST "--resume --out tuned");
    says(USAGE, "--augment crop-flip then, none now", "set",
         REFUSED SMALL "--seed 1 --augment none --resume --out first");
    says(USAGE, "--weights|then, none now", "set", REFUSED SMALL "--seed 0 --resume --out tuned");
    says(USAGE, "--input 1x64x64|--input 3x64x64", "set",
         "09_layer_norm train --data cifar10 " FIRST "--out x");
    says(USAGE, "10_separate_downsampling", "set",
         "10_separate_downsampling train --data fashion-mnist " FIRST "--out x");
    says(FAILED, "first|is the folder of a training run", "set", REFUSED "--weights first --out x");
    says(FAILED, "is a checkpoint of a training run", "set",
         REFUSED "--weights first/last.safetensors --out x");
    run_well("cp tests/data/official/timm.safetensors '%s'", folder);
    says(FAILED, "does not fit this network", "set",
         "12_official_convnext train --data fashion-mnist --weights timm.safetensors --out x");
    run_well("cd '%s' && ! test -e x", folder);
}
