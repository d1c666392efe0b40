/* forward --keep and show: the values of layers, against PyTorch's hooks, and as images. */
#include "base/memory.h"
#include "engine/engine.h"
#include "io/pnm.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASE(step) "tests/data/steps/" step
#define USE(step)                                                                                  \
    "%s/" step " %s $(cat " CASE(step) "/config.txt) --weights " CASE(step) "/weights."            \
                                                                            "safetensors "
#define BATCH(step) "--batch " CASE(step) "/batch.safetensors "

static char *folder;

static void setup(void)
{
    folder = folder_new();
}

static void teardown(void)
{
    folder_remove(folder);
}

TestSuite(show, .init = setup, .fini = teardown);

/* --- keep ------------------------------------------------------------------------------------ */

static void expect_near(const float *ours, const float *want, size_t n, const char *what)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        off = fmax(off, fabs((double)ours[i] - (double)want[i]));
        size = fmax(size, fabs((double)want[i]));
    }
    cr_expect(off <= 1e-5 * size, "%s: %g off, of %g", what, off, size);
}

/* The keys of activations.safetensors are STEP/MODE/LAYER. */
Test(show, kept_layers_are_what_pytorchs_hooks_see)
{
    static const char *const engines[] = ENGINES;
    Safetensors want = tensors_in("tests/data/activations.safetensors");
    cr_assert_eq(want.count, 18);
    for (size_t i = 0; i < 2 * want.count; i++) {
        char step[64], mode[16], layer[128];
        const Entry *entry = &want.entries[i / 2];
        cr_assert_eq(sscanf(entry->key, "%63[^/]/%15[^/]/%127s", step, mode, layer), 3);
        run_well("%s/%s forward $(cat tests/data/steps/%s/config.txt) --mode %s --engine %s "
                 "--weights tests/data/steps/%s/weights.safetensors "
                 "--batch tests/data/steps/%s/batch.safetensors --keep %s --output %s/y",
                 build_folder(), step, step, mode, engines[i % 2], step, step, layer, folder);
        Safetensors ours = tensors_in("%s/y", folder);
        const Entry *kept = safetensors_find(&ours, layer);
        cr_assert(kept && kept->rank == entry->rank, "%s", entry->key);
        cr_assert(memcmp(kept->shape, entry->shape, (size_t)kept->rank * sizeof *kept->shape) == 0);
        size_t n;
        float *a = floats_in(&ours, layer, &n), *b = floats_in(&want, entry->key, NULL);
        expect_near(a, b, n, entry->key);
        free(a);
        free(b);
        safetensors_free(&ours);
    }
    safetensors_free(&want);
}

/* All that the report lists, the last of them the logits; those without --keep but for rounding. */
Test(show, all_layers_are_kept)
{
    run_well(USE("12_official_convnext") BATCH("12_official_convnext") "--output %s/plain",
             build_folder(), "forward", folder);
    run_well(USE("12_official_convnext") BATCH("12_official_convnext") "--keep all --output %s/all",
             build_folder(), "forward", folder);
    Safetensors plain = tensors_in("%s/plain", folder), all = tensors_in("%s/all", folder);
    Result r = run("%s/12_official_convnext report --format tsv $(cat " CASE(
                       "12_official_convnext") "/config.txt)",
                   build_folder());
    char *text = r.out, *last = NULL, *f[5];
    size_t layers = 0, n, m;
    next_line(&text);
    for (char *line; (line = next_line(&text)) && split(line, f, 5) == 5 && *f[1] != '-';) {
        cr_expect(safetensors_find(&all, f[0]), "%s is not kept", f[0]);
        last = f[0];
        layers++;
    }
    cr_assert_eq(all.count, layers + 1);
    float *logits = floats_in(&plain, "logits", &n), *kept = floats_in(&all, last, &m);
    float *beside = floats_in(&all, "logits", NULL);
    cr_assert_eq(n, m);
    cr_expect_arr_eq(kept, beside, n * sizeof *kept);
    expect_near(kept, logits, n, "logits");
    free(logits);
    free(kept);
    free(beside);
    result_free(&r);
    safetensors_free(&plain);
    safetensors_free(&all);
}

