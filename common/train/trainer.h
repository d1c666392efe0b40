/* Training by a recipe, from the first epoch to the result on the test set. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "train/evaluate.h"
#include "train/recipe.h"

/* INTERRUPTED: by a signal (base/stop.h), after saving. REFUSED: the folder holds a run that would
 * be lost or has another recipe. */
typedef enum { TRAINED_ALL, TRAINED_INTERRUPTED, TRAIN_REFUSED } TrainEnd;

/* Checks that there are images to hold out, and enough for a batch; else `error` names the option.
 */
bool trainer_possible(const Recipe *recipe, const Dataset *training, Error *error);

/* Trains, logs, picks the epoch by the held-out tenth (of equal top-1, the lower loss), and
 * evaluates the test set once, at the end. Requires trainer_possible. On success *end is not
 * TRAIN_REFUSED. Fails where another run is working in recipe->out. Its files: train/run_folder.h.
 */
bool trainer_run(const Recipe *recipe, Builder builder, const Dataset *training,
                 const Dataset *test, TrainEnd *end, Error *error);

#endif
