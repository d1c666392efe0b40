/* --data folder:PATH: which images are whose, how they are brought to size, what is said of folders
 * that are not as they should be, and the commands that take them. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "data/folder.h"
#include "data/imagenet.h"
#include "data/preprocess.h"
#include "data/shapes.h"
#include "io/pnm.h"
#include "run.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- folders --------------------------------------------------------------------------------- */

static uint8_t formula(int seed, int x, int y, int c)
{
    return (uint8_t)(seed * 41 + x * (3 + c) + y * 5 + (x / 4 + y / 3) % 2 * 90);
}

static Image drawn(int seed, int width, int height, int channels)
{
    Image image = { .width = width, .height = height, .channels = channels };
    image.pixels = mem_alloc((size_t)(width * height), (size_t)channels);
    uint8_t *to = image.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *to++ = formula(seed, x, y, c);
    return image;
}

/* Writes image `seed`; its path is written like printf's. */
__attribute__((format(printf, 5, 6))) static void put(int seed, int width, int height, int channels,
                                                      const char *format, ...)
{
    char path[256];
    Error error;
    va_list list;
    va_start(list, format);
    vsnprintf(path, sizeof path, format, list);
    va_end(list);
    Image image = drawn(seed, width, height, channels);
    cr_assert(pnm_write(path, width, height, channels, image.pixels, &error), "%s", error.text);
    image_free(&image);
}

/* A folder of three classes, `count` grey images each of about the size, and two to test with. */
static char *folder_of_three(int count, int width, int height)
{
    static const char *const classes[] = { "b\nird", "a cat", "Zebra" };
    char *folder = folder_new();
    for (int c = 0; c < 3; c++)
        for (int part = 0; part < 2; part++) {
            const char *name = part ? "test" : "train";
            run_well("mkdir -p '%s/%s/%s'", folder, name, classes[c]);
            for (int i = 0; i < (part ? 2 : count); i++)
                put(100 * c + 10 * part + i, width + i % 3, height, 1, "%s/%s/%s/i %02d\n.pgm",
                    folder, name, classes[c], i);
        }
    return folder;
}

static void open_folder(const char *folder, const DatasetWish *wish, Dataset *training,
                        Dataset *test)
{
    Error error;
    char *name = str_format("folder:%s", folder); /* of which the sets keep the address only */
    cr_assert(dataset_open_parts(name, wish, training, test, &error), "%s", error.text);
    free(name);
}

/* Its path from anywhere. */
static const char *program(void)
{
    static char path[PATH_MAX];
    char *from = str_format("%s/05_large_kernel", build_folder());
    cr_assert_not_null(realpath(from, path));
    free(from);
    return path;
}

static size_t image_size(const Dataset *data)
{
    return (size_t)data->channels * (size_t)data->height * (size_t)data->width;
}

/* --- which images ---------------------------------------------------------------------------- */

