/* What a file of weights says of itself, how every command that reads weights goes by it, and that
 * no output replaces what the same call reads. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "io/file.h"
#include "onnx.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZES "--stem 4 --widths 4,8,16,32 --depths 1,1,1,1 --classes 10 "
#define INPUT "--input 3x64x64 "
#define BATCH "tests/data/steps/05_large_kernel/batch.safetensors"

enum { DONE, FAILED, USAGE };

static char *folder, *programs;

static void setup(void)
{
    folder = folder_new();
    programs = realpath(build_folder(), NULL);
    run_well("cp " BATCH " '%s/batch'", folder);
    setenv("FASHION_MNIST", folder, 1);
}

static void teardown(void)
{
    folder_remove(folder);
    free(programs);
}

TestSuite(provenance, .init = setup, .fini = teardown);

/* --- helpers --------------------------------------------------------------------------------- */

/* Runs "05_large_kernel words…" in the folder; the program is found by its beginning. */
#define CALL(...) run_in(folder, programs, "/" __VA_ARGS__)

/* It must end well and say nothing. */
#define runs(...) expect_quiet(CALL(__VA_ARGS__), #__VA_ARGS__)
static void expect_quiet(Result r, const char *what)
{
    cr_assert_eq(r.status, DONE, "%s: status %d: %s", what, r.status, r.err);
    cr_expect_str_empty(r.err, "%s: %s", what, r.err);
    result_free(&r);
}

/* It must end with that status and one line on stderr that has all the words, "|" between them. */
#define says(status, words, ...) expect_line(CALL(__VA_ARGS__), status, words, #__VA_ARGS__)

static void same_bytes(const char *a, const char *b)
{
    run_well("cd '%s' && cmp %s %s", folder, a, b);
}

/* The file `from` as `to`: the metadata gone, or all kept and one of them changed. */
static void strip(const char *from, const char *to, const char *key, const char *value)
{
    char *source = str_format("%s/%s", folder, from), *target = str_format("%s/%s", folder, to);
    Safetensors file = tensors_in("%s", source);
    Metadata *list = mem_alloc(file.metadata_count + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; key && i < file.metadata_count; i++)
        if (strcmp(file.metadata[i].key, key) != 0)
            list[count++] = file.metadata[i];
    if (key)
        list[count++] = (Metadata){ (char *)key, (char *)value };
    copy_tensors(source, target, list, count);
    free(list);
    safetensors_free(&file);
    free(source);
    free(target);
}

/* A copy of what the file says under that key. */
static char *told(const char *name, const char *key)
{
    Safetensors file = tensors_in("%s/%s", folder, name);
    const char *value = safetensors_metadata(&file, key);
    char *copy = value ? str_format("%s", value) : NULL;
    safetensors_free(&file);
    return copy;
}

static void tells(const char *name, const char *key, const char *wanted)
{
    char *value = told(name, key);
    cr_expect(value, "%s says nothing of %s", name, key);
    cr_expect_str_eq(value, wanted, "%s, %s: %s", name, key, value);
    free(value);
}

static void put(const char *name, const void *bytes, size_t size)
{
    char *path = str_format("%s/%s", folder, name);
    Error error;
    cr_assert(file_write(path, bytes, size, &error), "%s", error.text);
    free(path);
}

/* A set of 60 images that goes by Fashion-MNIST's name, the same for training and test. */
static void write_set(void)
{
    enum { IMAGES = 60, PIXELS = 28 * 28 };
    unsigned char images[16 + IMAGES * PIXELS] = "\0\0\10\3\0\0\0\74\0\0\0\34\0\0\0\34";
    unsigned char labels[8 + IMAGES] = "\0\0\10\1\0\0\0\74";
    for (int i = 0; i < IMAGES; i++)
        labels[8 + i] = (unsigned char)(i % 10);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        images[16 + i] = (unsigned char)(i / PIXELS % 10 * 20 + i % 37);
    put("train-images-idx3-ubyte", images, sizeof images);
    put("train-labels-idx1-ubyte", labels, sizeof labels);
    run_well("cd '%s' && for f in images-idx3 labels-idx1; do cp train-$f-ubyte t10k-$f-ubyte; "
             "done && { printf 'P5 28 28 255\n'; tail -c 784 train-images-idx3-ubyte; } > "
             "image.pgm",
             folder);
}

/* A trained network. */
#define TINY "--stem 4 --widths 4,8,16,32 --depths 1,1,1,1 "
#define TRAIN "train --data fashion-mnist " TINY "--epochs 1 --batch-size 18 --seed 1 --out run "
static void train_one(const char *more)
{
    write_set();
    Result r = run("cd '%s' && '%s'/09_layer_norm " TRAIN "%s", folder, programs, more);
    cr_assert_eq(r.status, DONE, "%s", r.err);
    result_free(&r);
}

/* --- the network ----------------------------------------------------------------------------- */

