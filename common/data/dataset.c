#include "data/dataset.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/system.h"
#include "data/folder.h"
#include "data/folder_list.h"
#include "data/source.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t dataset_image_bytes(const Dataset *data)
{
    return size_mul(size_mul((size_t)data->channels, (size_t)data->height), (size_t)data->width);
}

void dataset_alloc_pixels(Dataset *data)
{
    size_t bytes = size_mul((size_t)data->count, dataset_image_bytes(data));
    data->pixels = data->in_file ? system_file_alloc(bytes) : mem_alloc(bytes, 1);
    if (!data->pixels)
        error_die(EXIT_FAILED, system_file_folder(),
                  "cannot keep %d images of %dx%dx%d there: %s; TMPDIR names another folder",
                  data->count, data->channels, data->height, data->width, strerror(errno));
}

void dataset_free_pixels(Dataset *data)
{
    if (data->in_file)
        system_file_free(data->pixels);
    else
        free(data->pixels);
    data->pixels = NULL;
}

/* --- any set --------------------------------------------------------------------------------- */

static const Source *const sources[] = { &source_fashion, &source_cifar10, &source_cifar100,
                                         &source_shapes };

/* Counts how often each of the 256 values occurs: exact, whatever the order. */
static void measure_channel(const Dataset *data, int channel, float *mean, float *std)
{
    size_t plane = (size_t)data->height * (size_t)data->width, image = dataset_image_bytes(data);
    uint64_t often[256] = { 0 };
    for (int i = 0; i < data->count; i++) {
        const uint8_t *at = data->pixels + (size_t)i * image + (size_t)channel * plane;
        for (size_t j = 0; j < plane; j++)
            often[at[j]]++;
    }
    double number = (double)data->count * (double)plane, sum = 0, squares = 0;
    for (int value = 0; value < 256; value++)
        sum += (double)often[value] * value;
    double middle = sum / number;
    for (int value = 0; value < 256; value++)
        squares += (double)often[value] * (value - middle) * (value - middle);
    double deviation = sqrt(squares / number);
    *mean = (float)(middle / 255);
    *std =
        (float)((deviation > 0 ? deviation : 1) / 255); /* one colour only: nothing to divide by */
}

static void measure_channels(const Dataset *training, Dataset *data)
{
    for (int c = 0; c < training->channels; c++)
        measure_channel(training, c, &data->mean[c], &data->std[c]);
}

static const Source *find_source(const char *name, Error *error)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(name, sources[i]->set->name) == 0)
            return sources[i];
    error_set(error, name,
              "no data set of this name; there are fashion-mnist, cifar10, cifar100, shapes and "
              "folder:PATH");
    return NULL;
}

static const char folder_name[] = "folder:";

const char *dataset_folder(const char *name)
{
    size_t length = sizeof folder_name - 1;
    return strncmp(name, folder_name, length) == 0 ? name + length : NULL;
}

bool dataset_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (dataset_folder(a) && dataset_folder(b));
}

char *dataset_short_name(const char *name)
{
    const char *path = dataset_folder(name);
    if (!path)
        return str_format("%s", name);
    size_t end = strlen(path);
    while (end && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start && path[start - 1] != '/')
        start--;
    bool named = end > start && strspn(path + start, ".") < end - start;
    return named ? str_format("%.*s", (int)(end - start), path + start) : str_format("folder");
}

bool dataset_describe(const char *name, Dataset *data, Error *error)
{
    *data = (Dataset){ .name = name };
    if (dataset_folder(name))
        return true;
    const Source *source = find_source(name, error);
    *data = source ? *source->set : (Dataset){ 0 };
    return source;
}

char **dataset_files(const char *name, int *count)
{
    const char *path = dataset_folder(name);
    *count = 0;
    if (path)
        return folder_files(path, count);
    const Source *source = find_source(name, NULL);
    char *folder = source && source->files ? place_find(source->place, NULL) : NULL;
    char **paths = mem_alloc(source ? (size_t)source->files : 0, sizeof *paths);
    for (int i = 0; folder && i < source->files; i++) {
        char *file = source->file(folder, i);
        if (file)
            paths[(*count)++] = file;
    }
    free(folder);
    return paths;
}

/* Opens both parts with what their mean and std come from: the training set in any case, but where
 * they are told. */
static bool open_parts(const char *name, const DatasetWish *wish, Dataset *training, Dataset *test,
                       Error *error)
{
    if (dataset_folder(name))
        return folder_open(name, dataset_folder(name), wish, training, test, error);
    const Source *source = find_source(name, error);
    return source && source->open(TRAINING_SET, training, error) &&
           (!test || source->open(TEST_SET, test, error));
}

bool dataset_open_parts(const char *name, const DatasetWish *wish, Dataset *training, Dataset *test,
                        Error *error)
{
    Dataset own = { 0 }, *first = training ? training : &own;
    bool told = dataset_folder(name) && wish->like;
    *first = (Dataset){ 0 };
    if (test)
        *test = (Dataset){ 0 };
    bool good = open_parts(name, wish, training || !told ? first : NULL, test, error);
    if (good && !told)
        measure_channels(first, first);
    if (good && !told && test)
        measure_channels(first, test);
    if (!training || !good)
        dataset_free(first);
    if (test && !good)
        dataset_free(test);
    return good;
}

bool dataset_open(const char *name, const DatasetWish *wish, DatasetPart part, int limit,
                  Dataset *data, Error *error)
{
    bool test = part == TEST_SET;
    if (!dataset_open_parts(name, wish, test ? NULL : data, test ? data : NULL, error))
        return false;
    dataset_limit(data, limit);
    return true;
}

void dataset_limit(Dataset *data, int limit)
{
    if (limit && limit < data->count)
        data->count = limit;
}

void dataset_free(Dataset *data)
{
    dataset_free_pixels(data);
    free(data->labels);
    free(data->own_names);
    *data = (Dataset){ 0 };
}

/* --- held out -------------------------------------------------------------------------------- */

DatasetSplit dataset_split(const Dataset *data)
{
    DatasetSplit split = { .held_out_count = data->count / 10 };
    split.training_count = data->count - split.held_out_count;
    split.training = mem_alloc((size_t)split.training_count, sizeof *split.training);
    split.held_out = mem_alloc((size_t)split.held_out_count, sizeof *split.held_out);
    uint32_t *order = mem_alloc((size_t)data->count, sizeof *order);
    random_permutation((Random){ 0, random_stream("held out") }, order, (uint32_t)data->count);
    for (int i = 0; i < data->count; i++) {
        int place = i - split.held_out_count;
        if (place < 0)
            split.held_out[i] = order[i];
        else
            split.training[place] = order[i];
    }
    free(order);
    return split;
}

void dataset_split_free(DatasetSplit *split)
{
    free(split->training);
    free(split->held_out);
    *split = (DatasetSplit){ 0 };
}
