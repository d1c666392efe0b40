/* --alter: every alteration against its definition in plain loops, what is drawn at random, and the
 * commands that alter. */
#include "base/memory.h"
#include "base/parallel.h"
#include "data/alter.h"
#include "data/augment.h"
#include "data/shapes.h"
#include "io/file.h"
#include "io/pnm.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- sets made here -------------------------------------------------------------------------- */

typedef struct {
    int count, channels, height, width;
} Size;

static const Size sizes[] = { { 40, 1, 28, 28 }, { 40, 3, 32, 32 }, { 40, 2, 56, 14 } };
enum { SIZES = sizeof sizes / sizeof *sizes };

static size_t image_size(const Dataset *data)
{
    return (size_t)data->channels * (size_t)data->height * (size_t)data->width;
}

/* Every value from 1 to 255 occurs; 0, black, does not. */
static Dataset made(Size s)
{
    Dataset data = { .name = "made", .count = s.count, .channels = s.channels };
    data.height = s.height;
    data.width = s.width;
    size_t all = image_size(&data) * (size_t)s.count;
    data.pixels = mem_alloc(all, 1);
    Random r = { 7, 7 };
    for (size_t i = 0; i < all; i++)
        data.pixels[i] = (uint8_t)(1 + (i < 255 ? i : random_below(r, i, 255)));
    return data;
}

static Dataset flat(Size s, int value)
{
    Dataset data = made(s);
    memset(data.pixels, value, image_size(&data) * (size_t)data.count);
    return data;
}

static Dataset altered(const Dataset *data, DatasetPart part, const char *text)
{
    Alteration a;
    Error error = { "" };
    cr_assert(alter_parse(text, &a, &error), "%s", error.text);
    Dataset after = alter_dataset(data, part, &a);
    cr_expect_str_eq(after.altered, a.name);
    return after;
}

static int at(const Dataset *data, int i, int c, int y, int x)
{
    if (y < 0 || y >= data->height || x < 0 || x >= data->width)
        return 0;
    int row = (i * data->channels + c) * data->height + y;
    return data->pixels[(size_t)row * (size_t)data->width + (size_t)x];
}

/* --- values ---------------------------------------------------------------------------------- */

static long double tone(const char *kind, long double level, long double v)
{
    if (strcmp(kind, "dark") == 0)
        return v * level;
    if (strcmp(kind, "grey") == 0)
        return 127.5L * (1 - level) + v * level;
    if (strcmp(kind, "bright") == 0)
        return v + level;
    if (strcmp(kind, "gamma") == 0)
        return 255 * powl(v / 255, level);
    cr_assert_str_eq(kind, "invert");
    return 255 - v;
}

/* Rounded half up, as floor would have it; nothing above 255. */
static void expect_tone(const char *text)
{
    Dataset data = made(sizes[1]), after = altered(&data, TEST_SET, text);
    char kind[16];
    float level = 0;
    cr_assert(sscanf(text, "%15[a-z]:%f", kind, &level) >= 1);
    for (size_t i = 0; i < image_size(&data) * (size_t)data.count; i++) {
        long double value = floorl(tone(kind, (long double)level, data.pixels[i]) + 0.5L);
        cr_assert_eq(after.pixels[i], (int)(value > 255 ? 255 : value), "%s of %d: %d", text,
                     data.pixels[i], after.pixels[i]);
    }
    free(data.pixels);
    free(after.pixels);
}

