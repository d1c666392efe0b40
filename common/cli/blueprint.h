/* A step on a data set: what train and evaluate share. */
#ifndef CLI_BLUEPRINT_H
#define CLI_BLUEPRINT_H

#include "cli/commands.h"
#include "data/alter.h"
#include "train/evaluate.h"

/* What a network of any batch size is built from, and what it runs by. */
typedef struct {
    const Step *step;
    Shape shape;
    EngineKind engine;
} Blueprint;

/* origin: the weights that will be run, or NULL. */
Blueprint blueprint_for_data(const Run *run, const struct Origin *origin, const Dataset *data);

/* Builds from a blueprint, which must outlive the builder. */
Builder blueprint_builder(const Blueprint *plan);

/* dataset_open, its images then altered where `alter` has a name; ends the program where the set
 * cannot be opened. */
Dataset blueprint_open_data(const char *name, DatasetPart part, int limit, Alteration alter);

/* What --alter says: a name of "" where it was not given. Ends the program where it says nonsense.
 */
Alteration blueprint_alteration(const Options *options);

#endif