#define FORWARD "forward --batch batch "

Test(provenance, the_network_is_the_files)
{
    runs("05_large_kernel init " SIZES INPUT "--output w");
    tells("w", "network",
          "05_large_kernel --stem 4 --widths 4,8,16,32 --depths 1,1,1,1 --input 3x64x64 "
          "--drop-path 0 --layer-scale 0 --classes 10");
    strip("w", "bare", NULL, NULL);
    runs("05_large_kernel " FORWARD SIZES "--weights bare --output 1");
    runs("05_large_kernel " FORWARD "--weights w --output 2");
    runs("05_large_kernel " FORWARD SIZES INPUT "--weights w --output 3");
    same_bytes("1", "2");
    same_bytes("1", "3");
    says(FAILED, "bare: does not fit", "05_large_kernel " FORWARD "--weights bare --output 4");
    runs("05_large_kernel gradient --batch batch --weights w --output 4");
    runs("05_large_kernel show --weights w --output 4");
    runs("05_large_kernel export --weights w --output 4 --onnx 5");
}

/* What a published step's stem is follows from its widths, unless the file says otherwise. */
Test(provenance, the_stem_is_the_files_too)
{
    runs("12_official_convnext init --preset small --widths 8,16,24,32 --output a");
    runs("12_official_convnext export --weights a --output b");
    same_bytes("a", "b");
    tells("b", "network",
          "12_official_convnext --stem 8 --widths 8,16,24,32 --depths 1,1,3,1 --input 1x64x64 "
          "--drop-path 0 --layer-scale 1e-06 --classes 10");
}

Test(provenance, another_function_is_refused_by_all)
{
    static const char *const commands[] = {
        "forward --batch batch --output o",
        "gradient --batch batch --output o",
        "fit --batch batch --output o --steps 1 --lr 1e-3 --weight-decay 0",
        "classify image.ppm --labels names",
        "export --output o",
        "export --onnx o",
        "show --output o",
    };
    run_well("cd '%s' && seq 10 > names && printf 'P6 1 1 255\\nabc' > image.ppm", folder);
    runs("06_gelu init " SIZES INPUT "--output w");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        says(USAGE,
             "w: has weights of 06_gelu, not of 05_large_kernel: encoder.stages.0.0.block.0.2 "
             "is 'gelu 4x16x16' there and 'relu 4x16x16' here; --as-is",
             "05_large_kernel %s --weights w", commands[i]);
    /* On a set of grey images. */
    static const char *const on_a_set[] = { "evaluate", "field --output o", "train --out o" };
    runs("06_gelu init " SIZES "--input 1x64x64 --output grey");
    for (size_t i = 0; i < sizeof on_a_set / sizeof *on_a_set; i++)
        says(USAGE, "grey: has weights of 06_gelu|, not of 05_large_kernel|: encoder.stages.0.0.",
             "05_large_kernel %s --data shapes --weights grey", on_a_set[i]);
    run_well("cd '%s' && test ! -e o", folder);
    strip("w", "bare", NULL, NULL);
    runs("05_large_kernel " FORWARD SIZES "--weights bare --output 1");
    says(DONE, "has weights of 06_gelu|; taken as it is",
         "05_large_kernel " FORWARD "--weights w --output 2 --as-is");
    same_bytes("1", "2");
}

Test(provenance, another_size_is_refused)
{
    runs("05_large_kernel init " SIZES "--input 3x32x32 --output w");
    says(USAGE,
         "w: has weights of 05_large_kernel --input 3x32x32, not of 05_large_kernel --input "
         "3x64x64; --as-is",
         "05_large_kernel " FORWARD "--weights w --output o");
    says(USAGE, " --input 3x32x32, not of | --input 1x32x32\n",
         "05_large_kernel export --weights w --output o --input 1x32x32");
    says(USAGE, " --classes 10, not of | --classes 11\n",
         "05_large_kernel export --weights w --output o --classes 11");
    says(USAGE, " --widths 4,8,16,32, not of | --widths 4,8,16,64\n",
         "05_large_kernel export --weights w --output o --widths 4,8,16,64");
    says(USAGE, " --depths 1,1,1,1, not of | --depths 1,1,1,2\n",
         "05_large_kernel export --weights w --output o --depths 1,1,1,2");
    says(USAGE, " --stem 4 --widths| --stem 24 --widths",
         "05_large_kernel export --weights w --output o --preset small");
    says(DONE, "; taken as it is", "05_large_kernel " FORWARD "--weights w --output o --as-is");
}

/* The same network under another name is told; what acts in training alone, and the batch, are no
 * part of it. */
