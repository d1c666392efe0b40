/* CIFAR-10 and CIFAR-100 (Krizhevsky 2009). */
#include "base/memory.h"
#include "data/source.h"
#include "io/cifar.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const cifar10_names[] = { "airplane", "automobile", "bird",  "cat",  "deer",
                                             "dog",      "frog",       "horse", "ship", "truck" };

/* As fine_label_names.txt beside the files has them. */
static const char *const cifar100_names[] = {
    "apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
    "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
    "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
    "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
    "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
    "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
    "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
    "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
    "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
    "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
    "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
    "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
    "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
    "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
    "table",       "tank",          "telephone", "television", "tiger",        "tractor",
    "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
    "willow_tree", "wolf",          "woman",     "worm",
};
_Static_assert(sizeof cifar100_names / sizeof *cifar100_names == CIFAR100, "a name per class");

static const Dataset cifar10_set = {
    .name = "cifar10",
    .channels = 3,
    .height = CIFAR_SIDE,
    .width = CIFAR_SIDE,
    .side = CIFAR_SIDE,
    .classes = CIFAR10,
    .class_names = cifar10_names,
};

static const Dataset cifar100_set = {
    .name = "cifar100",
    .channels = 3,
    .height = CIFAR_SIDE,
    .width = CIFAR_SIDE,
    .side = CIFAR_SIDE,
    .classes = CIFAR100,
    .class_names = cifar100_names,
};

static bool has_or_packed(const char *folder, const char *file)
{
    char *packed = str_format("%s.gz", file);
    bool there = place_has(folder, file) || place_has(folder, packed);
    free(packed);
    return there;
}

static bool cifar10_holds(const char *folder)
{
    return has_or_packed(folder, "data_batch_1.bin");
}

static bool cifar100_holds(const char *folder)
{
    return has_or_packed(folder, "train.bin");
}

#define NOT_BINARY "; the binary one is wanted"
static const Place cifar10_place = {
    .set = "cifar10",
    .variable = "CIFAR10",
    .folders = (const char *const[]){ "data/cifar-10-batches-bin", NULL },
    .below = (const char *const[]){ "cifar-10-batches-bin", NULL },
    .holds = cifar10_holds,
    .wanted = "data_batch_1.bin",
    .get = "Get the binary version, cifar-10-binary.tar.gz, from "
           "https://www.cs.toronto.edu/~kriz/cifar.html and unpack it into data/. "
           "--data shapes needs no files",
    .clues = (const Clue[]){ { "cifar-10-binary.tar.gz", "that is it, to be unpacked by tar -xzf" },
                             { "data_batch_1", "that is the Python version" NOT_BINARY },
                             { "cifar-10-batches-py", "that is the Python version" NOT_BINARY },
                             { "cifar-10-python.tar.gz", "that is the Python version" NOT_BINARY },
                             { "data_batch_1.mat", "that is the Matlab version" NOT_BINARY },
                             { "cifar-10-batches-mat", "that is the Matlab version" NOT_BINARY },
                             { "train.bin", "that is CIFAR-100, another set: --data cifar100" },
                             { "cifar-100-binary", "that is CIFAR-100: --data cifar100" },
                             { "cifar-100-python", "that is CIFAR-100, another set" },
                             { NULL, NULL } },
};

static const Place cifar100_place = {
    .set = "cifar100",
    .variable = "CIFAR100",
    .folders = (const char *const[]){ "data/cifar-100-binary", NULL },
    .below = (const char *const[]){ "cifar-100-binary", NULL },
    .holds = cifar100_holds,
    .wanted = "train.bin",
    .get = "Get the binary version, cifar-100-binary.tar.gz, from "
           "https://www.cs.toronto.edu/~kriz/cifar.html and unpack it into data/. "
           "--data shapes needs no files",
    .clues =
        (const Clue[]){ { "cifar-100-binary.tar.gz", "that is it, to be unpacked by tar -xzf" },
                        { "train", "that is the Python version" NOT_BINARY },
                        { "cifar-100-python", "that is the Python version" NOT_BINARY },
                        { "cifar-100-python.tar.gz", "that is the Python version" NOT_BINARY },
                        { "train.mat", "that is the Matlab version" NOT_BINARY },
                        { "cifar-100-matlab", "that is the Matlab version" NOT_BINARY },
                        { "data_batch_1.bin", "that is CIFAR-10, another set: --data cifar10" },
                        { NULL, NULL } },
};

/* Those of the training set, and the last that of the test set. */
static const char *const cifar10_files[] = { "data_batch_1.bin", "data_batch_2.bin",
                                             "data_batch_3.bin", "data_batch_4.bin",
                                             "data_batch_5.bin", "test_batch.bin" };
static const char *const cifar100_files[] = { "train.bin", "test.bin" };

static char *cifar_file(const char *folder, const char *file)
{
    char *packed = str_format("%s.gz", file);
    bool plain = place_has(folder, file) || !place_has(folder, packed);
    char *path = str_format("%s/%s", folder, plain ? file : packed);
    free(packed);
    return path;
}

static char *cifar10_file(const char *folder, int i)
{
    return cifar_file(folder, cifar10_files[i]);
}

static char *cifar100_file(const char *folder, int i)
{
    return cifar_file(folder, cifar100_files[i]);
}

/* Puts the images of a file behind those that are there. */
static bool cifar_append(const char *path, CifarKind kind, Dataset *data, Error *error)
{
    Cifar set;
    bool good = cifar_read(path, kind, &set, error);
    if (good && set.count > (size_t)(INT_MAX - data->count)) {
        cifar_free(&set);
        good = error_set(error, path, "%zu images are too many", set.count);
    }
    if (!good)
        return false;
    size_t before = (size_t)data->count, all = before + set.count;
    data->pixels = mem_grow(data->pixels, all, CIFAR_IMAGE);
    data->labels = mem_grow(data->labels, all, 1);
    memcpy(data->pixels + before * CIFAR_IMAGE, set.images, set.count * CIFAR_IMAGE);
    memcpy(data->labels + before, set.labels, set.count);
    data->count = (int)all;
    cifar_free(&set);
    return true;
}

/* count: of the files, the test set's among them. */
static bool cifar_open(const Place *place, CifarKind kind, const char *const *files, int count,
                       DatasetPart part, Dataset *data, Error *error)
{
    char *folder = place_find(place, error);
    bool good = folder;
    int first = part == TEST_SET ? count - 1 : 0, end = part == TEST_SET ? count : count - 1;
    for (int i = first; good && i < end; i++) {
        char *path = cifar_file(folder, files[i]);
        good = cifar_append(path, kind, data, error);
        free(path);
    }
    free(folder);
    if (!good)
        dataset_free(data);
    return good;
}

static bool cifar10_open(DatasetPart part, Dataset *data, Error *error)
{
    *data = cifar10_set;
    return cifar_open(&cifar10_place, CIFAR10, cifar10_files, 6, part, data, error);
}

static bool cifar100_open(DatasetPart part, Dataset *data, Error *error)
{
    *data = cifar100_set;
    return cifar_open(&cifar100_place, CIFAR100, cifar100_files, 2, part, data, error);
}

const Source source_cifar10 = { &cifar10_set, &cifar10_place, 6, cifar10_file, cifar10_open };
const Source source_cifar100 = { &cifar100_set, &cifar100_place, 2, cifar100_file, cifar100_open };
