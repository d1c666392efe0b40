#define _GNU_SOURCE /* realpath */
/* classify: a trained network names the images of its test set as evaluate says it does, and what
 * cannot be is refused with its name. */
#include "base/memory.h"
#include "data/imagenet.h"
#include "data/preprocess.h"
#include "data/shapes.h"
#include "io/pnm.h"
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP "09_layer_norm"
#define TINY "--stem 8 --widths 8,16,24,32 --depths 1,1,1,1"
/* The same for ImageNet's classes: without --preset small it has 3x224x224 and 1000 of them. */
#define LARGE "--stem 4 --widths 4,8,12,16 --depths 1,1,1,1"
enum { FAILED = 1, USAGE = 2, CLASSES = SHAPES_CLASSES, IMAGES = 120 };

/* An empty folder, in which the commands run, and the program. */
static char *folder, *program;

static void setup(void)
{
    char *build = realpath(build_folder(), NULL);
    cr_assert(build, "no %s", build_folder());
    program = str_format("%s/" STEP, build);
    folder = folder_new();
    free(build);
}

static void teardown(void)
{
    folder_remove(folder);
    free(program);
}

TestSuite(classify, .init = setup, .fini = teardown);

/* --- helpers --------------------------------------------------------------------------------- */

#define CALL(...) run_in(folder, program, " " __VA_ARGS__)

/* What the program prints, given these words; it must succeed. */
#define prints(...) printed(CALL(__VA_ARGS__), #__VA_ARGS__)
static char *printed(Result r, const char *what)
{
    cr_assert_eq(r.status, 0, "%s: status %d: %s", what, r.status, r.err);
    cr_expect_str_empty(r.err, "%s: %s", what, r.err);
    free(r.err);
    return r.out;
}

/* The program must end with that status, print nothing, and name what is wrong. */
#define fails(status, named, ...)                                                                  \
    expect_line(CALL(__VA_ARGS__), status, STEP ": |" named, #__VA_ARGS__)

/* The program names what it can and ends with status 1 and `lines` on stderr, one of which has what
 * is wrong; gives what it prints. */
#define names_the_rest(lines, named, ...) expect_rest(CALL(__VA_ARGS__), lines, named, #__VA_ARGS__)
static char *expect_rest(Result r, int lines, const char *named, const char *what)
{
    cr_expect_eq(r.status, FAILED, "%s: status %d: %s", what, r.status, r.err);
    for (const char *at = r.err; (at = strchr(at, '\n')); at++)
        lines--;
    cr_expect_eq(lines, 0, "%s: %d lines too few: %s", what, lines, r.err);
    cr_expect(strstr(r.err, named), "%s: '%s' is not named: %s", what, named, r.err);
    free(r.err);
    return r.out;
}

static void put(const char *name, const void *bytes, size_t size)
{
    char *path = str_format("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", path);
    free(path);
}
#define PUT(name, text) put(name, text, sizeof text - 1)

/* Image i of the test set of shapes, as 000.pgm, 001.pgm, …; returns its class. */
static int put_shape(int i)
{
    unsigned char file[16 + SHAPES_SIDE * SHAPES_SIDE] = "P5 28 28    255\n";
    int class = shapes_draw(1, (uint32_t)i, file + 16);
    char *name = str_format("%03d.pgm", i);
    put(name, file, sizeof file);
    free(name);
    return class;
}

/* The file of weights `from` as `to`, its metadata replaced, or its first value made a NaN. */
static void copy_weights(const char *from, const char *to, const Metadata *metadata, size_t count,
                         bool broken)
{
    char *source = str_format("%s/%s", folder, from), *target = str_format("%s/%s", folder, to);
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(source, &file, &error), "%s", error.text);
    if (broken)
        memset((void *)file.entries[0].data, 0xff, sizeof(float));
    cr_assert(safetensors_write(target, file.entries, file.count, metadata, count, &error), "%s",
              error.text);
    safetensors_free(&file);
    free(source);
    free(target);
}