Test(provenance, the_same_function_is_taken)
{
    runs("11_drop_path_layer_scale init " SIZES INPUT "--output w");
    runs("11_drop_path_layer_scale " FORWARD "--weights w --output 1");
    runs("11_drop_path_layer_scale " FORWARD
         "--weights w --output 2 --drop-path 0.5 --layer-scale 3");
    same_bytes("1", "2");
    runs("11_drop_path_layer_scale export --weights w --onnx o --batch-size 7");
    run_well("cp '%s/11_drop_path_layer_scale' '%s/14_mine'", programs, folder);
    Result r = run("cd '%s' && ./14_mine " FORWARD "--weights w --output 3", folder);
    cr_expect_eq(r.status, DONE);
    cr_expect(strstr(r.err, "w: has weights of 11_drop_path_layer_scale; the network is the same"),
              "%s", r.err);
    result_free(&r);
    same_bytes("1", "3");
}

Test(provenance, a_row_is_the_files)
{
    runs("13_paper_roadmap init --row 7 --preset small --output w");
    runs("13_paper_roadmap export --weights w --output same");
    same_bytes("w", "same");
    runs("13_paper_roadmap export --row 7 --weights w --output same");
    same_bytes("w", "same");
    says(USAGE, "has weights of 13_paper_roadmap-row7|not of 13_paper_roadmap-row9",
         "13_paper_roadmap export --row 9 --preset small --weights w --output o");
    says(USAGE, "-row7 --input 1x64x64, not of|-row7 --input 1x128x128",
         "13_paper_roadmap export --input 1x128x128 --weights w --output o");
}

/* Keys of other programs' files that happen to be called so, and ours with nonsense in them. */
Test(provenance, words_that_are_not_ours)
{
    runs("05_large_kernel init " SIZES INPUT "--output w");
    strip("w", "one", "layers", "");
    runs("05_large_kernel " FORWARD SIZES "--weights w --output 1");
    strip("w", "bare", NULL, NULL);
    strip("bare", "foreign", "network", "a U-Net");
    runs("05_large_kernel " FORWARD SIZES "--weights foreign --output 2");
    same_bytes("1", "2");
    strip("bare", "foreign", "data", "LAION");
    runs("05_large_kernel " FORWARD SIZES "--weights foreign --output 2");
    static const char *const bad[] = {
        "05_large_kernel",
        "05_large_kernel --stem 4",
        "x --stem 0 --widths 4,8,16,32 --depths 1,1,1,1 --input 3x64x64 --drop-path 0 "
        "--layer-scale 0 --classes 10",
        "x --stem 4 --widths 4,8,16,32 --depths 1,1,1,1 --input 3x64x9999999 --drop-path 0 "
        "--layer-scale 0 --classes 10",
        "x --stem 4 --widths 4,8,16,32 --depths 1,1,1,1 --input 3x64x64 --drop-path 0 "
        "--layer-scale 0 --classes 10 and more",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        strip("w", "bad", "network", bad[i]);
        says(FAILED, "bad: its metadata 'network' are not understood",
             "05_large_kernel " FORWARD "--weights bad --output o");
    }
}

/* --- what is written ------------------------------------------------------------------------- */

/* Every file of weights says of which network; nothing is lost on the way. */
Test(provenance, every_file_says_it)
{
    train_one("");
    char *network = told("run/best.safetensors", "network");
    char *layers = told("run/best.safetensors", "layers");
    cr_assert(network && layers);
    cr_expect(strncmp(network, "09_layer_norm --stem 4 --widths 4,8,16,32 ", 42) == 0, "%s",
              network);
    cr_expect(strncmp(layers,
                      "input 1x64x64; conv2d kernel 4 stride 4 groups 1 params 68 4x16x16; ",
                      68) == 0,
              "%s", layers);
    static const char *const files[] = { "run/best.safetensors", "run/last.safetensors", "half" };
    runs("09_layer_norm export --weights run/best.safetensors --dtype F16 --output half");
    for (int i = 0; i < 3; i++) {
        tells(files[i], "network", network);
        tells(files[i], "layers", layers);
        tells(files[i], "data", "fashion-mnist");
        tells(files[i], "classes",
              "[\"T-shirt/top\",\"trouser\",\"pullover\",\"dress\",\"coat\",\"sandal\",\"shirt\","
              "\"sneaker\",\"bag\",\"ankle boot\"]");
        tells(files[i], "image",
              "shorter side to 28 (bicubic, antialiased), middle 28x28, enlarged 2 times "
              "(bilinear), black around it to 64x64");
        char *mean = told(files[i], "mean"), *std = told(files[i], "std");
        cr_expect(mean && atof(mean) > 0.3 && std && atof(std) > 0.1, "%s", files[i]);
        free(mean);
        free(std);
    }
    free(network);
    free(layers);
}

