/* A step's network on a data set, for train and evaluate. */
#ifndef CLI_BLUEPRINT_H
#define CLI_BLUEPRINT_H

#include "cli/commands.h"
#include "data/alter.h"
#include "train/evaluate.h"

/* A network of any batch size, to be built, and the engine to run it. */
typedef struct {
    const Step *step;
    Shape shape;
    EngineKind engine;
} Blueprint;

/* Makes the blueprint for a data set. origin: the weights to be run, or NULL. */
Blueprint blueprint_for_data(const Run *run, const struct Origin *origin, const Dataset *data);

/* Returns a builder from a blueprint, which must outlive it. */
Builder blueprint_builder(const Blueprint *plan);

/* Ends the program for a --skip-bad that is about no folder. data: the data set's name. */
void blueprint_check_skip(const Options *options, const char *data);

/* How images are wanted that have sizes of their own: by the network's input, as far as the call
 * and the weights (or NULL) say it. */
DatasetWish blueprint_wish(const Run *run, const struct Origin *origin);

/* Both parts of a set, of the training set the first `limit` images, altered where `alter` has a
 * name; ends the program where the set cannot be opened. */
void blueprint_open_data(const char *name, const DatasetWish *wish, int limit, Alteration alter,
                         Dataset *training, Dataset *test);

/* Returns the alteration that --alter names, with an empty name without the option. Ends the
 * program for an invalid one. */
Alteration blueprint_alteration(const Options *options);

#endif