Test(alter, values)
{
    static const char *const texts[] = { "dark:0.5", "dark:0.25",  "dark:0",    "dark:1",
                                         "grey:0.5", "grey:0",     "grey:0.75", "bright:64",
                                         "bright:0", "bright:255", "gamma:2",   "gamma:0.5",
                                         "gamma:1",  "gamma:10",   "invert" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_tone(texts[i]);
}

/* --- places ---------------------------------------------------------------------------------- */

/* Which way image i went: all channels the same, by these lengths; 0 to 8, never 4, which is none.
 */
static int way_of(const Dataset *data, const Dataset *after, int i, int by_height, int by_width)
{
    int found = -1;
    for (int way = 0; way < 9; way++) {
        int down = (way / 3 - 1) * by_height, right = (way % 3 - 1) * by_width;
        bool same = true;
        for (int c = 0; c < data->channels && same; c++)
            for (int y = 0; y < data->height && same; y++)
                for (int x = 0; x < data->width && same; x++)
                    same = at(after, i, c, y, x) == at(data, i, c, y + down, x + right);
        if (same)
            found = way;
    }
    cr_assert(found >= 0 && found != 4, "image %d of %dx%d: moved the way %d", i, data->height,
              data->width, found);
    return found;
}

static void expect_shift(const char *text, Size s, int by_height, int by_width)
{
    s.count = 200;
    Dataset data = made(s), after = altered(&data, TEST_SET, text);
    int often[9] = { 0 };
    for (int i = 0; i < s.count; i++)
        often[way_of(&data, &after, i, by_height, by_width)]++;
    for (int way = 0; way < 9; way++) /* 25 each; 6 would be four deviations off */
        cr_expect(way == 4 || often[way] > 6, "%s: %d images the way %d", text, often[way], way);
    free(data.pixels);
    free(after.pixels);
}

/* Lengths are in 28ths of a side: 32·4/28 is 4.57, 32·6/28 is 6.86. */
Test(alter, shifts)
{
    expect_shift("shift:4", sizes[0], 4, 4);
    expect_shift("shift:6", sizes[0], 6, 6);
    expect_shift("shift:27", sizes[0], 27, 27);
    expect_shift("shift:4", sizes[1], 5, 5);
    expect_shift("shift:6", sizes[1], 7, 7);
    expect_shift("shift:5", sizes[2], 10, 3); /* 14·5/28 is 2.5: half up */
}

/* The images have no black of their own: what is black must be the box, and all else as before. */
static void expect_box(const char *text, Size s, int height, int width)
{
    s.count = 400;
    Dataset data = made(s), after = altered(&data, TEST_SET, text);
    int tops = 0, bottoms = 0, quarters[4] = { 0 };
    for (int i = 0; i < s.count; i++) {
        int top = s.height, left = s.width;
        for (int y = s.height - 1; y >= 0; y--)
            for (int x = s.width - 1; x >= 0; x--)
                if (at(&after, i, 0, y, x) == 0) {
                    top = y;
                    left = x < left ? x : left;
                }
        cr_assert(top + height <= s.height && left + width <= s.width);
        for (int c = 0; c < s.channels; c++)
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++) {
                    bool in = y >= top && y < top + height && x >= left && x < left + width;
                    cr_assert_eq(at(&after, i, c, y, x), in ? 0 : at(&data, i, c, y, x));
                }
        tops += top == 0;
        bottoms += top + height == s.height;
        quarters[(2 * top > s.height - height) * 2 + (2 * left > s.width - width)]++;
    }
    for (int i = 0; i < 4 && height < s.height; i++) /* down and across are drawn apart */
        cr_expect(quarters[i] > 50, "%s: %d boxes in quarter %d", text, quarters[i], i);
    cr_expect(tops > 0 && bottoms > 0, "%s: %d boxes at the top, %d at the bottom", text, tops,
              bottoms);
    free(data.pixels);
    free(after.pixels);
}

Test(alter, boxes)
{
    expect_box("box:10", sizes[0], 10, 10);
    expect_box("box:28", sizes[0], 28, 28);
    expect_box("box:10", sizes[1], 11, 11);
    expect_box("box:9", sizes[2], 18, 5);
}