/* A folder of the set's images is that set. */
Test(folder, of_shapes_is_shapes)
{
    enum { COUNT = 200, TESTS = 30, INPUT = 64 };
    Dataset wanted[2], got[2];
    Error error;
    char *folder = folder_new();
    for (int part = 0; part < 2; part++) {
        int count = part ? TESTS : COUNT;
        cr_assert(dataset_open("shapes", &(DatasetWish){ 0 }, part, count, &wanted[part], &error),
                  "%s", error.text);
        for (int c = 0; c < 10; c++)
            run_well("mkdir -p '%s/%s/%d'", folder, part ? "test" : "train", c);
        for (int i = 0; i < count; i++) {
            char *path = str_format("%s/%s/%d/%04d.pgm", folder, part ? "test" : "train",
                                    wanted[part].labels[i], i);
            cr_assert(pnm_write(path, 28, 28, 1, wanted[part].pixels + (size_t)i * 784, &error));
            free(path);
        }
    }
    open_folder(folder, &(DatasetWish){ .height = INPUT, .width = INPUT }, &got[0], &got[1]);
    float *ours = mem_alloc(INPUT * INPUT, sizeof(float));
    float *theirs = mem_alloc(INPUT * INPUT, sizeof(float));
    for (int part = 0; part < 2; part++) {
        cr_assert_eq(got[part].count, part ? TESTS : COUNT);
        cr_assert(got[part].channels == 1 && got[part].height == 28 && got[part].width == 28);
        cr_expect_eq(got[part].side, 28);
        memcpy(wanted[part].mean, got[part].mean, sizeof got[part].mean);
        memcpy(wanted[part].std, got[part].std, sizeof got[part].std);
        Preparer *p = preparer_new(&got[part], 1, INPUT, INPUT, &error);
        Preparer *q = preparer_new(&wanted[part], 1, INPUT, INPUT, &error);
        for (int i = 0; i < wanted[part].count; i++) {
            /* Every ten of shapes show every class once; the folder has them by class. */
            int label = wanted[part].labels[i], at = i / 10 * 10 + label;
            cr_assert_eq(got[part].labels[at], label);
            preparer_image(p, got[part].pixels + (size_t)at * 784, (View){ 1, 0, true }, ours);
            preparer_image(q, wanted[part].pixels + (size_t)i * 784, (View){ 1, 0, true }, theirs);
            cr_assert_arr_eq(ours, theirs, INPUT * INPUT * sizeof(float));
        }
        preparer_free(p);
        preparer_free(q);
    }
    double sum = 0, squares = 0, n = COUNT * 784;
    for (int i = 0; i < COUNT * 784; i++) {
        double value = wanted[0].pixels[i] / 255.0;
        sum += value, squares += value * value;
    }
    cr_expect_float_eq(got[0].mean[0], sum / n, 1e-6);
    cr_expect_float_eq(got[0].std[0], sqrt(squares / n - sum / n * (sum / n)), 1e-6);
    cr_expect_eq(got[1].std[0], got[0].std[0]);
    for (int part = 0; part < 2; part++) {
        dataset_free(&got[part]);
        dataset_free(&wanted[part]);
    }
    free(ours);
    free(theirs);
    folder_remove(folder);
}

static void expect_image(const Dataset *data, int i, int label, int seed, int width, int height)
{
    Image image = drawn(seed, width, height, 1);
    Image middle = image_resize_and_crop(&image, data->side, data->height, data->width);
    cr_expect_eq(data->labels[i], label);
    cr_expect_arr_eq(data->pixels + (size_t)i * image_size(data), middle.pixels, image_size(data),
                     "image %d", i);
    image_free(&image);
    image_free(&middle);
}

/* Classes in byte order, the images by turns, in byte order of their names; hidden ones are not
 * there; the same with any number of threads. */
Test(folder, classes_and_order)
{
    char *folder = folder_of_three(4, 30, 20);
    run_well("cd '%s/train' && touch .DS_Store Zebra/.hidden && rm 'a cat'/*3?.pgm", folder);
    static const int classes[] = { 200, 100, 0 }; /* Zebra, a cat, b\nird */
    for (int threads = 1; threads <= 4; threads += 3) {
        Dataset training, test;
        thread_count_set(threads);
        open_folder(folder, &(DatasetWish){ .height = 32, .width = 48 }, &training, &test);
        cr_assert(training.count == 11 && test.count == 6 && training.classes == 3);
        cr_expect_str_eq(training.class_names[0], "Zebra");
        cr_expect_str_eq(training.class_names[1], "a cat");
        cr_expect_str_eq(test.class_names[2], "b\nird");
        cr_expect(training.channels == 1 && training.height == 32 && training.width == 48);
        cr_expect_eq(training.side, 54); /* 256/224 of 48 */
        for (int i = 0; i < 9; i++)
            expect_image(&training, i, i % 3, classes[i % 3] + i / 3, 30 + i / 3, 20);
        expect_image(&training, 9, 0, 203, 30, 20);
        expect_image(&training, 10, 2, 3, 30, 20);
        for (int i = 0; i < 6; i++)
            expect_image(&test, i, i % 3, classes[i % 3] + 10 + i / 3, 30 + i / 3, 20);
        dataset_free(&training);
        dataset_free(&test);
    }
    folder_remove(folder);
}

