/* A step on a data set: what train and evaluate share. */
#ifndef CLI_BLUEPRINT_H
#define CLI_BLUEPRINT_H

#include "cli/commands.h"
#include "train/evaluate.h"

/* What a network of any batch size is built from. */
typedef struct {
    const Step *step;
    Shape shape;
} Blueprint;

Blueprint blueprint_for_data(const Run *run, const Dataset *data);

/* Builds from a blueprint, which must outlive the builder. */
Builder blueprint_builder(const Blueprint *plan);

/* dataset_open, ending the program where the set cannot be opened. */
Dataset blueprint_open_data(const char *name, DatasetPart part, int limit);

/* The batch size in training and evaluation: 64, or what --batch-size says. */
int blueprint_batch_size(const Options *options);

#endif