Test(show, wrong_layers_are_named)
{
    static const char *const wrong[][2] = {
        { "forward --keep encoder.stem.0,encoder.stem.7 " BATCH("09_layer_norm") "--output o",
          "no layer is called 'encoder.stem.7'; did you mean encoder.stem." },
        { "forward --keep encoder.stem.0, " BATCH("09_layer_norm") "--output o",
          "no layer is called ''" },
        { "show --layer encoder.stem", "no layer is called 'encoder.stem'" },
        { "show --layer encoder.stem.1", "has no weights that make an image" },
        { "show --output " CASE("09_layer_norm") "/weights.safetensors", "would replace" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Result r =
            run("%s/09_layer_norm %s $(cat " CASE(
                    "09_layer_norm") "/config.txt) "
                                     "--weights " CASE("09_layer_norm") "/weights.safetensors",
                build_folder(), wrong[i][0]);
        cr_expect_eq(r.status, 2, "%s: status %d", wrong[i][0], r.status);
        cr_expect(strstr(r.err, wrong[i][1]), "%s: %s", wrong[i][0], r.err);
        result_free(&r);
    }
}

/* --- weights --------------------------------------------------------------------------------- */

/* PyTorch's weights come out in PyTorch's order. */
Test(show, table_has_the_first_convolutions_weights)
{
    run_well(USE("02_patchify_stem") "--format tsv > %s/f", build_folder(), "show", folder);
    Safetensors file = tensors_in(CASE("02_patchify_stem") "/weights.safetensors");
    const Entry *entry = safetensors_find(&file, "encoder.stem.0.weight");
    size_t n;
    float *want = floats_in(&file, "encoder.stem.0.weight", &n);
    char *text = contents("%s/f", folder), *at = text;
    cr_assert_str_eq(next_line(&at), "filter\tchannel\ty\tx\tvalue");
    for (size_t i = 0; i < n; i++) {
        char *line = next_line(&at), *part[5];
        cr_assert(line && split(line, part, 5) == 5);
        size_t place = 0;
        for (int k = 0; k < 4; k++)
            place = place * entry->shape[k] + (size_t)atoi(part[k]);
        cr_expect_eq(place, i);
        cr_expect_float_eq((float)atof(part[4]), want[i], 1e-5f * fabsf(want[i]));
    }
    cr_expect_null(next_line(&at));
    free(text);
    free(want);
    safetensors_free(&file);
}

/* --- images ---------------------------------------------------------------------------------- */

static Pnm sheet(void)
{
    char *path = str_format("%s/sheet", folder);
    FILE *file = fopen(path, "rb");
    static char bytes[1 << 22];
    cr_assert(file, "%s", path);
    size_t size = fread(bytes, 1, sizeof bytes, file), at = 0;
    fclose(file);
    Pnm image;
    Error error;
    cr_assert(pnm_next(path, bytes, size, &at, &image, &error), "%s", error.text);
    free(path);
    return image;
}

static int pixel(const Pnm *image, int x, int y, int channel)
{
    return image->samples[(y * image->width + x) * image->channels + channel];
}

/* Three channels are red, green and blue; zero is the middle grey. Step 02's stem has 4 filters of
 * 3x4x4, which stand in a square, twelve times as large, a white line around each. */
Test(show, filters_of_three_channels_are_coloured)
{
    run_well(USE("02_patchify_stem") "--output %s/sheet > %s/text", build_folder(), "show", folder,
             folder);
    Safetensors file = tensors_in(CASE("02_patchify_stem") "/weights.safetensors");
    float *w = floats_in(&file, "encoder.stem.0.weight", NULL), most = 0;
    for (int i = 0; i < 4 * 3 * 16; i++)
        most = fmaxf(most, fabsf(w[i]));
    Pnm image = sheet();
    cr_assert(image.channels == 3 && image.width == 2 * 48 + 3 && image.height == 2 * 48 + 3);
    for (int i = 0; i < 4 * 3 * 16; i++) {
        int filter = i / 48, channel = i / 16 % 3, y = i / 4 % 4, x = i % 4;
        int left = 1 + filter % 2 * 49 + x * 12, top = 1 + filter / 2 * 49 + y * 12;
        int want = (int)lround(255 * (0.5 + 0.5 * (double)w[i] / (double)most));
        cr_expect_eq(pixel(&image, left, top, channel), want);
        cr_expect_eq(pixel(&image, left + 11, top + 11, channel), want);
    }
    for (int i = 0; i < image.width; i++)
        cr_expect(pixel(&image, i, 0, 0) == 255 && pixel(&image, 49, i, 1) == 255);
    pnm_free(&image);
    free(w);
    safetensors_free(&file);
}

/* Shows a layer of step 09, and returns what forward keeps of it. */
static Safetensors shown_and_kept(const char *layer)
{
    run_well(USE("09_layer_norm") BATCH("09_layer_norm") "--layer %s --output %s/sheet > %s/text",
             build_folder(), "show", layer, folder, folder);
    run_well(USE("09_layer_norm") BATCH("09_layer_norm") "--keep %s --output %s/kept",
             build_folder(), "forward", layer, folder);
    return tensors_in("%s/kept", folder);
}

/* Is the sheet x, in its own range of grey, as tiles of that many values a side, 32 in a row? */
static void expect_tiles(const Pnm *image, const float *x, int n, int side)
{
    float low = INFINITY, high = -INFINITY;
    for (int i = 0; i < n; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    for (int i = 0, scale = 48 / side; i < n; i++) {
        int tile = i / (side * side), left = 1 + tile % 32 * 49 + i % side * scale;
        int top = 1 + tile / 32 * 49 + i / side % side * scale;
        int grey = (int)lround(255 * ((double)x[i] - (double)low) / ((double)high - (double)low));
        cr_expect_eq(pixel(image, left, top, 0), grey);
    }
}

/* 128 channels of each of four images: four rows of 32 tiles an image, none in a row with
 * another's. */
Test(show, wide_layers_take_several_rows)
{
    const char *layer = "encoder.stages.3.0.block.3";
    Safetensors kept = shown_and_kept(layer);
    size_t n;
    float *x = floats_in(&kept, layer, &n);
    int channels = (int)n / 4 / 4; /* of 2x2 */
    cr_assert(channels > 32 && channels % 32 == 0);
    Pnm image = sheet();
    cr_assert(image.width == 32 * 49 + 1 && image.height == channels / 32 * 4 * 49 + 1, "%dx%d",
              image.width, image.height);
    expect_tiles(&image, x, (int)n, 2);
    pnm_free(&image);
    free(x);
    safetensors_free(&kept);
}

/* A layer's figures are those of what forward keeps of it; a row of tiles per image. */
Test(show, activations_are_those_that_forward_keeps)
{
    const char *layer = "encoder.stages.1.0.block.3";
    Safetensors kept = shown_and_kept(layer);
    size_t n;
    float *x = floats_in(&kept, layer, &n), low = INFINITY, high = -INFINITY;
    cr_assert_eq(n, 4 * 32 * 64);
    double sum = 0;
    int zeros = 0;
    for (size_t i = 0; i < n; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
        sum += (double)x[i];
        zeros += x[i] == 0;
    }
    char *want =
        str_format("%s, gelu: 4 images, 32 channels of 8x8\nminimum %.6g, maximum %.6g, "
                   "mean %.6g, zeros %.2f%%\n",
                   layer, (double)low, (double)high, sum / (double)n, 100 * zeros / (double)n);
    char *text = contents("%s/text", folder);
    cr_expect(strncmp(text, want, strlen(want)) == 0, "%s%s", text, want);
    Pnm image = sheet();
    cr_assert(image.channels == 1 && image.width == 32 * 49 + 1 && image.height == 4 * 49 + 1);
    expect_tiles(&image, x, (int)n, 8);
    pnm_free(&image);
    free(x);
    free(want);
    free(text);
    safetensors_free(&kept);
}

/* A network whose third and sixth filters are zero; so are the channels that come out of them. */
Test(show, dead_channels_are_counted)
{
    Safetensors file = tensors_in(CASE("05_large_kernel") "/weights.safetensors");
    Error error;
    size_t n;
    float *w = floats_in(&file, "encoder.stages.1.0.block.0.0.weight", &n);
    cr_assert_eq(n, 4 * 49);
    memset(w + 49, 0, 49 * sizeof *w);
    memset(w + 3 * 49, 0, 49 * sizeof *w);
    for (size_t i = 0; i < file.count; i++)
        if (strcmp(file.entries[i].key, "encoder.stages.1.0.block.0.0.weight") == 0)
            file.entries[i].data = w;
    char *path = str_format("%s/w", folder);
    cr_assert(safetensors_write(path, file.entries, file.count, NULL, 0, &error), "%s", error.text);
    for (int i = 0; i < 2; i++) {
        Result r = run("%s/05_large_kernel show --layer encoder.stages.1.0.block.0.0 "
                       "$(cat " CASE("05_large_kernel") "/config.txt) --weights %s %s",
                       build_folder(), path, i ? BATCH("05_large_kernel") : "");
        cr_expect(strstr(r.out, i ? "channels that are zero everywhere: 2 of 4: 1, 3\n"
                                  : "filters that are zero everywhere: 2 of 4: 1, 3\n"),
                  "%s%s", r.out, r.err);
        result_free(&r);
    }
    free(w);
    free(path);
    safetensors_free(&file);
}

/* Numbers are of the finite values; how many others there are is said. */
Test(show, values_that_are_no_numbers_are_counted)
{
    Safetensors file = tensors_in(CASE("05_large_kernel") "/weights.safetensors");
    Error error;
    size_t n;
    float *w = floats_in(&file, "encoder.stem.0.weight", &n);
    w[0] = NAN;
    w[7] = INFINITY;
    for (size_t i = 0; i < file.count; i++)
        if (strcmp(file.entries[i].key, "encoder.stem.0.weight") == 0)
            file.entries[i].data = w;
    char *path = str_format("%s/w", folder);
    cr_assert(safetensors_write(path, file.entries, file.count, NULL, 0, &error), "%s", error.text);
    Result r = run(
        "%s/05_large_kernel show $(cat " CASE("05_large_kernel") "/config.txt) "
                                                                 "--weights %s --output %s/sheet",
        build_folder(), path, folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "infinite or NaN: 2 of 192 values") && !strstr(r.out, "mean nan") &&
                  !strstr(r.out, "maximum inf"),
              "%s", r.out);
    result_free(&r);
    free(w);
    free(path);
    safetensors_free(&file);
}

/* The last layer's values for an image are the logits that classify makes probabilities of. */
Test(show, of_an_image_shows_what_classify_sees)
{
    run_well(
        "awk 'BEGIN { print \"P2 28 28 255\"; for (i = 0; i < 784; i++) print i * 37 %% 256 }' "
        "> %s/image.pgm",
        folder);
    const char *weights = "results/weights/09_layer_norm.safetensors";
    Result logits =
        run("%s/09_layer_norm show %s/image.pgm --weights %s --layer head.3 --format tsv",
            build_folder(), folder, weights);
    Result classes =
        run("%s/09_layer_norm classify %s/image.pgm --weights %s --format tsv --top 10",
            build_folder(), folder, weights);
    cr_assert(logits.status == 0 && classes.status == 0, "%s%s", logits.err, classes.err);
    double e[10], sum = 0;
    char *one = str_format("%s", logits.out), *at = logits.out, *part[5];
    next_line(&at);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(split(next_line(&at), part, 5), 5);
        sum += e[i] = exp(atof(part[4]));
    }
    at = classes.out;
    next_line(&at);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(split(next_line(&at), part, 5), 5);
        cr_expect_float_eq(e[atoi(part[3])] / sum, atof(part[2]), 1e-5);
    }
    result_free(&logits);
    result_free(&classes);
    expect_line(run("%s/09_layer_norm show %s/image.pgm --weights tests/data/steps/09_layer_norm/"
                    "weights.safetensors",
                    build_folder(), folder),
                2, "weights.safetensors|trained on", "weights that do not say of what");
    run_well("cat %s/image.pgm %s/image.pgm > %s/two.pgm", folder, folder, folder);
    Result two = run("%s/09_layer_norm show %s/two.pgm --weights %s --layer head.3 --format tsv",
                     build_folder(), folder, weights);
    cr_expect(strstr(two.err, "two.pgm: more follows its first image"), "%s", two.err);
    cr_expect_str_eq(two.out, one);
    result_free(&two);
    free(one);
}
