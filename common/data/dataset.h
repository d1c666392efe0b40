/* Images with labels: Fashion-MNIST, CIFAR-10 and CIFAR-100, shapes the program draws, folders of
 * the user's own images. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { DATASET_CHANNELS_MAX = 3, ALTERED_NAME = 32 };

typedef enum { TRAINING_SET, TEST_SET } DatasetPart;

typedef struct {
    const char *name;
    int count, channels, height, width, classes;
    /* The shorter side that an image of another size is resized to, before its middle of height x
     * width is cut out; 0: all of it becomes height x width, whatever its proportions. */
    int side;
    const char *const *class_names; /* [classes] */
    unsigned char *pixels;          /* [count,channels,height,width], see dataset_alloc_pixels */
    unsigned char *labels;          /* [count], each below classes */
    /* A channel's mean and standard deviation over all images of the training set (held-out ones
     * and those beyond the limit too, and for the test set as well), pixels scaled to 0 … 1. */
    float mean[DATASET_CHANNELS_MAX], std[DATASET_CHANNELS_MAX];
    char altered[ALTERED_NAME]; /* how the images were altered (data/alter.h), or "" */
    bool in_file;               /* the pixels lie in a file's memory (base/system.h) */
    const char **own_names;     /* where the names are the set's own: class_names, in one piece */
} Dataset;

/* How images are wanted that have sizes of their own, as a folder's do (data/folder.h). All 0: as
 * the network sees them that a step has where nothing is said. */
typedef struct {
    int height, width; /* the network's input; 0: 64 */
    int channels;      /* 1 or 3; 0: 3 where any training image has colours */
    bool published;    /* as published networks' images are (data/preprocess.h), in any case */
    bool skip_bad;     /* files that cannot be read are named and left out; else they are errors */
    const Dataset *like; /* prepared, normalised and named as this set, which must last, or NULL */
} DatasetWish;

/* Reads both parts of "fashion-mnist", "cifar10", "cifar100", "shapes" or "folder:PATH", or the one
 * of them that is not NULL. Fails, saying where it looked and how to get the set, when it is not
 * there. `name` must last as long as they do. */
bool dataset_open_parts(const char *name, const DatasetWish *wish, Dataset *training, Dataset *test,
                        Error *error);

/* One part; limit: only the first so many images; 0: all. */
bool dataset_open(const char *name, const DatasetWish *wish, DatasetPart part, int limit,
                  Dataset *data, Error *error);
void dataset_limit(Dataset *data, int limit);
void dataset_free(Dataset *data);

/* The bytes of one image: channels, height and width. */
size_t dataset_image_bytes(const Dataset *data);

/* Room for the pixels of `count` images of the set: in a file's memory where data->in_file says so.
 * Ends the program where there is none. */
void dataset_alloc_pixels(Dataset *data);
void dataset_free_pixels(Dataset *data);

/* The paths of the set's files, as many as there are; each and the list malloc'd. */
char **dataset_files(const char *name, int *count);

/* The path of "folder:PATH", which points into the name; NULL of another name. */
const char *dataset_folder(const char *name);

/* Tells whether these names may mean the same set. Any two folders may: their classes tell them
 * apart. */
bool dataset_same(const char *a, const char *b);

/* What a set is called among files: its name, or the last part of a folder's path; malloc'd. */
char *dataset_short_name(const char *name);

/* What is known of a set without its files: all but images, labels, mean and std; of a folder
 * nothing but its name. */
bool dataset_describe(const char *name, Dataset *data, Error *error);

/* The training set in two: a tenth (count / 10) that is held out to judge by, and the rest. Drawn
 * at random, but always the same for the same count: it does not depend on a run's seed. */
typedef struct {
    uint32_t *training, *held_out; /* places in the data set */
    int training_count, held_out_count;
} DatasetSplit;

DatasetSplit dataset_split(const Dataset *data);
void dataset_split_free(DatasetSplit *split);

#endif
