/* Fashion-MNIST (Xiao, Rasul and Vollgraf 2017). */
#include "base/memory.h"
#include "data/source.h"
#include "io/idx.h"

#include <limits.h>
#include <stdlib.h>

static const char *const fashion_names[] = { "T-shirt/top", "trouser",   "pullover", "dress",
                                             "coat",        "sandal",    "shirt",    "sneaker",
                                             "bag",         "ankle boot" };

static const Dataset fashion_set = {
    .name = "fashion-mnist",
    .channels = 1,
    .height = 28,
    .width = 28,
    .side = 28,
    .classes = 10,
    .class_names = fashion_names,
};

/* The path of a file, by whichever of its names is there: train-images-idx3-ubyte or, as mirrors
 * and 7-Zip have it, train-images.idx3-ubyte, and both with .gz; NULL where none is. */
static char *fashion_file(const char *folder, const char *part, const char *what, int rank)
{
    static const char *const ends[] = { "", ".gz" };
    for (int i = 0; i < 4; i++) {
        char *name = str_format("%s-%s%cidx%d-ubyte%s", part, what, "-."[i % 2], rank, ends[i / 2]);
        char *path = place_has(folder, name) ? str_format("%s/%s", folder, name) : NULL;
        free(name);
        if (path)
            return path;
    }
    return NULL;
}

static char *fashion_file_of(const char *folder, int i)
{
    const char *part = i < 2 ? "train" : "t10k";
    return i % 2 ? fashion_file(folder, part, "labels", 1)
                 : fashion_file(folder, part, "images", 3);
}

static bool fashion_holds(const char *folder)
{
    char *path = fashion_file_of(folder, 0);
    bool there = path;
    free(path);
    return there;
}

static const Place fashion_place = {
    .set = "fashion-mnist",
    .variable = "FASHION_MNIST",
    .folders =
        (const char *const[]){ "data/fashion-mnist", "/usr/share/datasets/fashion-mnist", NULL },
    .below = (const char *const[]){ "FashionMNIST/raw", "fashion-mnist", NULL },
    .holds = fashion_holds,
    .wanted = "train-images-idx3-ubyte[.gz]",
    .get = "On Debian get it by: apt-get install dataset-fashion-mnist; or put the four files that "
           "https://github.com/zalandoresearch/fashion-mnist links to into data/fashion-mnist. "
           "--data shapes needs no files",
    .clues =
        (const Clue[]){ { "fashion-mnist_train.csv", "that is a table, the IDX files are wanted" },
                        { NULL, NULL } },
};

static bool fashion_read(const char *folder, const char *part, const char *what, int rank, Idx *idx,
                         Error *error)
{
    char *path = fashion_file(folder, part, what, rank);
    bool good = path ? idx_read(path, rank, idx, error)
                     : error_set(error, folder,
                                 "%s-%s-idx%d-ubyte is missing; with a dot before idx, or "
                                 "with .gz at its end, it would do, too",
                                 part, what, rank);
    free(path);
    return good;
}

static bool fashion_check(const char *folder, const Idx *images, const Idx *labels, Error *error)
{
    if (images->count != labels->count)
        return error_set(error, folder, "%zu image%s, but %zu label%s", images->count,
                         images->count == 1 ? "" : "s", labels->count,
                         labels->count == 1 ? "" : "s");
    if (images->rows != 28 || images->columns != 28)
        return error_set(error, folder, "the images are %zux%zu, not Fashion-MNIST's 28x28",
                         images->rows, images->columns);
    if (images->count > INT_MAX)
        return error_set(error, folder, "%zu images are too many", images->count);
    for (size_t i = 0; i < labels->count; i++)
        if (labels->items[i] > 9)
            return error_set(error, folder, "image %zu has the label %d, above 9", i,
                             labels->items[i]);
    return true;
}

static bool fashion_open(DatasetPart part, Dataset *data, Error *error)
{
    const char *prefix = part == TEST_SET ? "t10k" : "train";
    char *folder = place_find(&fashion_place, error);
    Idx images = { 0 }, labels = { 0 };
    *data = fashion_set;
    bool good = folder && fashion_read(folder, prefix, "images", 3, &images, error) &&
                fashion_read(folder, prefix, "labels", 1, &labels, error) &&
                fashion_check(folder, &images, &labels, error);
    free(folder);
    if (!good) {
        idx_free(&images);
        idx_free(&labels);
        return false;
    }
    data->count = (int)images.count;
    data->pixels = images.items;
    data->labels = labels.items;
    return true;
}

const Source source_fashion = { &fashion_set, &fashion_place, 4, fashion_file_of, fashion_open };