static void expect_same(char *a, char *b)
{
    cr_expect_str_eq(a, b);
    free(a);
    free(b);
}

/* Fresh weights of a network that say they are of shapes, as "weights", and the first images of
 * its test set.
 */
static void make_weights(const char *network, int images)
{
    Metadata shapes[] = { { "data", "shapes" }, { "mean", "0.5" }, { "std", "0.25" } };
    free(prints("init --preset small %s --output bare", network));
    copy_weights("bare", "weights", shapes, 3, false);
    for (int i = 0; i < images; i++)
        put_shape(i);
}

/* --- against evaluate ------------------------------------------------------------------------ */

/* What classify printed in TSV with all classes: for each image its classes in order, and the
 * probability of each class. */
typedef struct {
    int order[IMAGES][CLASSES];
    double probability[IMAGES][CLASSES];
} Named;

static Named *read_named(char *text)
{
    Named *n = mem_alloc(1, sizeof *n);
    char *fields[5];
    cr_assert_str_eq(next_line(&text), "file\trank\tprobability\tindex\tname");
    for (int i = 0; i < IMAGES * CLASSES; i++) {
        char *line = next_line(&text), file[16];
        int image = i / CLASSES, rank = i % CLASSES;
        cr_assert(line && split(line, fields, 5) == 5);
        snprintf(file, sizeof file, "%03d.pgm", image);
        cr_assert_str_eq(fields[0], file);
        cr_assert_eq(atoi(fields[1]), rank + 1);
        int class = atoi(fields[3]);
        cr_assert(class >= 0 && class < CLASSES);
        cr_assert_str_eq(fields[4], shapes_names[class]);
        n->order[image][rank] = class;
        n->probability[image][class] = atof(fields[2]);
    }
    cr_assert_null(next_line(&text));
    return n;
}

/* The numbers of evaluate's confusion matrix must be those of what was named. */
static void expect_confusion(char *evaluated, const int truth[IMAGES], const Named *named)
{
    int wanted[CLASSES][CLASSES] = { 0 };
    for (int i = 0; i < IMAGES; i++)
        wanted[truth[i]][named->order[i][0]]++;
    for (int line = 0; line < 5; line++)
        cr_assert(next_line(&evaluated));
    for (int i = 0; i < CLASSES; i++) {
        char *at = next_line(&evaluated);
        cr_assert(at && strlen(at) > 16);
        at += 16;
        for (int j = 0; j < CLASSES; j++)
            cr_expect_eq(strtol(at, &at, 10), wanted[i][j], "class %d named %d", i, j);
    }
}

Test(classify, names_a_test_set_as_evaluate_does)
{
    int truth[IMAGES], best = 0, five = 0;
    double loss = 0, top1, top5, mean;
    free(prints("train --data shapes " TINY " --epochs 2 --limit 2500 --batch-size 32 --lr 4e-3 "
                "--out run"));
    for (int i = 0; i < IMAGES; i++)
        truth[i] = put_shape(i);
    char *evaluated =
        prints("evaluate --data shapes --weights run/best.safetensors " TINY " --limit %d", IMAGES);
    char *text =
        prints("classify *.pgm --weights run/best.safetensors " TINY " --top 10 --format tsv");
    Named *named = read_named(text);
    for (int i = 0; i < IMAGES; i++) {
        loss -= log(named->probability[i][truth[i]]);
        for (int rank = 0; rank < 5; rank++)
            five += named->order[i][rank] == truth[i];
        best += named->order[i][0] == truth[i];
    }
    cr_assert_eq(sscanf(strstr(evaluated, "top-1"), "top-1 %lf%%, top-5 %lf%%, loss %lf", &top1,
                        &top5, &mean),
                 3);
    cr_expect_float_eq(top1, 100.0 * best / IMAGES, 0.006);
    cr_expect_float_eq(top5, 100.0 * five / IMAGES, 0.006);
    cr_expect_float_eq(mean, loss / IMAGES, 1e-3);
    cr_expect(best > 20, "only %d named right: was anything learnt?", best);
    expect_confusion(evaluated, truth, named);
    /* The trainer's metadata are what the data set says of itself. */
    copy_weights("run/best.safetensors", "bare", NULL, 0, false);
    expect_same(prints("classify 0*.pgm " TINY " --weights run/best.safetensors"),
                prints("classify 0*.pgm " TINY " --weights bare --data shapes"));
    free(named);
    free(evaluated);
    free(text);
}