/* Mean of the pixels in the image at most so far away: as a whole number, half up. */
static void expect_blur(const char *text, Size s, int by_height, int by_width)
{
    Dataset data = made(s), after = altered(&data, TEST_SET, text);
    for (int i = 0; i < 5; i++)
        for (int c = 0; c < s.channels; c++)
            for (int y = 0; y < s.height; y++)
                for (int x = 0; x < s.width; x++) {
                    int sum = 0, count = 0;
                    for (int q = y - by_height; q <= y + by_height; q++)
                        for (int p = x - by_width; p <= x + by_width; p++) {
                            sum += at(&data, i, c, q, p);
                            count += q >= 0 && q < s.height && p >= 0 && p < s.width;
                        }
                    int mean = (int)floor((double)sum / count + 0.5);
                    cr_assert_eq(at(&after, i, c, y, x), mean, "%s of %dx%d, (%d, %d)", text,
                                 s.height, s.width, x, y);
                }
    free(data.pixels);
    free(after.pixels);
}

Test(alter, blurs)
{
    expect_blur("blur:3", sizes[0], 1, 1);
    expect_blur("blur:7", sizes[0], 3, 3);
    expect_blur("blur:27", sizes[0], 13, 13);
    expect_blur("blur:3", sizes[1], 1, 1);
    expect_blur("blur:9", sizes[1], 5, 5); /* 32·4/28 is 4.57 */
    expect_blur("blur:5", sizes[2], 4, 1);
}

/* --- noise ----------------------------------------------------------------------------------- */

/* Of grey images: mean and deviation, each within five of its own standard errors. */
static void expect_deviation(const char *text, double sigma)
{
    Dataset data = flat((Size){ 100, 3, 32, 32 }, 128), after = altered(&data, TEST_SET, text);
    double n = 100. * 3 * 32 * 32, sum = 0, squares = 0;
    for (size_t i = 0; i < (size_t)n; i++) {
        double d = after.pixels[i] - 128.;
        sum += d;
        squares += d * d;
    }
    double mean = sum / n, deviation = sqrt(squares / n - mean * mean);
    double expected = sqrt(sigma * sigma + 1. / 12); /* rounding adds its own */
    cr_expect(fabs(mean) < 5 * sigma / sqrt(n), "%s: mean %g", text, mean);
    cr_expect(fabs(deviation - expected) < 5 * expected / sqrt(2 * n), "%s: deviation %g", text,
              deviation);
    free(data.pixels);
    free(after.pixels);
}

/* 64 is left out: a value in 46 is clipped there, which makes the deviation smaller. */
Test(alter, noise_has_its_deviation)
{
    expect_deviation("noise:8", 8);
    expect_deviation("noise:16", 16);
    expect_deviation("noise:25.5", 25.5);
}

/* On black half of it is cut off, and the mean of the rest is σ/√(2π); on white likewise. */
Test(alter, noise_is_clipped)
{
    for (int white = 0; white < 2; white++) {
        Dataset data = flat((Size){ 100, 1, 28, 28 }, white ? 255 : 0);
        Dataset after = altered(&data, TEST_SET, "noise:32");
        double n = 78400, sum = 0, same = 0;
        for (size_t i = 0; i < (size_t)n; i++) {
            sum += abs(after.pixels[i] - data.pixels[i]);
            same += after.pixels[i] == data.pixels[i];
        }
        /* Below a half nothing changes: 0.5 + 0.5/32·φ(0). */
        cr_expect(fabs(same / n - 0.5062) < 5 * 0.5 / sqrt(n), "%g", same / n);
        cr_expect(fabs(sum / n - 32 / sqrt(2 * 3.14159265)) < 0.4, "%g", sum / n);
        free(data.pixels);
        free(after.pixels);
    }
}