static uint64_t hash_of(int number)
{
    char name[32];
    sprintf(name, "%d.pgm", number);
    return random_stream(name);
}

/* Without test/: a fifth of each class, and the same files whatever else there is. */
Test(folder, a_fifth_to_test_with)
{
    Dataset training, test;
    char *folder = folder_new(), first[2][64] = { "" };
    run_well("mkdir -p '%s/train/a' '%s/train/b'", folder, folder);
    for (int i = 0; i < 24; i++)
        put(i, 16, 16, 1, "%s/train/%c/%d.pgm", folder, i < 14 ? 'a' : 'b', i);
    for (int more = 0; more < 2; more++) {
        open_folder(folder, &(DatasetWish){ .height = 32, .width = 32 }, &training, &test);
        cr_expect_eq(training.count, (more ? 31 : 24) - (more ? 6 : 4));
        cr_assert_eq(test.count, more ? 6 : 4);
        int of[2] = { 0 }, seen[24] = { 0 };
        for (int i = 0; i < training.count + test.count; i++) {
            const Dataset *data = i < test.count ? &test : &training;
            int at = i < test.count ? i : i - test.count;
            for (int k = 0; k < 24; k++) {
                Image image = drawn(k, 16, 16, 1);
                if (memcmp(data->pixels + (size_t)at * 256, image.pixels, 256) == 0) {
                    seen[k]++;
                    of[k >= 14] += data == &test;
                    if (data == &test && k >= 14)
                        sprintf(first[more] + strlen(first[more]), "%d ", k);
                }
                image_free(&image);
            }
        }
        for (int k = 0; k < 24; k++)
            cr_expect_eq(seen[k], 1, "image %d: %d times", k, seen[k]);
        cr_expect_eq(of[1], 2);
        dataset_free(&training);
        dataset_free(&test);
        for (int i = 24; !more && i < 31; i++)
            put(i, 16, 16, 1, "%s/train/a/%d.pgm", folder, i);
    }
    cr_expect_str_eq(first[0], first[1]);
    /* They are those of b with the smallest hashes. */
    int smallest[2] = { -1, -1 };
    for (int k = 14; k < 24; k++) {
        if (smallest[0] < 0 || hash_of(k) < hash_of(smallest[0]))
            smallest[1] = smallest[0], smallest[0] = k;
        else if (smallest[1] < 0 || hash_of(k) < hash_of(smallest[1]))
            smallest[1] = k;
    }
    int drawn_first, drawn_second;
    cr_assert_eq(sscanf(first[0], "%d %d", &drawn_first, &drawn_second), 2);
    cr_expect_eq(drawn_first + drawn_second, smallest[0] + smallest[1]);
    cr_expect(drawn_first == smallest[0] || drawn_first == smallest[1]);
    folder_remove(folder);
}

/* --- how they are brought to size ------------------------------------------------------------- */

/* As the published networks' images, which are held to Pillow's and torchvision's. */
static void expect_published(const char *folder, int height, int width, bool published)
{
    static const int sizes[][3] = { { 300, 200, 3 }, { 30, 47, 1 } };
    Dataset training;
    Error error;
    DatasetWish wish = { .height = height, .width = width, .published = published };
    open_folder(folder, &wish, &training, NULL);
    cr_assert(training.count == 2 && training.channels == 3);
    memcpy(training.mean, imagenet_mean, sizeof training.mean);
    memcpy(training.std, imagenet_std, sizeof training.std);
    Preparer *preparer = preparer_new(&training, 3, height, width, &error);
    cr_assert_not_null(preparer);
    Preprocess preprocess = preprocess_imagenet(height, width);
    size_t size = (size_t)height * (size_t)width * 3;
    float *got = mem_alloc(size, sizeof(float)), *wanted = mem_alloc(size, sizeof(float));
    for (int i = 0; i < 2; i++) {
        Image image = drawn(i, sizes[i][0], sizes[i][1], sizes[i][2]);
        preparer_image(preparer, training.pixels + (size_t)i * image_size(&training), (View){ 0 },
                       got);
        preprocess_image(&preprocess, &image, wanted);
        cr_expect_arr_eq(got, wanted, size * sizeof(float), "%dx%d", height, width);
        image_free(&image);
    }
    preparer_free(preparer);
    preprocess_free(&preprocess);
    dataset_free(&training);
    free(got);
    free(wanted);
}