/* --- against forward ------------------------------------------------------------------------- */

/* An image's input for the published preprocessing as a batch: [1,3,224,224]. */
static void put_batch(const char *image, const char *batch)
{
    char *from = str_format("%s/%s", folder, image), *to = str_format("%s/%s", folder, batch);
    const size_t points = (size_t)224 * 224, shape[4] = { 1, 3, 224, 224 };
    float *x = mem_alloc(points * 3, sizeof *x), *planes = mem_alloc(points * 3, sizeof *x);
    Preprocess p = preprocess_imagenet(224, 224);
    ImageFile file;
    Image read;
    Error error;
    cr_assert(image_open(from, &file, &error) && image_next(&file, &read, &error), "%s",
              error.text);
    image_close(&file);
    preprocess_image(&p, &read, x);
    for (size_t i = 0; i < points * 3; i++)
        planes[i % 3 * points + i / 3] = x[i];
    Entry entry = { .key = "x", .dtype = "F32", .rank = 4, .data = planes };
    memcpy(entry.shape, shape, sizeof shape);
    entry.bytes = points * 3 * sizeof *x;
    cr_assert(safetensors_write(to, &entry, 1, NULL, 0, &error), "%s", error.text);
    preprocess_free(&p);
    image_free(&read);
    free(x);
    free(planes);
    free(from);
    free(to);
}

static float *read_logits(const char *name, size_t count)
{
    char *path = str_format("%s/%s", folder, name);
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(path, &file, &error), "%s", error.text);
    float *logits = mem_alloc(count, sizeof *logits);
    const Entry *e = safetensors_find(&file, "logits");
    cr_assert(e && entry_elements(e) == count && entry_floats(&file, e, logits, &error));
    safetensors_free(&file);
    free(path);
    return logits;
}

/* Weights alone, with ImageNet's shape: its preprocessing, its names, the softmax of its logits. */
Test(classify, imagenet_without_being_told)
{
    char colours[3 * 60 * 40 + 15] = "P6 60 40   255\n", *fields[5];
    for (int i = 0; i < 3 * 60 * 40; i++)
        colours[15 + i] = (char)(i * i / 7 + i % 3 * 50);
    put("image.ppm", colours, sizeof colours);
    put_batch("image.ppm", "batch");
    free(prints("init " LARGE " --output weights"));
    free(prints("forward " LARGE " --weights weights --batch batch --output logits"));
    char *text = prints("classify image.ppm --weights weights " LARGE " --format tsv --top 1000");
    float *logits = read_logits("logits", IMAGENET_CLASSES);
    double sum = 0, before = 1;
    for (int i = 0; i < IMAGENET_CLASSES; i++)
        sum += exp((double)logits[i]);
    char *at = text;
    next_line(&at);
    for (int i = 0; i < IMAGENET_CLASSES; i++) {
        cr_assert_eq(split(next_line(&at), fields, 5), 5);
        double probability = atof(fields[2]);
        int class = atoi(fields[3]);
        cr_expect_float_eq(probability, exp((double)logits[class]) / sum, 2e-6);
        cr_expect(probability <= before);
        cr_expect_str_eq(fields[4], imagenet_names[class]);
        before = probability;
    }
    cr_expect_null(next_line(&at));
    free(logits);
    free(text);
}

/* Other classes need other names. */
Test(classify, fine_tuned_from_imagenet)
{
    PUT("image.ppm", "P6 2 1 255\nabcdef");
    PUT("names", "cat\ndog\nfish\n");
    free(prints("init " LARGE " --classes 3 --output weights"));
    char *text =
        prints("classify image.ppm --weights weights " LARGE " --classes 3 --labels names");
    cr_expect(strstr(text, "cat\n") && strstr(text, "dog\n") && strstr(text, "fish\n"), "%s", text);
    fails(USAGE, "--labels: wanted: weights does not say what its 3 classes are called",
          "classify image.ppm --weights weights " LARGE " --classes 3");
    free(text);
}

