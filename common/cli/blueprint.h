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

/* Opens a data set and alters its images unless alter.name is empty; ends the program if the set
 * cannot be opened. */
Dataset blueprint_open_data(const char *name, DatasetPart part, int limit, Alteration alter);

/* Returns the alteration that --alter names, with an empty name without the option. Ends the
 * program for an invalid one. */
Alteration blueprint_alteration(const Options *options);

#endif