/* Channels and images have their own; a level has another's noise, stronger. */
Test(alter, noise_of_channels_images_and_levels)
{
    Dataset data = flat((Size){ 20, 3, 28, 28 }, 128);
    Dataset weak = altered(&data, TEST_SET, "noise:10");
    Dataset strong = altered(&data, TEST_SET, "noise:20");
    double between_channels = 0, between_images = 0, squares = 0;
    for (size_t i = 0; i < 19 * 2352; i++) {
        double d = weak.pixels[i] - 128., channel = weak.pixels[i + 784] - 128.;
        double image = weak.pixels[i + 2352] - 128.;
        between_channels += d * channel;
        between_images += d * image;
        squares += d * d;
        cr_assert(fabs(2 * d - (strong.pixels[i] - 128.)) <= 1.5);
    }
    cr_expect(fabs(between_channels / squares) < 0.03, "%g", between_channels / squares);
    cr_expect(fabs(between_images / squares) < 0.03, "%g", between_images / squares);
    free(data.pixels);
    free(weak.pixels);
    free(strong.pixels);
}

/* --- the same bytes -------------------------------------------------------------------------- */

static bool same_start(const Dataset *a, const Dataset *b, int images)
{
    return memcmp(a->pixels, b->pixels, image_size(a) * (size_t)images) == 0;
}

/* For any number of threads, and whatever images come after; other ones in the other part. */
Test(alter, is_a_function_of_the_place_in_the_set)
{
    static const char *const drawn[] = { "noise:32", "shift:4", "box:10" };
    Dataset data = made(sizes[1]), fewer = data;
    fewer.count = 7;
    for (int i = 0; i < ALTER_STANDARD; i++) {
        thread_count_set(1);
        Dataset one = altered(&data, TEST_SET, alter_standard[i]);
        thread_count_set(3);
        Dataset three = altered(&data, TEST_SET, alter_standard[i]);
        Dataset limited = altered(&fewer, TEST_SET, alter_standard[i]);
        cr_expect(same_start(&one, &three, data.count), "%s", alter_standard[i]);
        cr_expect(same_start(&one, &limited, fewer.count), "%s", alter_standard[i]);
        free(one.pixels);
        free(three.pixels);
        free(limited.pixels);
    }
    for (size_t i = 0; i < sizeof drawn / sizeof *drawn; i++) {
        Dataset test = altered(&data, TEST_SET, drawn[i]);
        Dataset training = altered(&data, TRAINING_SET, drawn[i]);
        cr_expect(!same_start(&test, &training, data.count), "%s", drawn[i]);
        free(test.pixels);
        free(training.pixels);
    }
    free(data.pixels);
}

/* What was published must be drawn again: the first values of test images 0 and 7. */
Test(alter, noise_stays_what_it_was)
{
    static const uint8_t known[2][6] = { { 123, 103, 111, 175, 137, 105 },
                                         { 165, 122, 131, 124, 47, 183 } };
    Dataset data = flat((Size){ 8, 1, 28, 28 }, 128), after = altered(&data, TEST_SET, "noise:32");
    for (int i = 0; i < 2; i++)
        for (int x = 0; x < 6; x++)
            cr_expect_eq(at(&after, 7 * i, 0, 0, x), known[i][x], "image %d, %d: %d", 7 * i, x,
                         at(&after, 7 * i, 0, 0, x));
    free(data.pixels);
    free(after.pixels);
}

/* --- names ----------------------------------------------------------------------------------- */