/* cksum's sum of the file in which torchvision has them, a name per line. */
Test(classify, imagenets_names)
{
    char text[10488 + 1];
    int length = 0;
    for (int i = 0; i < IMAGENET_CLASSES && length < (int)sizeof text; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s\n", imagenet_names[i]);
    cr_assert_eq(length, sizeof text - 1);
    put("names", text, sizeof text - 1);
    Result sum = run("cksum < '%s/names'", folder);
    cr_expect_str_eq(sum.out, "1399526957 10488\n");
    result_free(&sum);
}

/* --- how it is called ------------------------------------------------------------------------ */

#define CLASSIFY "classify " TINY " --weights weights "

/* Batches, threads and standard input change nothing. */
Test(classify, the_same_however_it_is_called)
{
    make_weights(TINY, 11);
    for (int i = 1; i < 5; i++)
        expect_same(prints(CLASSIFY "*.pgm"), prints(CLASSIFY "*.pgm --batch-size %d", i));
    expect_same(prints(CLASSIFY "*.pgm"), prints(CLASSIFY "*.pgm --threads 1"));
    expect_same(prints(CLASSIFY "007.pgm"), prints(CLASSIFY "- < 007.pgm"));
}

Test(classify, prints_a_table_per_image)
{
    make_weights(TINY, 1);
    char *one = prints(CLASSIFY "000.pgm"), *at = one, name[32];
    double sum = 0, percent;
    for (int i = 0; i < 5; i++) {
        char *line = next_line(&at);
        int class = 0;
        cr_assert(line && sscanf(line, "%lf %% %d %31[^\n]", &percent, &class, name) == 3);
        cr_assert(line[6] == '%' && class >= 0 && class < CLASSES);
        cr_expect_str_eq(name, shapes_names[class]);
        sum += percent;
    }
    cr_expect_null(next_line(&at));
    cr_expect(sum > 50 && sum < 100.03);
    free(one);
    one = prints(CLASSIFY "000.pgm --top 2");
    char *two = prints(CLASSIFY "000.pgm - --top 2 < 000.pgm");
    expect_same(str_format("000.pgm\n%sstandard input\n%s", one, one), two);
    free(one);
}

/* Weights that say nothing need --data; it stands above what others say. */
Test(classify, the_data_set_is_told_or_given)
{
    Metadata other[] = { { "data", "mnist" } }, half[] = { { "data", "shapes" } };
    make_weights(TINY, 1);
    copy_weights("bare", "other", other, 1, false);
    copy_weights("bare", "half", half, 1, false);
    fails(USAGE, "--data", "classify 000.pgm --weights bare");
    fails(USAGE, "--data", "classify 000.pgm --preset small " TINY " --weights bare");
    fails(FAILED, "other: its metadata 'data': mnist", "classify 000.pgm " TINY " --weights other");
    fails(FAILED, "half: its metadata 'mean'", "classify 000.pgm " TINY " --weights half");
    fails(USAGE, "other: was trained on mnist, --data says shapes",
          "classify 000.pgm " TINY " --weights other --data shapes");
}

Test(classify, labels_of_ones_own)
{
    make_weights(TINY, 1);
    PUT("ten", "a\nb b\nc\r\nd\ne\nf\ng\nh\ni\nj");
    PUT("marked", "\xEF\xBB\xBF"
                  "a\nb b\nc\nd\ne\nf\ng\nh\ni\nj\n\r\n\n");
    PUT("nine", "a\nb\nc\nd\ne\nf\ng\nh\ni\n");
    PUT("eleven", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n");
    PUT("hole", "a\nb\n\nd\ne\nf\ng\nh\ni\nj\n");
    PUT("zero", "a\nb\nc\nd\ne\nf\ng\nh\ni\n\0\n");
    PUT("empty", "");
    const char *const names[] = { "a", "b b", "c", "d", "e", "f", "g", "h", "i", "j" };
    char *text = prints(CLASSIFY "000.pgm --labels ten --format tsv --top 10"), *at = text;
    char *fields[5];
    next_line(&at);
    for (int i = 0; i < CLASSES; i++) {
        cr_assert_eq(split(next_line(&at), fields, 5), 5);
        cr_expect_str_eq(fields[4], names[atoi(fields[3])]);
    }
    free(text);
    /* A mark of UTF-8 at the beginning and empty lines at the end are no names. */
    expect_same(prints(CLASSIFY "000.pgm --labels ten"),
                prints(CLASSIFY "000.pgm --labels marked"));
    fails(FAILED, "nine: has 9 lines for 10 classes", CLASSIFY "000.pgm --labels nine");
    fails(FAILED, "eleven: has 11 lines", CLASSIFY "000.pgm --labels eleven");
    fails(FAILED, "hole: line 3 is empty", CLASSIFY "000.pgm --labels hole");
    fails(FAILED, "zero: is not text", CLASSIFY "000.pgm --labels zero");
    fails(FAILED, "empty: has 0 lines", CLASSIFY "000.pgm --labels empty");
    fails(FAILED, "none", CLASSIFY "000.pgm --labels none");
}

/* --- what goes wrong ------------------------------------------------------------------------- */

Test(classify, wrong_calls)
{
    PUT("weights", "");
    fails(USAGE, "--weights", "classify x.pgm");
    fails(USAGE, "one image", "classify --weights weights");
    fails(USAGE, "--format", "classify x.pgm --weights weights --format json");
    fails(USAGE, "--top", "classify x.pgm --weights weights --top 0");
    fails(USAGE, "--data", "classify x.pgm --weights weights --data imagenet");
    fails(USAGE, "-: standard input", "classify - - --weights weights");
    fails(USAGE, "--mode", "classify x.pgm --weights weights --mode eval");
}

Test(classify, images_that_are_none)
{
    make_weights(TINY, 1);
    PUT("text.pgm", "no image at all");
    PUT("empty.pgm", "");
    PUT("short.ppm", "P6 2 2 255\n12345678901");
    PUT("flat.pgm", "P5 28 0 255\n");
    PUT("huge.pgm", "P5 32769 1 255\n");
    PUT("lies.ppm", "P6 32768 32768 65535\n");
    PUT("x.png", "\x89PNG\r\n\x1a\n");
    PUT("behind.pgm", "P5 1 1 255\naText");
    fails(FAILED, "text.pgm: not a PNM", CLASSIFY "text.pgm");
    fails(FAILED, "empty.pgm: is empty", CLASSIFY "empty.pgm");
    fails(FAILED, "x.png: a PNG; anytopnm makes a PNM of it: anytopnm x.png | … classify -",
          CLASSIFY "x.png");
    fails(FAILED, "short.ppm: cut short", CLASSIFY "short.ppm");
    fails(FAILED, "flat.pgm: the height is 0", CLASSIFY "flat.pgm");
    fails(FAILED, "huge.pgm: the width is above", CLASSIFY "huge.pgm");
    fails(FAILED, "lies.ppm: cut short", CLASSIFY "lies.ppm");
    fails(FAILED, "none.pgm", CLASSIFY "none.pgm");
    fails(FAILED, "standard input: is empty", CLASSIFY "-");
    fails(FAILED, ".: cannot read it: it is a folder", CLASSIFY ".");
}

/* Each bad image is a line, wherever it stands among others and however many there are at a time.
 */
Test(classify, one_bad_image_does_not_hide_the_others)
{
    make_weights(TINY, 4);
    PUT("text.ppm", "no image at all");
    PUT("half.ppm", "P5 28 28 255\n");
    const char *line =
        CLASSIFY "text.ppm 000.pgm none 001.pgm 002.pgm half.ppm . 003.pgm --format tsv "
                 "--batch-size";
    for (int i = 1; i < 9; i++)
        expect_same(prints(CLASSIFY "*.pgm --format tsv"),
                    names_the_rest(4, "half.ppm: cut short", "%s %d", line, i));
    free(names_the_rest(2, "none: cannot open it", CLASSIFY "none text.ppm"));
}

/* Weights that are too large for what is bright, and whose output for a black image is the bias.
 */
static void make_overflowing(void)
{
    Metadata shapes[] = { { "data", "shapes" }, { "mean", "0" }, { "std", "1" } };
    char *path = str_format("%s/weights", folder);
    Safetensors file = tensors_in("%s", path);
    const Entry *stem = safetensors_find(&file, "encoder.stem.0.weight");
    Error error;
    cr_assert(stem && strcmp(stem->dtype, "F32") == 0);
    float *values = mem_alloc(entry_elements(stem), sizeof *values);
    for (size_t i = 0; i < entry_elements(stem); i++)
        values[i] = 3e38f;
    ((Entry *)stem)->data = values;
    cr_assert(safetensors_write(path, file.entries, file.count, shapes, 3, &error));
    safetensors_free(&file);
    free(values);
    free(path);
}

Test(classify, one_image_without_numbers_does_not_hide_the_others)
{
    make_weights(TINY, 0);
    make_overflowing();
    run_well(
        "cd '%s' && for i in a c; do { printf 'P5 28 28 255\n'; head -c 784 /dev/zero; } > $i.pgm; "
        "done && { printf 'P5 28 28 255\n'; head -c 784 /dev/zero | tr '\\0' '\\377'; } > b.pgm",
        folder);
    for (int i = 1; i < 4; i++)
        expect_same(prints(CLASSIFY "a.pgm c.pgm --format tsv"),
                    names_the_rest(1, "weights: gives no numbers for b.pgm",
                                   CLASSIFY "a.pgm b.pgm c.pgm --format tsv --batch-size %d", i));
}

/* --- several in a file ------------------------------------------------------------------------ */

Test(classify, every_image_of_a_file)
{
    make_weights(TINY, 3);
    run_well(
        "cd '%s' && { cat 000.pgm; echo; cat 001.pgm 002.pgm; printf '\n\032'; } > all.pnm && "
        "{ cat 000.pgm 001.pgm; head -c 100 002.pgm; } > cut.pnm && "
        "for i in 0 1 2; do cp 00$i.pgm all.pnm#$((i + 1)); cp 00$i.pgm ./-#$((i + 1)); done && "
        "{ cat 000.pgm; echo; } > line.pgm",
        folder);
    expect_same(prints(CLASSIFY "all.pnm --format tsv"), prints(CLASSIFY "all.pnm#? --format tsv"));
    expect_same(prints(CLASSIFY "all.pnm"), prints(CLASSIFY "all.pnm#?"));
    expect_same(prints(CLASSIFY "all.pnm --batch-size 2"), prints(CLASSIFY "all.pnm#?"));
    expect_same(prints(CLASSIFY "- --format tsv < all.pnm"),
                prints(CLASSIFY "--format tsv -- -#?"));
    expect_same(prints(CLASSIFY "line.pgm"), prints(CLASSIFY "000.pgm"));
    char *wanted = prints(CLASSIFY "000.pgm 001.pgm --format tsv --top 1"), *text, *at, *fields[5];
    text = names_the_rest(1, "cut.pnm#3: cut short", CLASSIFY "cut.pnm --format tsv --top 1");
    at = text;
    next_line(&at);
    for (int i = 1; i <= 2; i++) {
        char *name = str_format("cut.pnm#%d", i);
        cr_assert_eq(split(next_line(&at), fields, 5), 5);
        cr_expect_str_eq(fields[0], name);
        cr_expect(strstr(wanted, fields[4]));
        free(name);
    }
    cr_expect_null(next_line(&at));
    free(text);
    free(wanted);
}

/* --- names in results ------------------------------------------------------------------------- */

Test(classify, tsv_escapes_names)
{
    make_weights(TINY, 1);
    run_well("cd '%s' && cp 000.pgm \"$(printf 'a\\tb\\nc\\rd\\\\e.pgm')\" && "
             "printf 't\\tt\\n\\\\\\\\\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n10\\n' > names",
             folder);
    char *text = prints(CLASSIFY "a*.pgm --labels names --top 10 --format tsv"), *at = text, *line;
    char *fields[6];
    int rows = 0;
    next_line(&at);
    for (; (line = next_line(&at)); rows++) {
        cr_assert_eq(split(line, fields, 6), 5);
        cr_expect_str_eq(fields[0], "a\\tb\\nc\\rd\\\\e.pgm");
        if (atoi(fields[3]) < 2)
            cr_expect_str_eq(fields[4], atoi(fields[3]) ? "\\\\\\\\" : "t\\tt");
    }
    cr_expect_eq(rows, 10);
    free(text);
}

Test(classify, weights_that_do_not_fit)
{
    make_weights(TINY, 1);
    fails(FAILED, "weights: does not fit", "classify 000.pgm --weights weights --stem 9");
    fails(USAGE, "--classes", CLASSIFY "000.pgm --classes 11");
    fails(USAGE, "--input", CLASSIFY "000.pgm --input 3x64x64");
    fails(USAGE, "--input: 20x20, but the images of shapes are 28x28",
          CLASSIFY "000.pgm --data shapes --input 1x20x20");
    fails(FAILED, "000.pgm", "classify 000.pgm --weights 000.pgm " TINY);
    Metadata shapes[] = { { "data", "shapes" }, { "mean", "0.5" }, { "std", "0.25" } };
    copy_weights("bare", "broken", shapes, 3, true);
    fails(FAILED, "broken: gives no numbers for 000.pgm",
          "classify 000.pgm --weights broken " TINY);
}

/* --- the README ------------------------------------------------------------------------------ */

/* What the README's commands find: images, weights, the programs, and an anytopnm that gives an
 * image as it is. Where step 12 is not there, step 00 stands for it. */
static void furnish(void)
{
    char *build = realpath(build_folder(), NULL);
    make_weights("", 0);
    run_well("cd '%s' && mkdir -p bin build runs results/weights && cp weights "
             "results/weights/09_layer_norm.safetensors && printf 'P5 2 2 255 abcd' > "
             "runs/image.pgm && printf 'P6 2 1 255 abcdef' > cat.jpg && "
             "printf '#!/bin/sh\\ncat \"$1\"\\n' > bin/anytopnm && chmod +x bin/anytopnm",
             folder);
    run_well("cd '%s/build' && ln -s '%s'/[0-9][0-9]_* . && "
             "{ test -e 12_official_convnext || ln -s 00_resnet 12_official_convnext; } && "
             "./12_official_convnext init --output ../model.safetensors",
             folder, build);
    free(build);
}

/* The README's part under that title, without its own title. */
static char *readme_part(const char *title)
{
    char *text = contents("README.md"), *start = strstr(text, title);
    cr_assert(start, "no '%s'", title);
    char *part = str_format("%s", start + strlen(title)), *end = strstr(part, "\n## ");
    if (end)
        *end = 0;
    free(text);
    return part;
}

Test(classify, commands_of_the_readme)
{
    char *text = readme_part("\n## Classify images\n"), *at = text, *line;
    bool fenced = false, shell = false;
    int commands = 0;
    furnish();
    while ((line = next_line(&at))) {
        if (strncmp(line, "```", 3) == 0) {
            fenced = !fenced;
            shell = fenced && !line[3];
            continue;
        }
        if (!shell)
            continue;
        Result r = run("cd '%s' && PATH=\"$PWD/bin:$PATH\" && %s", folder, line);
        cr_expect_eq(r.status, 0, "%s: status %d: %s", line, r.status, r.err);
        cr_expect(strchr(r.out, '\n'), "%s: prints nothing", line);
        result_free(&r);
        commands++;
    }
    cr_expect_eq(commands, 3);
    free(text);
}