Test(folder, other_sizes_as_published_networks_have_them)
{
    char *folder = folder_new();
    run_well("mkdir -p '%s/train/a' '%s/train/b' '%s/test/a'", folder, folder, folder);
    put(0, 300, 200, 3, "%s/train/a/0.ppm", folder);
    put(1, 30, 47, 1, "%s/train/b/1.pgm", folder);
    put(2, 30, 47, 1, "%s/test/a/2.pgm", folder);
    expect_published(folder, 64, 64, false);
    expect_published(folder, 224, 224, true);
    expect_published(folder, 384, 384, false);
    folder_remove(folder);
}

/* Images of one size that fits are as they are, unless they are wanted as published ones; where
 * they are larger than the input they are not. */
Test(folder, one_size)
{
    Dataset training;
    char *folder = folder_new();
    run_well("mkdir -p '%s/train/a' '%s/train/b' '%s/test/a'", folder, folder, folder);
    put(0, 40, 24, 3, "%s/train/a/0.ppm", folder);
    put(1, 40, 24, 3, "%s/train/b/1.ppm", folder);
    put(2, 99, 24, 3, "%s/test/a/2.ppm", folder);
    open_folder(folder, &(DatasetWish){ .height = 64, .width = 64 }, &training, NULL);
    cr_assert(training.height == 24 && training.width == 40 && training.channels == 3);
    Image image = drawn(1, 40, 24, 3);
    for (int i = 0; i < 40 * 24; i++)
        for (int c = 0; c < 3; c++)
            cr_assert_eq(training.pixels[image_size(&training) + (size_t)(c * 960 + i)],
                         image.pixels[3 * i + c]);
    image_free(&image);
    dataset_free(&training);
    const DatasetWish others[] = { { .height = 64, .width = 64, .published = true },
                                   { .height = 64, .width = 32 },
                                   { .height = 64, .width = 64, .channels = 1 } };
    for (int i = 0; i < 3; i++) {
        open_folder(folder, &others[i], &training, NULL);
        cr_expect_eq(training.height, i < 2 ? 64 : 24);
        cr_expect_eq(training.side, i < 2 ? 73 : 0);
        cr_expect_eq(training.channels, i < 2 ? 3 : 1);
        dataset_free(&training);
    }
    folder_remove(folder);
}

/* --- what cannot be read ---------------------------------------------------------------------- */

/* After the commands, in a good folder, `data` must say so; status 1. */
static void expect_wrong(const char *commands, const char *words)
{
    char *folder = folder_of_three(2, 20, 20);
    run_well("cd '%s' && %s", folder, commands);
    Result r = run("cd '%s' && '%s' data folder:.", folder, program());
    expect_line(r, 1, words, commands);
    folder_remove(folder);
}

