#include "data/dataset.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/system.h"
#include "data/folder.h"
#include "data/place.h"
#include "data/shapes.h"
#include "io/cifar.h"
#include "io/idx.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t image_size(const Dataset *data)
{
    return size_mul(size_mul((size_t)data->channels, (size_t)data->height), (size_t)data->width);
}

void dataset_alloc_pixels(Dataset *data)
{
    size_t bytes = size_mul((size_t)data->count, image_size(data));
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

/* --- Fashion-MNIST (Xiao, Rasul and Vollgraf 2017) ------------------------------------------- */

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
                                 "%s-%s-idx%d-ubyte is missing, with a dot before idx "
                                 "and with .gz behind it as well",
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

/* --- CIFAR-10 and CIFAR-100 (Krizhevsky 2009) ------------------------------------------------ */

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

/* --- shapes ---------------------------------------------------------------------------------- */

static const Dataset shapes_set = {
    .name = "shapes",
    .channels = 1,
    .height = SHAPES_SIDE,
    .width = SHAPES_SIDE,
    .side = SHAPES_SIDE,
    .classes = SHAPES_CLASSES,
    .class_names = shapes_names,
};

typedef struct {
    Dataset *data;
    DatasetPart part;
} ShapesSet;

static void draw_shape(void *context, int i, int worker)
{
    ShapesSet *d = context;
    (void)worker;
    uint8_t *pixels = d->data->pixels + (size_t)i * image_size(d->data);
    d->data->labels[i] = (unsigned char)shapes_draw(d->part == TEST_SET, (uint32_t)i, pixels);
}

static bool shapes_open(DatasetPart part, Dataset *data, Error *error)
{
    (void)error;
    *data = shapes_set;
    data->count = part == TEST_SET ? SHAPES_TEST : SHAPES_TRAINING;
    data->pixels = mem_alloc((size_t)data->count, image_size(data));
    data->labels = mem_alloc((size_t)data->count, 1);
    parallel_for(data->count, draw_shape, &(ShapesSet){ data, part });
    return true;
}

/* --- any set --------------------------------------------------------------------------------- */

typedef struct {
    const Dataset *set; /* without its images */
    const Place *place; /* NULL: it has no files */
    int files;
    char *(*file)(const char *folder, int i); /* the path of one of them; NULL: it is not there */
    bool (*open)(DatasetPart part, Dataset *data, Error *error);
} Source;

static const Source sources[] = {
    { &fashion_set, &fashion_place, 4, fashion_file_of, fashion_open },
    { &cifar10_set, &cifar10_place, 6, cifar10_file, cifar10_open },
    { &cifar100_set, &cifar100_place, 2, cifar100_file, cifar100_open },
    { &shapes_set, NULL, 0, NULL, shapes_open },
};

/* From how often each of the 256 values occurs: exact, whatever the order. */
static void measure_channel(const Dataset *data, int channel, float *mean, float *std)
{
    size_t plane = (size_t)data->height * (size_t)data->width, image = image_size(data);
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

static void measure(const Dataset *training, Dataset *data)
{
    for (int c = 0; c < training->channels; c++)
        measure_channel(training, c, &data->mean[c], &data->std[c]);
}

static const Source *find_source(const char *name, Error *error)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(name, sources[i].set->name) == 0)
            return &sources[i];
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

/* Both parts with what their mean and std come from: the training set in any case, but where they
 * are told. */
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
        measure(first, first);
    if (good && !told && test)
        measure(first, test);
    if (!training || !good)
        dataset_free(first);
    if (test && !good)
        dataset_free(test);
    return good;
}

bool dataset_open(const char *name, DatasetPart part, int limit, Dataset *data, Error *error)
{
    bool test = part == TEST_SET;
    *data = (Dataset){ 0 };
    if (limit < 0)
        return error_set(error, name, "a limit of %d images is below 0", limit);
    if (!dataset_open_parts(name, &(DatasetWish){ 0 }, test ? NULL : data, test ? data : NULL,
                            error))
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
