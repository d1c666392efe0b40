/* data: what is in a data set, and what training and --alter make of its images. */
#include "cli/blueprint.h"

#include "base/memory.h"
#include "cli/outputs.h"
#include "cli/print.h"
#include "cli/recipes.h"
#include "data/folder.h"
#include "data/loader.h"
#include "data/preprocess.h"
#include "io/pnm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 16, GAP = 2 };

/* --- numbers --------------------------------------------------------------------------------- */

static void print_channels(const char *what, const float *values, int channels)
{
    printf(", %s", what);
    for (int c = 0; c < channels; c++)
        printf(" %.4f", (double)values[c]);
}

static int count_class(const Dataset *data, int class)
{
    int count = 0;
    for (int i = 0; i < data->count; i++)
        count += data->labels[i] == class;
    return count;
}

static void print_counts(const Dataset *training, const Dataset *test, const DatasetWish *wish)
{
    print_name(training->name);
    printf(": images of %dx%dx%d, %d classes", training->channels, training->height,
           training->width, training->classes);
    print_channels("mean", training->mean, training->channels);
    print_channels("std", training->std, training->channels);
    if (dataset_folder(training->name)) {
        char *size = preprocess_text(training, wish->height, wish->width);
        printf("\nfor an input of %dx%d: %s", wish->height, wish->width, size);
        free(size);
    }
    printf("\n\n%-16s %10s %10s\n", "class", "training", "test");
    for (int i = 0; i < training->classes; i++) {
        print_class(i, training->class_names[i], false);
        printf(" %10d %10d\n", count_class(training, i), count_class(test, i));
    }
    printf("%-16s %10d %10d\n", "all", training->count, test->count);
}

/* --- a contact sheet ------------------------------------------------------------------------- */

/* Rows of sixteen images on white, each row the same ones. */
typedef struct {
    int width, height, channels;
    uint8_t *samples; /* [height,width,channels] */
} Sheet;

static Sheet sheet_new(const Dataset *data, int rows)
{
    Sheet sheet = { .width = IMAGES * (data->width + GAP) + GAP,
                    .height = rows * (data->height + GAP) + GAP,
                    .channels = data->channels };
    size_t size = (size_t)sheet.width * (size_t)sheet.height * (size_t)sheet.channels;
    sheet.samples = mem_alloc(size, 1);
    memset(sheet.samples, 255, size);
    return sheet;
}

/* A row of images as an epoch's first batch has them. The input has the images' own size, so that
 * the loader only changes and normalises them; that is undone, and what noise leaves 0 … 255 cut.
 */
static void sheet_put(Sheet *sheet, int row, const Dataset *data, Augment augment, uint64_t seed)
{
    int height = data->height, width = data->width, channels = data->channels;
    LoaderOptions options = { .data = data,
                              .count = data->count,
                              .channels = channels,
                              .height = height,
                              .width = width,
                              .batch_size = data->count,
                              .augment = augment,
                              .seed = seed };
    Error error;
    const Batch *batch;
    Loader *loader = loader_start(&options, &error);
    if (!loader)
        error_die_of(EXIT_FAILED, &error);
    loader_next(loader, &batch);
    size_t size = (size_t)height * (size_t)width * (size_t)channels;
    for (size_t at = 0; at < (size_t)data->count * size; at++) {
        int i = (int)(at / size), c = (int)(at % (size_t)channels);
        int point = (int)(at % size) / channels;
        int y = GAP + row * (height + GAP) + point / width;
        int x = GAP + i * (width + GAP) + point % width;
        double value = (double)batch->x[at] * (double)data->std[c] + (double)data->mean[c];
        sheet->samples[((size_t)y * (size_t)sheet->width + (size_t)x) * (size_t)channels +
                       (size_t)c] = (uint8_t)lround(255 * fmin(fmax(value, 0), 1));
    }
    loader_stop(loader);
}

/* The first sixteen training images as they are stored, altered where --alter is given, and as the
 * first epoch of a training with this seed and these options changes those. Mixed are these
 * sixteen, each with the next one. */
static void write_sheet(const Options *o, const Dataset *training, const Alteration *alter)
{
    bool altered = *alter->name;
    Dataset data = *training;
    Error error;
    data.count = data.count < IMAGES ? data.count : IMAGES;
    Dataset after = altered ? alter_dataset(&data, TRAINING_SET, alter) : data;
    Augment augment = { .crop = true,
                        .flip = true,
                        .mixup = o->mixup,
                        .cutmix = o->cutmix,
                        .randaugment = { o->randaugment[0], o->randaugment[1] },
                        .erasing = o->erasing };
    Sheet sheet = sheet_new(&data, 2 + altered);
    sheet_put(&sheet, 0, &data, (Augment){ 0 }, o->seed);
    if (altered)
        sheet_put(&sheet, 1, &after, (Augment){ 0 }, o->seed);
    sheet_put(&sheet, 1 + altered, &after, augment, o->seed);
    if (!pnm_write(o->output, sheet.width, sheet.height, sheet.channels, sheet.samples, &error))
        error_die_of(EXIT_FAILED, &error);
    if (altered)
        dataset_free_pixels(&after);
    free(sheet.samples);
}

int cmd_data(const Run *run)
{
    Options with_recipe = run->options;
    const Options *o = &with_recipe;
    recipes_apply(&with_recipe);
    Alteration alter = blueprint_alteration(o);
    Dataset described;
    Error error;
    if (o->operand_count != 1)
        error_die(EXIT_USAGE, "data", "needs the name of one data set");
    if (!dataset_describe(o->operands[0], &described, &error))
        error_die_of(EXIT_USAGE, &error);
    static const char *const changes[] = { "--alter",   "--recipe", "--randaugment",
                                           "--erasing", "--mixup",  "--cutmix" };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (option_given(o, changes[i]) && !o->output)
            error_die(EXIT_USAGE, changes[i], "shows only in the images: needs --output as well");
    if (option_given(o, "--input") && !dataset_folder(described.name))
        error_die(EXIT_USAGE, "--input", "is for folders, whose images have any size");
    outputs_check_data(o, described.name);
    Dataset training, test;
    blueprint_check_skip(o, o->operands[0]);
    DatasetWish wish = { .height = FOLDER_INPUT, .width = FOLDER_INPUT, .skip_bad = o->skip_bad };
    if (option_given(o, "--input"))
        wish.channels = o->input[0], wish.height = o->input[1], wish.width = o->input[2];
    blueprint_open_data(described.name, &wish, 0, (Alteration){ 0 }, &training, &test);
    print_counts(&training, &test, &wish);
    if (o->output)
        write_sheet(o, &training, &alter);
    dataset_free(&training);
    dataset_free(&test);
    return 0;
}