Test(folder, what_is_wrong_is_told)
{
    expect_wrong("rm -r train", ".: no folder train/ in it|train/CLASS/IMAGE");
    expect_wrong("rm -r train/*", "./train: holds no folders");
    expect_wrong("rm -r train/[ab]*", "./train: holds one class only, 'Zebra'");
    expect_wrong("rm train/Zebra/*", "./train/Zebra: holds no images");
    expect_wrong("rm test/b*/*", "./test/b?ird: holds no images");
    expect_wrong("rm -r test/*", "./test: holds no folders");
    expect_wrong("mkdir test/dog", "./test/dog: train/ has no class of this name");
    expect_wrong("rm -r test", "no test/ in it, and no class has five images");
    expect_wrong(": > train/Zebra/e", "train/Zebra/e: is empty; --skip-bad leaves it out");
    expect_wrong("head -c 50 train/Zebra/*00?.pgm > train/Zebra/x", "train/Zebra/x: cut short");
    expect_wrong("cat train/Zebra/* > train/Zebra/x", "train/Zebra/x: holds several images");
    expect_wrong("mkdir train/Zebra/sub", "train/Zebra/sub: is a folder, in a class's folder");
    expect_wrong("mkfifo train/Zebra/pipe", "train/Zebra/pipe: is not a regular file");
    expect_wrong("ln -s round train/Zebra/round", "train/Zebra/round: cannot open it: ");
    expect_wrong("ln -s nowhere train/nowhere", "./train/nowhere: is not a folder, as the classes");
    expect_wrong("ln -s .. \"train/a cat/up\"", "train/a cat/up: is a folder");
    expect_wrong("touch train/Thumbs.db", "./train/Thumbs.db: is not a folder");
    expect_wrong("echo words > train/Zebra/words.txt", "words.txt: is text, not an image");
    expect_wrong("ln train/Zebra/*00?.pgm train/Zebra/again && rm -r test/[ab]* test/Z*/*",
                 "test/Zebra: holds no images"); /* the same image twice is fine */
}

/* A class that is only trained leaves no trace in an accuracy. */
Test(folder, a_class_that_cannot_be_tested_is_told)
{
    static const struct {
        const char *commands, *words;
    } calls[] = {
        { "rm -r test/b*", ".: 1 of 3 classes has no image to test with: 'b?ird'\n" },
        { "rm -r test/b* test/Z*",
          "2 of 3 classes have no image to test with: 'Zebra' and others\n" },
        { "for f in test/b*/*; do : > \"$f\"; done", "no image of the class 'b?ird' can be read" },
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        char *folder = folder_of_three(2, 20, 20);
        Result r = run("cd '%s' && %s && '%s' data folder:. --skip-bad", folder, calls[i].commands,
                       program());
        cr_expect(strstr(r.err, calls[i].words), "%s", r.err);
        result_free(&r);
        folder_remove(folder);
    }
    char *folder = folder_of_three(2, 20, 20);
    Result r = run("cd '%s' && '%s' data folder:.", folder, program());
    cr_expect_str_empty(r.err);
    result_free(&r);
    folder_remove(folder);
}

/* Every bad file is named once, over both parts; the rest is there. */
Test(folder, bad_files_are_left_out)
{
    char *folder = folder_of_three(3, 20, 20);
    run_well("cd '%s' && echo P5 > train/Zebra/bad && : > test/Zebra/empty && touch train/stray",
             folder);
    Result r = run("'%s' data 'folder:%s'", program(), folder);
    cr_expect_eq(r.status, 1);
    cr_expect_str_eq(r.out, "");
    cr_expect(strstr(r.err, "stray: is not a folder") && strstr(r.err, "Zebra/bad: ") &&
                  strstr(r.err, "test/Zebra/empty: is empty; --skip-bad leaves out these 3 files"),
              "%s", r.err);
    result_free(&r);
    r = run("'%s' data 'folder:%s' --skip-bad", program(), folder);
    cr_expect_eq(r.status, 0);
    cr_expect_not_null(strstr(r.out, " 0 Zebra                  3          2\n"), "%s", r.out);
    int lines = 0;
    for (char *text = r.err, *line; (line = next_line(&text)); lines++)
        cr_expect_not_null(strstr(line, "; left out"), "%s", line);
    cr_expect_eq(lines, 3);
    result_free(&r);
    /* Of many only the first are named. */
    run_well(
        "cd '%s' && mkdir more && cp -R train test more && for i in 1 2 3 4 5 6 7 8 9; do "
        ": > more/train/Zebra/a$i && : > more/train/Zebra/b$i && : > more/train/Zebra/c$i; done",
        folder);
    for (int skip = 0; skip < 2; skip++) {
        r = run("'%s' data 'folder:%s/more' %s", program(), folder, skip ? "--skip-bad" : "");
        cr_expect_eq(r.status, !skip);
        lines = 0;
        const char *last = "";
        for (char *text = r.err, *line; (line = next_line(&text)); lines++)
            last = line;
        cr_expect_eq(lines, 20 + skip);
        cr_expect(strstr(last, skip ? "more: 10 more files left out"
                                    : "; --skip-bad leaves out all 30 such files"),
                  "%s", last);
        result_free(&r);
    }
    Dataset training;
    open_folder(folder, &(DatasetWish){ .height = 32, .width = 32, .skip_bad = true }, &training,
                NULL);
    cr_assert_eq(training.count, 9);
    expect_image(&training, 0, 1, 100, 20, 20); /* Zebra's first is the bad one */
    expect_image(&training, 1, 2, 0, 20, 20);
    expect_image(&training, 2, 0, 200, 20, 20);
    expect_image(&training, 8, 0, 202, 22, 20);
    dataset_free(&training);
    run_well("cd '%s' && for f in train/a*/*; do : > \"$f\"; done", folder);
    r = run("'%s' data 'folder:%s' --skip-bad", program(), folder);
    cr_expect_eq(r.status, 1);
    cr_expect_not_null(strstr(r.err, "no image of the class 'a cat' can be read"), "%s", r.err);
    result_free(&r);
    folder_remove(folder);
}

