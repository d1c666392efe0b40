/* Images with labels, whole in memory: Fashion-MNIST, CIFAR-10, shapes the program draws. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"

#include <stdint.h>

enum { DATASET_CHANNELS_MAX = 3, ALTERED_NAME = 32 };

typedef enum { TRAINING_SET, TEST_SET } DatasetPart;

typedef struct {
    const char *name;
    int count, channels, height, width, classes;
    const char *const *class_names; /* [classes] */
    unsigned char *pixels;          /* [count,channels,height,width] */
    unsigned char *labels;          /* [count], each below classes */
    /* A channel's mean and standard deviation over all images of the training set (held-out ones
     * and those beyond the limit too, and for the test set as well), pixels scaled to 0 … 1. */
    float mean[DATASET_CHANNELS_MAX], std[DATASET_CHANNELS_MAX];
    char altered[ALTERED_NAME]; /* how the images were altered (data/alter.h), or "" */
} Dataset;

/* Reads "fashion-mnist", "cifar10" or "shapes". limit: only the first so many images; 0: all.
 * Fails, saying where it looked and how to get the set, when it is not there. */
bool dataset_open(const char *name, DatasetPart part, int limit, Dataset *data, Error *error);
void dataset_free(Dataset *data);

/* The path of the set's file number i, from 0 on, malloc'd; NULL where there is none. */
enum { DATASET_FILES_MAX = 6 };
char *dataset_file(const char *name, int i);

/* What is known of a set without its files: all but images, labels, mean and std. */
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