Test(alter, names)
{
    static const char *const good[][2] = { { "dark:.5", "dark:0.5" },
                                           { "noise:32.0", "noise:32" },
                                           { "shift:4", "shift:4" },
                                           { "blur:1", "blur:1" },
                                           { "invert", "invert" } };
    /* What is said behind the text. */
    static const struct {
        const char *said, *texts[16];
    } bad[] = {
        { "' lacks its level: noise:0…255, as in noise:16", { "noise" } },
        { "' lacks its level: dark:0…1, as in dark:0.5", { "dark" } },
        { "' has no such level: noise:0…255, as in noise:16",
          { "noise:", "noise:-1", "noise:256", "noise:nan", "noise:inf", "noise:3x", "noise: 3" } },
        { "' has no such level: dark:0…1, as in dark:0.5", { "dark:1.01" } },
        { "' has no such level: gamma:0.1…10, as in gamma:2", { "gamma:0", "gamma:11" } },
        { "' has no such level: shift:1…27 (whole), as in shift:4",
          { "shift:0", "shift:28", "shift:4.5" } },
        { "' has no such level: box:1…28 (whole), as in box:10", { "box:29", "box:2.5" } },
        { "' has no such level: blur:1…27 (odd), as in blur:3",
          { "blur:2", "blur:29", "blur:3.5" } },
        { "': invert has no level", { "invert:", "invert:1" } },
        { "' is not one of dark:0…1, grey:0…1, bright:0…255, gamma:0.1…10, invert, noise:0…255, "
          "shift:1…27 (whole), box:1…28 (whole), blur:1…27 (odd)",
          { "", "all", "clean", ":3" } },
        { "' is not one of dark:0…1, grey:0…1, bright:0…255, gamma:0.1…10, invert, noise:0…255, "
          "shift:1…27 (whole), box:1…28 (whole), blur:1…27 (odd); did you mean noise?",
          { "noises:3", "nois:3", "niose" } },
    };
    Alteration a;
    Error error;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert(alter_parse(good[i][0], &a, &error), "%s", good[i][0]);
        cr_expect_str_eq(a.name, good[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (const char *const *text = bad[i].texts; *text; text++) {
            cr_assert(!alter_parse(*text, &a, &error), "'%s' was taken", *text);
            char *wanted = str_format("--alter: '%s%s", *text, bad[i].said);
            cr_expect_str_eq(error.text, wanted);
            free(wanted);
        }
}

/* --- commands -------------------------------------------------------------------------------- */

#define TINY "--stem 8 --widths 8,12,16,24 --depths 1,1,1,1 "

static char *step(void)
{
    return str_format("%s/09_layer_norm", build_folder());
}

static char *prints(const char *program, const char *words)
{
    Result r = run("%s %s", program, words);
    cr_assert_eq(r.status, 0, "%s: %s", words, r.err);
    free(r.err);
    return r.out;
}

static void refuses(int status, const char *named, const char *words)
{
    char *program = step();
    Result r = run("%s %s", program, words);
    cr_expect_eq(r.status, status, "%s: status %d", words, r.status);
    cr_expect(strstr(r.err, named), "%s: '%s' is not in '%s'", words, named, r.err);
    result_free(&r);
    free(program);
}

Test(alter, wrong_calls)
{
    refuses(2, "noise:0…255", "evaluate --data shapes --weights w --alter noise:300");
    refuses(2, "KIND:LEVEL|all", "evaluate --data shapes --weights w --alter");
    refuses(2, "noise:0…255", "train --data shapes --alter all --out runs/never");
    refuses(2, "did you mean blur?", "data shapes --alter blurr:3 --output /dev/null");
    refuses(2, "--output", "data shapes --alter blur:3");
    refuses(2, "fashion-mnist, cifar10, cifar100, shapes", "data colours");
    refuses(2, "one data set", "data");
    refuses(2, "one data set", "data shapes cifar10");
    refuses(1, "cannot", "data shapes --output /no/such/folder/x.pgm");
}

/* A row an alteration, clean first; the same for any threads and batch size, and as one alone
 * (every fourth is asked for). */
Test(alter, evaluate_all)
{
    char *folder = folder_new(), *program = step();
    run_well("%s init --preset small " TINY "--output %s/w", program, folder);
    char *words = str_format("evaluate --data shapes --limit 60 " TINY "--weights %s/w", folder);
    char *first = str_format("%s --alter all --format tsv --threads 1 --batch-size 7", words);
    char *second = str_format("%s --alter all --format tsv --threads 3", words);
    char *table = prints(program, first), *again = prints(program, second), *at = table;
    cr_expect_str_eq(table, again);
    cr_assert_str_eq(next_line(&at), "alteration\ttop1\ttop5\tloss\timages\tsha256");
    double sum = 0;
    for (int i = 0; i < 1 + ALTER_STANDARD; i++) {
        char *line = str_format("%s", next_line(&at)), *fields[6];
        if (i % 4 == 0) {
            char *alone = i ? str_format("%s --format tsv --alter %s", words, alter_standard[i - 1])
                            : str_format("%s --format tsv", words);
            char *row = prints(program, alone), *rest = row;
            next_line(&rest);
            cr_expect_str_eq(next_line(&rest), line);
            free(alone);
            free(row);
        }
        cr_assert_eq(split(line, fields, 6), 6);
        cr_expect_str_eq(fields[0], i ? alter_standard[i - 1] : "clean");
        cr_expect_str_eq(fields[4], "60");
        sum += i ? atof(fields[3]) : 0;
        free(line);
    }
    cr_expect(!next_line(&at));
    char *for_people = str_format("%s --alter all", words), *text = prints(program, for_people);
    double top1, top5, loss;
    cr_assert(sscanf(strstr(text, "\nmean of altered"), "\nmean of altered %lf %lf %lf", &top1,
                     &top5, &loss) == 3);
    cr_expect(fabs(loss - sum / ALTER_STANDARD) < 1e-4, "%g, %g", loss, sum / ALTER_STANDARD);
    free(table);
    free(again);
    free(text);
    free(for_people);
    free(first);
    free(second);
    free(words);
    free(program);
    folder_remove(folder);
}

/* Training, held-out and test images are altered; killed, it goes on to the same bytes, but not
 * with another alteration. */
Test(alter, train_and_resume)
{
    char *folder = folder_new(), *program = step();
    char *line = str_format("%s train --data shapes --limit 200 --epochs 2 --batch-size 20 " TINY
                            "--resume --out %s/",
                            program, folder);
    run_well("%sclean && cp %s/clean/log.tsv %s", line, folder, folder);
    Result whole = run("%swhole --alter noise:64", line);
    cr_assert_eq(whole.status, 0, "%s", whole.err);
    run_well("{ %skilled --alter noise:64 >/dev/null & } ; run=$! ; "
             "until test -e %s/killed/last.safetensors || ! kill -0 $run; do sleep .01; done ; "
             "kill -9 $run ; wait ; %skilled --alter noise:64.0",
             line, folder, line);
    run_well("cmp %s/whole/best.safetensors %s/killed/best.safetensors", folder, folder);
    run_well("! cmp -s %s/whole/best.safetensors %s/clean/best.safetensors", folder, folder);
    Result other = run("%swhole --alter noise:32", line), none = run("%swhole", line);
    cr_expect(other.status == 2 && strstr(other.err, "--alter noise:64"), "%s", other.err);
    cr_expect(none.status == 2 && strstr(none.err, "--alter noise:64"), "%s", none.err);
    char *words = str_format("evaluate --data shapes " TINY "--weights %s/whole/best.safetensors "
                             "--alter noise:64",
                             folder);
    char *evaluated = prints(program, words);
    double loss = 0, again = -1;
    const char *said = strstr(whole.out, "test set altered by noise:64, weights of epoch");
    cr_assert(said && sscanf(strstr(said, "loss"), "loss %lf", &loss) == 1, "%s", whole.out);
    cr_expect(strstr(evaluated, "shapes altered by noise:64, 2000 images"));
    cr_assert(sscanf(strstr(evaluated, "loss"), "loss %lf", &again) == 1);
    cr_expect_eq(loss, again);
    result_free(&whole);
    result_free(&other);
    result_free(&none);
    free(evaluated);
    free(words);
    free(line);
    free(program);
    folder_remove(folder);
}

/* --- data ------------------------------------------------------------------------------------ */

/* The sample of row `row`, image i, in a sheet of images of this size. */
static int sample(const Pnm *sheet, const Dataset *data, int row, int i, int y, int x, int c)
{
    int down = 2 + row * (data->height + 2) + y, right = 2 + i * (data->width + 2) + x;
    return sheet->samples[(down * sheet->width + right) * sheet->channels + c];
}

static void expect_sheet(const char *path, const Dataset *stored, const char *alteration)
{
    Dataset after = altered(stored, TRAINING_SET, alteration);
    Pnm sheet;
    Error error = { "" };
    char *bytes;
    size_t size, end = 0;
    cr_assert(file_read(path, &bytes, &size, &error), "%s", error.text);
    cr_assert(pnm_next(path, bytes, size, &end, &sheet, &error), "%s", error.text);
    cr_assert_eq(end, size);
    free(bytes);
    cr_assert(sheet.channels == stored->channels && sheet.maxval == 255);
    cr_assert(sheet.width == 2 + 16 * (stored->width + 2));
    cr_assert(sheet.height == 2 + 3 * (stored->height + 2));
    cr_expect(sheet.samples[0] == 255);
    for (int i = 0; i < stored->count; i++) {
        View v = augment_view(augment_random(5, 0, (uint32_t)i), (Augment){ .crop = 1, .flip = 1 });
        for (int c = 0; c < stored->channels; c++)
            for (int y = 0; y < stored->height; y++)
                for (int x = 0; x < stored->width; x++) {
                    int from = (v.mirrored ? stored->width - 1 - x : x) + v.right;
                    cr_assert_eq(sample(&sheet, stored, 0, i, y, x, c), at(stored, i, c, y, x));
                    cr_assert_eq(sample(&sheet, stored, 1, i, y, x, c), at(&after, i, c, y, x));
                    cr_assert_eq(sample(&sheet, stored, 2, i, y, x, c),
                                 at(&after, i, c, y + v.down, from));
                }
    }
    pnm_free(&sheet);
    free(after.pixels);
}

Test(alter, data_shapes)
{
    char *folder = folder_new(), *program = step();
    Dataset data = made((Size){ 16, 1, 28, 28 });
    for (int i = 0; i < data.count; i++)
        shapes_draw(0, (uint32_t)i, data.pixels + i * 784);
    char *path = str_format("%s/sheet.pgm", folder);
    char *words = str_format("data shapes --seed 5 --alter noise:32 --output %s", path);
    char *text = prints(program, words);
    cr_expect(strstr(text, "shapes: images of 1x28x28, 10 classes, mean 0."), "%s", text);
    cr_expect(strstr(text, " 0 disc                2000        200\n"), "%s", text);
    cr_expect(strstr(text, "\nall                   20000       2000\n"), "%s", text);
    expect_sheet(path, &data, "noise:32");
    run_well("%s data shapes --output %s && test $(head -2 %s | tail -1 | cut -d' ' -f2) = 62",
             program, path, path); /* without --alter two rows of images */
    free(words);
    free(path);
    free(text);
    free(program);
    free(data.pixels);
    folder_remove(folder);
}

/* Fewer than sixteen, in colour. */
Test(alter, data_in_colour)
{
    char *folder = folder_new(), *program = step();
    Dataset data = made((Size){ 5, 3, 32, 32 });
    for (int i = 0; i < 6; i++) {
        char *path = i < 5 ? str_format("%s/data_batch_%d.bin", folder, i + 1)
                           : str_format("%s/test_batch.bin", folder);
        FILE *file = fopen(path, "wb");
        cr_assert_not_null(file);
        cr_assert_eq(fputc(i % 3, file), i % 3);
        cr_assert_eq(fwrite(data.pixels + (i % 5) * 3072, 1, 3072, file), 3072);
        cr_assert_eq(fclose(file), 0);
        free(path);
    }
    char *path = str_format("%s/sheet.ppm", folder);
    Result r = run("CIFAR10=%s %s data cifar10 --seed 5 --alter shift:4 --output %s", folder,
                   program, path);
    cr_assert_eq(r.status, 0, "%s", r.err);
    cr_expect(strstr(r.out, " 1 automobile             2          0\n"), "%s", r.out);
    expect_sheet(path, &data, "shift:4");
    result_free(&r);
    free(path);
    free(program);
    free(data.pixels);
    folder_remove(folder);
}