/* Taken into another network, weights are that one's. */
Test(provenance, export_says_of_which_network_they_are_now)
{
    runs("06_gelu init " SIZES INPUT "--output w");
    strip("w", "noted", "note", "mine");
    says(DONE, "; taken as it is", "05_large_kernel export --weights noted --output o --as-is");
    char *network = told("o", "network");
    cr_expect(network && strncmp(network, "05_large_kernel --stem 4 ", 25) == 0, "%s", network);
    tells("o", "note", "mine");
    free(network);
    runs("05_large_kernel " FORWARD "--weights o --output 1");
    runs("05_large_kernel fit --batch batch --weights o --output f --steps 1 --lr 1e-3 "
         "--weight-decay 0");
    network = told("f", "network");
    tells("o", "network", network ? network : "");
    free(network);
}

/* PORTABLE=1 promises bytes that a run of both kinds of programs would not have. */
Test(provenance, another_arithmetic_does_not_go_on_with_a_run)
{
    train_one("");
    run_well("cd '%s' && cp run/last.safetensors last", folder);
    static const char word[] = " --built PORTABLE=1";
    char *recipe = told("last", "recipe"), *at = strstr(recipe, word);
    char *other = at ? str_format("%.*s%s", (int)(at - recipe), recipe, at + strlen(word))
                     : str_format("%s%s", recipe, word);
    strip("last", "run/last.safetensors", "recipe", other);
    says(USAGE,
         at ? "--built as usual then, PORTABLE=1 now" : "--built PORTABLE=1 then, as usual now",
         "09_layer_norm " TRAIN "--resume");
    free(recipe);
    free(other);
}

/* The options may be the same and the network another: a step that was changed. */
Test(provenance, a_changed_step_does_not_go_on_with_a_run)
{
    train_one("");
    run_well("cd '%s' && cp run/last.safetensors last", folder);
    strip("last", "run/last.safetensors", "layers", "input 1x64x64; relu 1x64x64");
    says(USAGE, "run/last.safetensors: the network changed since the run began (layers)",
         "09_layer_norm " TRAIN "--resume");
    run_well("cd '%s' && cp last run/last.safetensors", folder);
    train_one("--resume");
}

Test(provenance, onnx_models_have_it)
{
    train_one("");
    runs("09_layer_norm export --weights run/best.safetensors --onnx model");
    char *path = str_format("%s/model", folder), *bytes;
    size_t size;
    Error error;
    cr_assert(file_read(path, &bytes, &size, &error), "%s", error.text);
    OnnxModel m = onnx_parse(bytes, size);
    static const char *const keys[] = { "network", "data", "mean", "std", "classes", "image" };
    for (int i = 0; i < 6; i++) {
        char *value = told("run/best.safetensors", keys[i]);
        cr_assert(value && onnx_metadata(&m, keys[i]), "%s", keys[i]);
        cr_expect_str_eq(onnx_metadata(&m, keys[i]), value);
        free(value);
    }
    cr_expect_null(onnx_metadata(&m, "layers"));
    onnx_model_free(&m);
    free(bytes);
    free(path);
}

/* --- the data set ---------------------------------------------------------------------------- */

#define BEST "--weights run/best.safetensors "

/* The numbers behind `word` in a text. */
static double number_behind(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    cr_assert(at, "'%s' is not in '%s'", word, text);
    return atof(at + strlen(word));
}

static char *prints(const char *words)
{
    Result r = run("cd '%s' && '%s'/09_layer_norm %s", folder, programs, words);
    cr_assert_eq(r.status, DONE, "%s: %s", words, r.err);
    free(r.err);
    return r.out;
}

Test(provenance, the_data_set_is_the_files)
{
    train_one("--input 1x28x28");
    char *a = prints("evaluate --limit 50 " BEST);
    char *b = prints("evaluate --limit 50 --data fashion-mnist --input 1x28x28 " TINY BEST);
    cr_expect_str_eq(a, b);
    cr_expect(strstr(a, "test set of fashion-mnist, 50 images"), "%s", a);
    free(a);
    free(b);
    says(USAGE, "best.safetensors: was trained on fashion-mnist, --data says shapes; --as-is",
         "09_layer_norm evaluate --data shapes " BEST);
    says(USAGE, "was trained on fashion-mnist, --data says cifar10",
         "09_layer_norm field --data cifar10 --output o " BEST);
    says(USAGE, "was trained on fashion-mnist, --data says cifar10",
         "09_layer_norm classify image.pgm --data cifar10 " BEST);
    says(USAGE, " --input 1x28x28, not of 09_layer_norm --input 1x64x64",
         "09_layer_norm evaluate --data fashion-mnist --input 1x64x64 " BEST);
    runs("09_layer_norm field --limit 2 --output 1 " BEST);
    runs(
        "09_layer_norm field --limit 2 --data fashion-mnist --output 2 --input 1x28x28 " TINY BEST);
    same_bytes("1", "2");
    runs("09_layer_norm classify image.pgm " BEST);
    strip("run/best.safetensors", "bare", NULL, NULL);
    says(USAGE, "--data: wanted: bare does not say", "09_layer_norm evaluate --weights bare");
}

