/* ConvNeXt as published: its sizes, its four namings against the files that hold one network under
 * each, and what is said of a file that does not fit. */
#include "base/memory.h"
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP "12_official_convnext"
#define FILES "tests/data/official/"
#define NETWORK "--widths 4,8,16,32 --depths 1,1,2,1 --classes 10"

static const char *const schemes[] = { "official", "timm", "torchvision", "transformers" };
enum { SCHEMES = sizeof schemes / sizeof *schemes };

static Safetensors reference(const char *scheme)
{
    return tensors_in(FILES "%s.safetensors", scheme);
}

/* The logits of the reference's images with weights from that file, in a file of that name. */
static void forward(const char *weights, const char *output)
{
    run_well("%s/" STEP " forward " NETWORK " --weights '%s' --batch " FILES "case.safetensors "
             "--output '%s'",
             build_folder(), weights, output);
}

static void expect_logits(const char *path)
{
    Safetensors ours = tensors_in("%s", path), theirs = tensors_in(FILES "case.safetensors");
    size_t n, m;
    float *a = floats_in(&ours, "logits", &n), *b = floats_in(&theirs, "logits", &m);
    double off = 0, norm = 0;
    cr_assert(n == m && n == 20);
    for (size_t i = 0; i < n; i++) {
        off += pow((double)a[i] - b[i], 2);
        norm += pow(b[i], 2);
    }
    cr_expect(sqrt(off / norm) < 1e-5, "%s: relative error %g", path, sqrt(off / norm));
    free(a);
    free(b);
    safetensors_free(&ours);
    safetensors_free(&theirs);
}

Test(schemes, give_the_same_logits)
{
    char *folder = folder_new(), *out = str_format("%s/out", folder);
    for (int s = 0; s < SCHEMES; s++) {
        char *weights = str_format(FILES "%s.safetensors", schemes[s]);
        forward(weights, out);
        expect_logits(out);
        free(weights);
    }
    free(out);
    folder_remove(folder);
}

/* A file with the same keys, shapes and values, in whatever order. */
static void expect_same_tensors(const char *path, const char *scheme)
{
    Safetensors ours = tensors_in("%s", path), theirs = reference(scheme);
    cr_expect_eq(ours.count, theirs.count);
    for (size_t i = 0; i < theirs.count; i++) {
        const Entry *want = &theirs.entries[i], *have = safetensors_find(&ours, want->key);
        cr_assert(have, "%s: no %s", scheme, want->key);
        cr_expect_eq(have->rank, want->rank, "%s: %s has another rank", scheme, want->key);
        for (int d = 0; d < want->rank; d++)
            cr_expect_eq(have->shape[d], want->shape[d], "%s: %s", scheme, want->key);
        cr_expect_eq(memcmp(have->data, want->data, want->bytes), 0, "%s: %s", scheme, want->key);
    }
    safetensors_free(&ours);
    safetensors_free(&theirs);
}

Test(schemes, are_exported_from_each_other)
{
    char *folder = folder_new(), *out = str_format("%s/out", folder);
    for (int from = 0; from < SCHEMES; from++)
        for (int to = 0; to < SCHEMES; to++) {
            run_well("%s/" STEP " export " NETWORK " --weights " FILES "%s.safetensors --scheme %s "
                     "--output '%s'",
                     build_folder(), schemes[from], schemes[to], out);
            expect_same_tensors(out, schemes[to]);
        }
    free(out);
    folder_remove(folder);
}

/* Each line a key and a shape; the same as the file's, whatever the order. */
Test(schemes, have_the_keys_and_shapes_of_the_files)
{
    for (int s = 0; s < SCHEMES; s++) {
        Safetensors file = reference(schemes[s]);
        Result r = run("%s/" STEP " keys " NETWORK " --scheme %s", build_folder(), schemes[s]);
        char *text = r.out, *fields[2];
        size_t lines = 0;
        for (char *line; (line = next_line(&text)); lines++) {
            cr_assert_eq(split(line, fields, 2), 2);
            const Entry *entry = safetensors_find(&file, fields[0]);
            cr_assert(entry, "%s: %s is not in the file", schemes[s], fields[0]);
            for (int d = 0; d < entry->rank; d++) {
                char *end;
                cr_expect_eq(strtoull(fields[1], &end, 10), entry->shape[d], "%s", fields[0]);
                cr_expect_eq(*end, d < entry->rank - 1 ? 'x' : 0, "%s", fields[0]);
                fields[1] = end + 1;
            }
        }
        cr_expect_eq(lines, file.count);
        result_free(&r);
        safetensors_free(&file);
    }
}

/* torchvision's own convnext_tiny().state_dict(); the official order is among the steps' keys. */
Test(schemes, keep_the_order_of_torchvision)
{
    char *want = contents("tests/data/keys/torchvision_convnext_tiny.tsv");
    Result r = run("%s/" STEP " keys --scheme torchvision", build_folder());
    cr_expect(strcmp(r.out, want) == 0);
    result_free(&r);
    free(want);
}