/* --- other formats ---------------------------------------------------------------------------- */

/* An anytopnm of these commands, found before any other. */
static char *folder_with_anytopnm(const char *commands)
{
    char *folder = folder_of_three(2, 20, 20);
    run_well("cd '%s' && mkdir bin && cat > bin/anytopnm <<'E' && chmod +x bin/anytopnm\n"
             "#!/bin/sh\n%s\nE\n",
             folder, commands);
    return folder;
}

static Result data_with_anytopnm(const char *folder)
{
    return run("cd '%s' && PATH=\"$PWD/bin:$PATH\" '%s' data folder:. --threads 2", folder,
               program());
}

Test(folder, a_file_that_changes_while_it_is_read)
{
    char *folder = folder_with_anytopnm("echo >> \"$1\"; printf 'P5 1 1 255 x'");
    run_well("printf '\\1\\2' > '%s'/train/Zebra/odd", folder);
    expect_line(data_with_anytopnm(folder), 1, "train/Zebra/odd: changed while it was read",
                "changing");
    folder_remove(folder);
}

Test(folder, what_anytopnm_does_not_read)
{
    char *folder = folder_with_anytopnm("echo 'anytopnm: unknown kind' >&2; exit 1");
    run_well("printf '\\1\\2' > '%s'/train/Zebra/odd", folder);
    expect_line(
        data_with_anytopnm(folder), 1,
        "train/Zebra/odd: is not a PNM image, and netpbm's anytopnm cannot read it|unknown kind",
        "unknown");
    run_well("printf '#!/bin/sh\\n' > '%s'/bin/anytopnm", folder);
    expect_line(data_with_anytopnm(folder), 1, "train/Zebra/odd: is not a PNM image|prints nothing",
                "nothing");
    run_well("echo 'echo odd: read error >&2' >> '%s'/bin/anytopnm", folder);
    expect_line(data_with_anytopnm(folder), 1,
                "train/Zebra/odd: is not a PNM image|odd: read error", "status 0");
    folder_remove(folder);
}

/* Of a JPEG: a segment that holds the mark of an end, the scan, with its end and without. */
Test(folder, a_jpeg_that_is_cut_short)
{
    char *folder = folder_with_anytopnm("printf 'P5 1 1 255 x'");
    run_well("cd '%s/train/Zebra' && printf "
             "'\\377\\330\\377\\377\\341\\0\\4\\377\\331\\377\\332\\0\\2x' "
             "> odd && cp odd whole && printf '\\377\\331more' >> whole",
             folder);
    expect_line(data_with_anytopnm(folder), 1,
                "train/Zebra/odd: cut short: a JPEG without its end; --skip-bad leaves it out",
                "cut");
    folder_remove(folder);
}