/* Where keys or shapes do not fit, nothing can be taken as it is. */
Test(provenance, as_is_is_offered_where_it_can_be)
{
    runs("05_large_kernel init " SIZES INPUT "--output w");
    says(USAGE, "w: has weights of 05_large_kernel, not of 09_layer_norm: |\n",
         "09_layer_norm export --weights w --output o");
    says(USAGE, " --widths 4,8,16,64\n",
         "05_large_kernel export --weights w --output o --widths 4,8,16,64");
    says(FAILED, "w: |encoder.", "09_layer_norm export --weights w --output o --as-is");
    run_well("cd '%s' && test ! -e o", folder);
    train_one("");
    says(USAGE, "was trained on fashion-mnist, --data says cifar10\n",
         "09_layer_norm evaluate --data cifar10 " BEST);
}

/* Sizes that are the file's may be too small for another step: both are named. */
Test(provenance, sizes_of_another_network)
{
    runs("09_layer_norm init " SIZES "--input 1x28x28 --output w");
    says(USAGE, "is too small|; w has weights of 09_layer_norm\n",
         "10_separate_downsampling export --weights w --output o");
    says(USAGE, "is too small|the image has to be larger\n",
         "10_separate_downsampling export --weights w --output o --input 1x28x28 --preset small");
}

/* Another set all the same: as the network knows images, not as that set's own are normalised. */
Test(provenance, mean_and_deviation_are_the_files)
{
    train_one("");
    strip("run/best.safetensors", "bright", "mean", "3");
    char *own = prints("evaluate --limit 50 " BEST);
    Result r =
        run("cd '%s' && '%s'/09_layer_norm evaluate --limit 50 --weights bright", folder, programs);
    cr_expect_eq(r.status, DONE);
    cr_expect(strstr(r.err, "images are normalised with the weights' mean and std (3, "), "%s",
              r.err);
    cr_expect(fabs(number_behind(own, "loss ") - number_behind(r.out, "loss ")) > 1e-4, "%s",
              r.out);
    result_free(&r);
    free(own);
    strip("run/best.safetensors", "square", "image",
          "shorter side to 28 (bicubic, antialiased), middle 28x28, enlarged 2 times (nearest), "
          "black around it to 64x64");
    says(USAGE, "square: brings images to size otherwise: '|(nearest)|', here '|(bilinear)",
         "09_layer_norm evaluate --weights square");
    says(DONE, "square: |; taken as it is", "09_layer_norm evaluate --as-is --weights square");
}

/* The classes are called as the file says, whatever this program's sets are called. */
Test(provenance, classes_are_the_files)
{
    train_one("");
    strip("run/best.safetensors", "named", "classes",
          "[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"n\\u00efne\"]");
    char *text = prints("classify image.pgm --top 10 --weights named");
    cr_expect(strstr(text, "  n\xC3\xAFne\n"), "%s", text);
    free(text);
    strip("named", "own", "data", "garden");
    text = prints("classify image.pgm --top 10 --weights own");
    cr_expect(strstr(text, "  n\xC3\xAFne\n"), "%s", text);
    free(text);
    says(FAILED, "garden: no data set of this name", "09_layer_norm evaluate --weights own");
}

/* --- evaluate's formats ---------------------------------------------------------------------- */

/* The three forms say the same. */
Test(provenance, evaluate_for_programs)
{
    train_one("");
    char *text = prints("evaluate --limit 50 " BEST);
    char *tsv = prints("evaluate --limit 50 --format tsv " BEST), *at = tsv;
    char *json = prints("evaluate --limit 50 --format json " BEST);
    char *fields[16];
    cr_expect_str_eq(next_line(&at), "alteration\ttop1\ttop5\tloss\timages\tsha256");
    cr_assert_eq(split(next_line(&at), fields, 16), 6);
    cr_expect(strcmp(fields[0], "clean") == 0 && strcmp(fields[4], "50") == 0);
    cr_expect_float_eq(atof(fields[1]), number_behind(text, "top-1 "), 0.006);
    cr_expect_float_eq(atof(fields[2]), number_behind(text, "top-5 "), 0.006);
    cr_expect_float_eq(atof(fields[3]), number_behind(text, "loss "), 0.00006);
    cr_expect_float_eq(atof(fields[1]), number_behind(json, "\"top1\": "), 0.006);
    cr_expect_float_eq(atof(fields[3]), number_behind(json, "\"loss\": "), 0.00001);
    cr_expect_eq(strlen(fields[5]), 64);
    cr_expect(strstr(text, fields[5]) && strstr(json, fields[5]), "%s", text);
    cr_expect_str_eq(next_line(&at), "");
    cr_expect_str_eq(next_line(&at), "class\tname\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9");
    char *rows = strstr(json, "\"confusion\": ["), *row = strstr(text, "\n 0 T-shirt");
    cr_assert(rows && row);
    rows += strlen("\"confusion\": [");
    int all = 0, right = 0;
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(split(next_line(&at), fields, 16), 12);
        cr_expect_eq(atoi(fields[0]), i);
        row = strchr(row, '\n') + 1 + 16;
        for (int j = 0; j < 10; j++) {
            rows += strcspn(rows, "0123456789");
            cr_expect_eq(strtol(rows, &rows, 10), atoi(fields[2 + j]));
            cr_expect_eq(strtol(row, &row, 10), atoi(fields[2 + j]));
            all += atoi(fields[2 + j]);
            right += i == j ? atoi(fields[2 + j]) : 0;
        }
    }
    cr_expect_null(next_line(&at));
    cr_expect_eq(all, 50);
    cr_expect_float_eq(number_behind(json, "\"top1\": "), 100.0 * right / all, 1e-4);
    cr_expect(strstr(json, "\"classes\": [\"T-shirt/top\", \"trouser\", "), "%s", json);
    free(text);
    free(tsv);
    free(json);
    /* One object a result. */
    json = prints("evaluate --limit 5 --alter all --format json " BEST);
    int results = 0;
    for (const char *r = json; (r = strstr(r, "{\"alteration\": \"")); r++)
        results++;
    cr_expect_eq(results, 15);
    cr_expect(strstr(json, "{\"alteration\": \"clean\", ") && strstr(json, "\"noise:32\""), "%s",
              json);
    free(json);
}