/* The same weights, the linear layers' as 1x1 convolutions. */
Test(schemes, may_have_convolutions_for_linear_layers)
{
    char *folder = folder_new(), *weights = str_format("%s/weights", folder);
    char *out = str_format("%s/out", folder);
    Safetensors file = reference("timm");
    Error error;
    for (size_t i = 0; i < file.count; i++)
        if (strstr(file.entries[i].key, "fc") && file.entries[i].rank == 2) {
            file.entries[i].rank = 4;
            file.entries[i].shape[2] = file.entries[i].shape[3] = 1;
        }
    cr_assert(safetensors_write(weights, file.entries, file.count, NULL, 0, &error), "%s",
              error.text);
    forward(weights, out);
    expect_logits(out);
    safetensors_free(&file);
    free(weights);
    free(out);
    folder_remove(folder);
}

/* --- sizes ----------------------------------------------------------------------------------- */

Test(published, sizes_are_those_of_the_paper)
{
    static const struct {
        const char *name;
        unsigned long long parameters;
    } sizes[] = { { "tiny", 28589128 },
                  { "small", 50223688 },
                  { "base", 88591464 },
                  { "large", 197767336 },
                  { "xlarge", 350196968 } };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        Result r = run("%s/" STEP " report --format tsv --variant %s | tail -n 1", build_folder(),
                       sizes[i].name);
        char *fields[5] = { 0 }, *text = r.out;
        cr_assert_eq(split(next_line(&text), fields, 5), 5);
        cr_expect_str_eq(fields[2], "1x1000");
        cr_expect_eq(strtoull(fields[3], NULL, 10), sizes[i].parameters, "%s: %s", sizes[i].name,
                     fields[3]);
        if (i == 0)
            cr_expect_str_eq(fields[4], "4455531264");
        result_free(&r);
    }
}

Test(published, small_is_narrow)
{
    Result r = run("%s/" STEP " keys --preset small", build_folder());
    cr_expect(strstr(r.out, "downsample_layers.0.0.weight\t24x1x4x4\n"), "%s", r.out);
    cr_expect(strstr(r.out, "stages.2.2.dwconv.weight\t96x1x7x7\n") &&
              !strstr(r.out, "stages.2.3.") && !strstr(r.out, "stages.1.1."));
    cr_expect(strstr(r.out, "head.weight\t10x192\n"));
    result_free(&r);
}

/* A normal distribution of 0.02, biases 0, norms 1 and 0, layer scale 1e-6. */
Test(published, first_weights_are_the_authors)
{
    char *folder = folder_new(), *path = str_format("%s/weights", folder);
    run_well("%s/" STEP " init --preset small --seed 7 --output '%s'", build_folder(), path);
    Safetensors file = tensors_in("%s", path);
    double sum = 0, square = 0, drawn = 0;
    for (size_t i = 0; i < file.count; i++) {
        const char *key = file.entries[i].key;
        size_t n;
        float *x = floats_in(&file, key, &n), want = strstr(key, "gamma")   ? 1e-6f
                                                     : strstr(key, ".bias") ? 0
                                                                            : 1;
        for (size_t k = 0; k < n; k++)
            if (file.entries[i].rank > 1) {
                sum += x[k];
                square += (double)x[k] * x[k];
                drawn++;
            } else {
                cr_expect_eq(x[k], want, "%s: %g", key, (double)x[k]);
            }
        free(x);
    }
    cr_expect(fabs(sqrt(square / drawn) - 0.02) < 1e-4, "%g", sqrt(square / drawn));
    cr_expect(fabs(sum / drawn) < 2e-4, "%g", sum / drawn);
    safetensors_free(&file);
    free(path);
    folder_remove(folder);
}

/* --- what does not fit ----------------------------------------------------------------------- */

/* The step called so ends with that status and one line that has all these words in it. */
static void fails(int status, const char *step, const char *words, const char *const said[])
{
    Result r = run("%s/%s %s", build_folder(), step, words);
    cr_expect_eq(r.status, status, "%s: status %d: %s", words, r.status, r.err);
    for (; *said; said++)
        cr_expect(strstr(r.err, *said), "%s: '%s' is not said: %s", words, *said, r.err);
    cr_expect_eq(strchr(r.err, '\n'), r.err + strlen(r.err) - 1, "not one line: %s", r.err);
    result_free(&r);
}

#define SAID(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define WITH(network, weights)                                                                     \
    "forward " network " --weights " weights " --batch " FILES "case.safetensors --output "        \
    "/dev/null"

