/* Training by a recipe, from the first epoch to the result on the test set. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "data/augment.h"
#include "train/evaluate.h"

typedef struct {
    const char *data; /* the data set's name */
    const char *out;  /* the folder for log, checkpoints and result */
    bool resume;
    bool longer; /* may resuming make the run longer? */
    int limit;   /* images of the training set; 0: all */
    int epochs, batch_size;
    double lr, min_lr, warmup; /* warmup: epochs */
    double weight_decay, smoothing;
    bool classic; /* SGD and steps of the learning rate (min_lr is not used) in place of AdamW and a
                     cosine */
    bool mixup, cutmix;
    RandAugment randaugment;
    double erasing;       /* probability of random erasing */
    bool no_crop_flip;    /* images are neither cropped nor flipped at random */
    const Weights *start; /* the weights to start from; NULL: fresh ones */
    bool freeze;          /* train the head alone, train/features.h */
    double ema;           /* decay of the weights' average per optimiser step; 0: no average */
    uint64_t seed;
    const Metadata *metadata; /* of the files with weights: network and data set */
    size_t metadata_count;
    const char *network; /* step and options that build it, for the recipe in a checkpoint */
} Recipe;

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