/* --- files of others ------------------------------------------------------------------------- */

/* The tensors of `from` as `to`, their keys behind a prefix, without metadata. */
static void put_prefix(const char *from, const char *to, const char *prefix, const char *odd_one)
{
    Safetensors file = tensors_in("%s/%s", folder, from);
    char *path = str_format("%s/%s", folder, to);
    Error error;
    Entry *entries = mem_alloc(file.count, sizeof *entries);
    for (size_t i = 0; i < file.count; i++) {
        entries[i] = file.entries[i];
        entries[i].key = str_format("%s%s", odd_one && !i ? odd_one : prefix, file.entries[i].key);
    }
    cr_assert(safetensors_write(path, entries, file.count, NULL, 0, &error), "%s", error.text);
    for (size_t i = 0; i < file.count; i++)
        free(entries[i].key);
    free(entries);
    free(path);
    safetensors_free(&file);
}

Test(provenance, prefixes_of_wrappers_are_taken_off)
{
    static const char *const prefixes[] = { "module.", "_orig_mod.", "model.", "backbone.",
                                            "model._orig_mod.module." };
    runs("05_large_kernel init " SIZES INPUT "--output w");
    runs("05_large_kernel " FORWARD "--weights w --output 1");
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char *said = str_format("p: all keys begin with '%s', which is removed", prefixes[i]);
        put_prefix("w", "p", prefixes[i], NULL);
        says(DONE, said, "05_large_kernel " FORWARD SIZES "--weights p --output 2");
        same_bytes("1", "2");
        free(said);
    }
    put_prefix("w", "p", "model.", "");
    says(FAILED, "p: does not fit this network",
         "05_large_kernel " FORWARD SIZES "--weights p --output o");
    put_prefix("w", "p", "net.", NULL);
    says(FAILED, "missing encoder.stem.0.weight",
         "05_large_kernel " FORWARD SIZES "--weights p --output o");
    /* In another library's names. */
    runs("12_official_convnext init --preset small --scheme timm --output w");
    put_prefix("w", "p", "module.", NULL);
    says(DONE, "'module.'", "12_official_convnext export --preset small --weights p --output o");
}

/* The call says no sizes, and export's default is not what these were trained with. */
Test(provenance, our_own_weights_say_their_network)
{
    run_well("for w in results/weights/*; do step=${w##*/}; "
             "'%s'/${step%%.*} export --weights $w --output '%s/o' || exit 1; done",
             programs, folder);
}

/* Of a file that does not say which network it is of, its keys may tell; and its first layer, of
 * how many channels its images are. */
Test(provenance, keys_of_another_step_are_recognised)
{
    runs("09_layer_norm init --preset small --input 3x64x64 --output w");
    put_prefix("w", "p", "", NULL);
    says(FAILED,
         "p: does not fit this network: its keys are those of 09_layer_norm --preset small\n",
         "09_layer_norm export --weights p --output o");
    runs("06_gelu init " SIZES INPUT "--output w");
    put_prefix("w", "p", "", NULL);
    says(FAILED, "those of 05_large_kernel or 06_gelu or 07_fewer_activations\n",
         "09_layer_norm export " SIZES INPUT "--weights p --output o");
    says(FAILED,
         "p: does not fit|its images have 3 channels, this network's 1; --input 3x64x64 builds",
         "06_gelu export " SIZES "--input 1x64x64 --weights p --output o");
    /* A head of other classes is no other step. */
    says(FAILED, "p: does not fit|wrong shape head.3.weight (10x32, not 7x32)",
         "06_gelu export --stem 4 --widths 4,8,16,32 --depths 1,1,1,1 --classes 7 " INPUT
         "--weights p --output o");
}