Test(schemes, say_which_network_a_file_holds)
{
    char *folder = folder_new();
    run_well("%s/" STEP " init --variant small --widths 4,8,16,32 --scheme transformers --output "
             "'%s/deep'",
             build_folder(), folder);
    char *words = str_format(WITH(NETWORK, "'%s/deep'"), folder);
    fails(2, STEP, words,
          SAID("/deep: ", "has weights of " STEP " --depths 3,3,27,3 --classes 1000 ",
               "not of " STEP " --depths 1,1,2,1 --classes 10 "));
    free(words);
    /* Others' files say nothing of their network: it is seen by their shapes. */
    char *deep = str_format("%s/deep", folder), *bare = str_format("%s/bare", folder);
    copy_tensors(deep, bare, NULL, 0);
    words = str_format(WITH(NETWORK, "'%s'"), bare);
    fails(1, STEP, words,
          SAID("/bare: ", "depths 3,3,27,3 and 1000 classes", "depths 1,1,2,1 and 10 classes",
               "unexpected convnext.encoder.stages.0.layers.1."));
    free(words);
    free(deep);
    free(bare);
    fails(1, STEP, WITH("", FILES "torchvision.safetensors"),
          SAID("widths 4,8,16,32", "widths 96,192,384,768",
               "features.0.0.weight (4x3x4x4, not 96x3x4x4)"));
    folder_remove(folder);
}

/* A file with just what tells the size of a network: ConvNeXt-S's. */
static void write_small(const char *path)
{
    static const struct {
        char *key;
        size_t size;
    } tensors[] = { { "downsample_layers.0.0.weight", 96 },
                    { "downsample_layers.1.1.weight", 192 },
                    { "downsample_layers.2.1.weight", 384 },
                    { "downsample_layers.3.1.weight", 768 },
                    { "stages.0.2.gamma", 96 },
                    { "stages.1.2.gamma", 192 },
                    { "stages.2.26.gamma", 384 },
                    { "stages.3.2.gamma", 768 },
                    { "head.weight", 1000 } };
    enum { COUNT = sizeof tensors / sizeof *tensors };
    static const float zeros[1000];
    Entry entries[COUNT] = { { 0 } };
    for (size_t i = 0; i < COUNT; i++)
        entries[i] = (Entry){ .key = tensors[i].key,
                              .dtype = "F32",
                              .rank = 1,
                              .shape = { tensors[i].size },
                              .data = zeros,
                              .bytes = tensors[i].size * sizeof *zeros };
    cr_assert(safetensors_write(path, entries, COUNT, NULL, 0, NULL));
}

Test(schemes, name_the_variant_that_would_fit)
{
    char *folder = folder_new(), *path = str_format("%s/s", folder);
    char *words = str_format(WITH("", "'%s'"), path);
    write_small(path);
    fails(1, STEP, words, SAID("depths 3,3,27,3", "--variant small", "depths 3,3,9,3"));
    free(words);
    free(path);
    folder_remove(folder);
}

Test(schemes, say_that_a_file_has_none)
{
    fails(1, STEP, WITH(NETWORK, "tests/data/steps/11_drop_path_layer_scale/weights.safetensors"),
          SAID("'encoder.stem.0.weight'", "(official)", "(timm)", "(torchvision)", "(transformers)",
               "missing downsample_layers.0.0.weight"));
    fails(1, "11_drop_path_layer_scale", WITH("--stem 4 " NETWORK, FILES "official.safetensors"),
          SAID("its keys are those of 12_official_convnext"));
}

Test(schemes, are_the_published_networks_alone)
{
    fails(2, "05_large_kernel", "keys --scheme timm", SAID("--scheme"));
    fails(2, "05_large_kernel", "init --scheme official --output /dev/null", SAID("--scheme"));
    fails(2, STEP, "keys --scheme hf", SAID("--scheme", "transformers"));
    fails(2, "05_large_kernel", "--variant tiny", SAID("--variant"));
    fails(2, STEP, "--preset paper", SAID("--preset", "--variant"));
    fails(2, STEP, "--preset small --variant tiny", SAID("--variant"));
}

/* A file cut short, of half floats, and with a key too few and one too many. */
Test(schemes, say_what_is_wrong_with_a_file)
{
    char *folder = folder_new(), *path = str_format("%s/file", folder);
    char *words = str_format(WITH(NETWORK, "'%s'"), path);
    Error error;
    run_well("head -c 20000 " FILES "timm.safetensors > '%s'", path);
    fails(1, STEP, words, SAID(path, "past the end"));
    Safetensors file = reference("timm");
    char *key = file.entries[4].key;
    file.entries[4].key = "stranger";
    cr_assert(safetensors_write(path, file.entries, file.count, NULL, 0, &error));
    char *missing = str_format("missing %s", key);
    fails(1, STEP, words, SAID(path, missing, "unexpected stranger"));
    file.entries[4].key = key;
    for (size_t i = 0; i < file.count; i++) {
        file.entries[i].dtype = "I16";
        file.entries[i].bytes /= 2;
    }
    cr_assert(safetensors_write(path, file.entries, file.count, NULL, 0, &error));
    fails(1, STEP, words, SAID(path, "stem.0.weight", "I16, not F32"));
    safetensors_free(&file);
    free(missing);
    free(words);
    free(path);
    folder_remove(folder);
}