/* Each of two waits for the other one to have begun. */
Test(folder, several_processes_at_once)
{
    char *folder = folder_with_anytopnm("cp \"$1\" \"$1.begun\"; n=0\n"
                                        "until [ -e odd1.begun ] && [ -e odd2.begun ]; do\n"
                                        "  n=$((n + 1)); [ $n = 600 ] && exit 1; sleep 0.05\n"
                                        "done; printf 'P5 1 1 255 x'");
    run_well("cd '%s' && sed -i.old 's/\"$1.begun\"/\"${1##*\\/}.begun\"/' bin/anytopnm && "
             "printf '\\1\\2' > train/Zebra/odd1 && printf '\\1\\2' > train/Zebra/odd2",
             folder);
    Result r = data_with_anytopnm(folder);
    cr_expect_eq(r.status, 0, "%s", r.err);
    cr_expect_not_null(strstr(r.out, " 0 Zebra                  4          2\n"), "%s", r.out);
    result_free(&r);
    folder_remove(folder);
}

Test(folder, png_by_netpbm)
{
    Result r = run("command -v anytopnm && command -v pnmtopng");
    bool there = r.status == 0;
    result_free(&r);
    if (!there)
        cr_skip_test("netpbm is not installed");
    char *folder = folder_of_three(2, 20, 20);
    run_well("cd '%s' && pnmtopng train/Zebra/*00?.pgm > 'x: y\n.png' && "
             "mv x* train/Zebra && ln train/Zebra/*00?.pgm train/Zebra/w",
             folder);
    Dataset training;
    open_folder(folder, &(DatasetWish){ .height = 32, .width = 32 }, &training, NULL);
    cr_assert_eq(training.count, 8);
    size_t size = image_size(&training); /* Zebra: 0, 3, then w and x; */
    cr_expect_arr_eq(training.pixels + 6 * size, training.pixels, size);
    cr_expect_arr_eq(training.pixels + 7 * size, training.pixels, size);
    dataset_free(&training);
    folder_remove(folder);
}

/* --- the commands ----------------------------------------------------------------------------- */

Test(folder, trained_evaluated_and_classified)
{
    char *folder = folder_of_three(10, 70, 50);
    const char *build = program();
    run_well(
        "cd '%s' && mkdir w && '%s' train --data folder:. --epochs 1 "
        "--batch-size 9 --widths 8,16,32,64 --depths 1,1,1,1 --stem 8 --alter noise:8 --out w/r",
        folder, build);
    run_well("cd '%s' && '%s' evaluate --weights w/r/best.safetensors --format tsv "
             "> w/first && mkdir other && cp -r train test other && "
             "'%s' evaluate --weights w/r/best.safetensors --data folder:other "
             "--format tsv > w/again && cmp w/first w/again",
             folder, build, build);
    Result r = run("cd '%s' && '%s' evaluate --weights w/r/best.safetensors "
                   "--alter all --format tsv && rm -r train test && "
                   "'%s' classify --weights w/r/best.safetensors --format tsv "
                   "other/test/Zebra/*",
                   folder, build, build);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, "\tZebra\n") && strstr(r.out, "\ta cat\n") &&
                  strstr(r.out, "\tb\\nird\n") && strstr(r.out, "noise:"),
              "%s", r.out);
    result_free(&r);
    run_well("cd '%s/other' && mv train/Zebra train/Horse && mv test/Zebra test/Horse", folder);
    r = run("cd '%s' && '%s' evaluate --weights w/r/best.safetensors --data "
            "folder:other",
            folder, build);
    expect_line(r, 1, "other/train/Horse: the weights have no class of this name", "other classes");
    folder_remove(folder);
}

/* Weights of grey images make a folder's grey, though they do not say their network. */
Test(folder, as_many_channels_as_the_weights_know)
{
    char *folder = folder_new(), *program = str_format("%s/09_layer_norm", build_folder());
    run_well("mkdir -p '%s/train/a' '%s/train/b'", folder, folder);
    for (int i = 0; i < 20; i++)
        put(i, 20, 20, 3, "%s/train/%c/%d.ppm", folder, i % 2 ? 'a' : 'b', i);
    run_well("'%s' train --data 'folder:%s' --weights results/weights/09_layer_norm.safetensors "
             "--freeze --epochs 1 --batch-size 4 --out '%s/run'",
             program, folder, folder);
    free(program);
    folder_remove(folder);
}