Test(provenance, a_network_without_its_classifier)
{
    float one = 1;
    Entry entry = { .key = "embeddings.patch_embeddings.weight",
                    .dtype = "F32",
                    .rank = 1,
                    .shape = { 1 },
                    .data = &one,
                    .bytes = sizeof one };
    char *path = str_format("%s/base", folder);
    cr_assert(safetensors_write(path, &entry, 1, NULL, 0, NULL));
    says(FAILED, "base: |is transformers' ConvNextModel, which has no classifier",
         "12_official_convnext export --weights base --output o");
    free(path);
}

Test(provenance, a_checkpoint_is_no_weights)
{
    train_one("");
    says(FAILED,
         "run/last.safetensors: is a checkpoint of a training run; run/best.safetensors has "
         "its weights",
         "09_layer_norm evaluate --weights run/last.safetensors");
    says(FAILED, "run: is the folder of a training run; run/best.safetensors has its weights\n",
         "09_layer_norm evaluate --weights run");
    run_well("cd '%s' && rm run/best.safetensors", folder);
    says(FAILED, "run: cannot read it: it is a folder", "09_layer_norm evaluate --weights run");
    says(FAILED, "run/last.safetensors: is a checkpoint|will write its weights to best.safetensors",
         "09_layer_norm evaluate --weights run/last.safetensors");
}

/* --- batches --------------------------------------------------------------------------------- */

/* Writes x of that dtype and shape and, unless their dtype is NULL, labels. */
static void write_batch(const char *name, const char *dtype, const size_t shape[4], const void *x,
                        const char *labels_dtype, const void *labels)
{
    size_t count = shape[0] * shape[1] * shape[2] * shape[3];
    size_t bits = strtoul(dtype + strcspn(dtype, "0123456789"), NULL, 10);
    size_t label_bits =
        labels_dtype ? strtoul(labels_dtype + strcspn(labels_dtype, "0123456789"), NULL, 10) : 0;
    Entry entries[2] = { { .key = "x",
                           .dtype = dtype,
                           .rank = 4,
                           .shape = { shape[0], shape[1], shape[2], shape[3] },
                           .data = x,
                           .bytes = count * bits / 8 },
                         { .key = "labels",
                           .dtype = labels_dtype,
                           .rank = 1,
                           .shape = { shape[0] },
                           .data = labels,
                           .bytes = shape[0] * label_bits / 8 } };
    char *path = str_format("%s/%s", folder, name);
    Error error;
    cr_assert(safetensors_write(path, entries, labels_dtype ? 2 : 1, NULL, 0, &error), "%s",
              error.text);
    free(path);
}

enum { COUNT = 2 * 3 * 64 * 64 };

Test(provenance, numbers_of_other_kinds_are_converted)
{
    static const size_t shape[4] = { 2, 3, 64, 64 };
    static const int64_t wide_labels[2] = { 3, 9 };
    static const int32_t labels[2] = { 3, 9 };
    static const uint8_t narrow_labels[2] = { 3, 9 };
    uint8_t *pixels = mem_alloc(COUNT, 1);
    float *floats = mem_alloc(COUNT, sizeof *floats);
    double *doubles = mem_alloc(COUNT, sizeof *doubles);
    int32_t *whole = mem_alloc(COUNT, sizeof *whole);
    for (int i = 0; i < COUNT; i++) {
        pixels[i] = (uint8_t)(i * 7 % 251);
        floats[i] = pixels[i], doubles[i] = pixels[i], whole[i] = pixels[i];
    }
    runs("05_large_kernel init " SIZES INPUT "--output w");
    write_batch("0", "F32", shape, floats, "I64", wide_labels);
    write_batch("1", "F64", shape, doubles, "I32", labels);
    write_batch("2", "U8", shape, pixels, "U8", narrow_labels);
    write_batch("3", "I32", shape, whole, "I64", wide_labels);
    for (int i = 0; i < 4; i++)
        runs("05_large_kernel gradient --weights w --batch %d --output g%d", i, i);
    for (int i = 1; i < 4; i++)
        run_well("cd '%s' && cmp g0 g%d", folder, i);
    whole[5] = (1 << 24) + 1;
    write_batch("3", "I32", shape, whole, "F32", labels);
    says(FAILED, "3: 'x': 16777217 is no float32",
         "05_large_kernel forward --weights w --batch 3 --output o");
    write_batch("3", "F32", shape, floats, "F32", labels);
    says(FAILED, "3: 'labels': the dtype is F32, not one of whole numbers",
         "05_large_kernel gradient --weights w --batch 3 --output o");
    free(pixels);
    free(floats);
    free(doubles);
    free(whole);
}

/* Images with their colours last are what PIL and TensorFlow have. */
Test(provenance, channels_come_second)
{
    static const size_t colour[4] = { 2, 64, 64, 3 }, grey[4] = { 6, 64, 64, 1 };
    float *floats = mem_alloc(COUNT, sizeof *floats);
    runs("05_large_kernel init " SIZES INPUT "--output w");
    strip("w", "bare", NULL, NULL);
    write_batch("nhwc", "F32", colour, floats, NULL, NULL);
    const char *wanted = "nhwc: 'x' is 2x64x64x3, channels last as it seems; channels come second, "
                         "2x3x64x64: x.permute(0, 3, 1, 2)";
    says(FAILED, wanted, "05_large_kernel forward --weights w --batch nhwc --output o");
    says(FAILED, wanted, "05_large_kernel forward --weights bare " SIZES "--batch nhwc --output o");
    write_batch("nhwc", "F32", grey, floats, NULL, NULL);
    says(FAILED, "6x1x64x64", "05_large_kernel forward --weights w --batch nhwc --output o");
    /* A network for it is there: 64 channels, and images of 64x3. */
    write_batch("odd", "F32", (size_t[]){ 2, 64, 64, 3 }, floats, NULL, NULL);
    runs("00_resnet init " SIZES "--input 64x64x3 --output w");
    runs("00_resnet forward --weights w --batch odd --output o");
    free(floats);
}

/* --- outputs over inputs --------------------------------------------------------------------- */

Test(provenance, an_output_replaces_no_input)
{
    runs("05_large_kernel init " SIZES INPUT "--output w");
    run_well("cd '%s' && cp w kept && cp batch batch.kept && ln -s w soft && ln w hard && mkdir d "
             "&& ln -s ../w d/link",
             folder);
    static const char *const spelled[] = { "w", "./w", "soft", "hard", "d/../w", "d/link" };
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        char *said =
            str_format("--output: '%s' would replace the weights, --weights 'w'", spelled[i]);
        says(USAGE, said, "05_large_kernel " FORWARD "--weights w --output %s", spelled[i]);
        says(USAGE, said, "05_large_kernel export --weights w --output %s", spelled[i]);
        free(said);
    }
    says(USAGE, "--onnx: 'soft' would replace the weights",
         "05_large_kernel export --weights w --onnx soft");
    says(USAGE, "--output: 'batch' would replace the batch, --batch 'batch'",
         "05_large_kernel " FORWARD "--weights w --output batch");
    says(USAGE, "would replace the batch",
         "05_large_kernel fit --weights w --batch batch --output "
         "batch --steps 1 --lr 1 --weight-decay 0");
    says(USAGE, "would replace the weights", "05_large_kernel show --weights w --output w");
    says(USAGE, "would replace the weights",
         "05_large_kernel " FORWARD "--weights - --output w < w");
    same_bytes("w", "kept");
    same_bytes("batch", "batch.kept");
    run_well("cd '%s' && test -L soft -a w -ef hard", folder);
}

Test(provenance, an_output_replaces_no_file_of_a_data_set)
{
    run_well("mkdir '%s/set' && cd '%s/set' && for set in train t10k; do echo x > "
             "$set-images-idx3-ubyte && echo x > $set-labels-idx1-ubyte; done && "
             "ln t10k-labels-idx1-ubyte ../hard && cksum * > ../sums",
             folder, folder);
    setenv("FASHION_MNIST", "set", 1);
    says(USAGE, "--output: 'set/t10k-labels-idx1-ubyte' would replace a file of fashion-mnist",
         "05_large_kernel data fashion-mnist --output set/t10k-labels-idx1-ubyte");
    says(USAGE, "'hard' would replace a file of fashion-mnist",
         "05_large_kernel data fashion-mnist --output hard");
    runs("05_large_kernel init " SIZES INPUT "--output w");
    says(USAGE, "would replace a file of fashion-mnist",
         "05_large_kernel field --weights w --data fashion-mnist --output hard");
    run_well("cd '%s/set' && cksum * | cmp - ../sums", folder);
    unsetenv("FASHION_MNIST");
}

Test(provenance, an_output_replaces_no_other_output)
{
    runs("05_large_kernel init " SIZES INPUT "--output w");
    run_well("cd '%s' && mkdir d && ln -s d e && echo old > old && ln -s old soft", folder);
    says(USAGE, "--onnx: 'd/n' would replace what --output 'e/n' writes",
         "05_large_kernel export --weights w --output e/n --onnx d/n");
    says(USAGE, "--onnx: './n'", "05_large_kernel export --weights w --output n --onnx ./n");
    says(USAGE, "--onnx: 'soft'", "05_large_kernel export --weights w --output old --onnx soft");
    run_well("cd '%s' && test \"$(cat old)\" = old -a ! -e n -a ! -e d/n", folder);
    /* What holds nothing can be named twice. */
    runs("05_large_kernel export --weights w --output /dev/null --onnx /dev/null");
    runs("05_large_kernel export --weights w --output n --onnx d/n");
}