/* The weights' way, whatever the other folder's images would be taken for. */
Test(folder, evaluated_as_the_weights_know_images)
{
    Dataset told = { .channels = 3, .height = 24, .width = 24, .side = 27, .classes = 3 }, test;
    static const char *const names[] = { "b\nird", "Zebra", "a cat" };
    char *folder = folder_of_three(2, 20, 20);
    told.class_names = names;
    for (int c = 0; c < 3; c++)
        told.mean[c] = 0.25f * (float)c, told.std[c] = 0.5f;
    open_folder(folder, &(DatasetWish){ .height = 64, .width = 64, .like = &told }, NULL, &test);
    cr_assert(test.channels == 3 && test.height == 24 && test.width == 24 && test.side == 27);
    cr_expect_arr_eq(test.mean, told.mean, sizeof told.mean);
    cr_expect(test.labels[0] == 0 && test.labels[1] == 1 && test.labels[2] == 2);
    Image image = drawn(210, 20, 20, 1), middle = image_resize_and_crop(&image, 27, 24, 24);
    cr_expect_arr_eq(test.pixels + image_size(&test) + 576, middle.pixels, 576);
    image_free(&image);
    image_free(&middle);
    dataset_free(&test);
    folder_remove(folder);
}

/* The sheet's first row shows the first images, on white; nothing of the folder is replaced, and
 * nothing stays in TMPDIR. */
Test(folder, data_shows_it)
{
    char *folder = folder_of_three(6, 20, 20), *bytes;
    const char *build = program();
    Dataset training;
    Pnm sheet;
    size_t at = 0;
    Error error;
    run_well("cd '%s' && mkdir t && TMPDIR=t '%s' data folder:. --input 1x40x48 "
             "--output sheet.pgm > told && [ -z \"$(ls t)\" ] && grep -q 'for an input of 40x48: "
             "shorter side to 54 (bicubic, antialiased), middle 40x48, ' told && "
             "grep -q '^ 2 b?ird                  6          2$' told",
             folder, build);
    bytes = contents("%s/sheet.pgm", folder);
    cr_assert(pnm_next("sheet", bytes, 15 + (16 * 50 + 2) * 86, &at, &sheet, &error), "%s",
              error.text);
    cr_assert(sheet.width == 16 * 50 + 2 && sheet.height == 2 * 42 + 2);
    open_folder(folder, &(DatasetWish){ .height = 40, .width = 48 }, &training, NULL);
    for (int i = 0; i < 16; i++)
        for (int y = 0; y < 40; y++)
            for (int x = 0; x < 48; x++)
                cr_assert_eq(sheet.samples[(2 + y) * sheet.width + 2 + i * 50 + x],
                             training.pixels[(i * 40 + y) * 48 + x]);
    cr_expect_eq(sheet.samples[0], 255);
    dataset_free(&training);
    pnm_free(&sheet);
    free(bytes);
    Result r = run("cd '%s' && '%s' data folder:. --output train/Zebra/*00?.pgm", folder, build);
    expect_line(r, 2, "--output|would replace a file of folder:.", "replacing");
    r = run("cd '%s' && TMPDIR=nowhere '%s' data folder:.", folder, build);
    expect_line(r, 1, "nowhere: cannot keep 18 images of 1x64x64 there|TMPDIR", "no TMPDIR");
    folder_remove(folder);
}

/* 400 images of 3x224x224 are 60 MB; the process may have 40 of its own. */
Test(folder, memory_is_bounded)
{
    if (sanitized())
        cr_skip_test("sanitizers take memory of their own");
    char *folder = folder_of_three(2, 20, 20);
    run_well("cd '%s/train/Zebra' && i=0 && while [ $i -lt 400 ]; do ln *00?.pgm $i.l; "
             "i=$((i + 1)); done && ulimit -d 40000 && cd ../.. && '%s' data "
             "folder:. --input 3x224x224 --threads 1",
             folder, program());
    folder_remove(folder);
}
