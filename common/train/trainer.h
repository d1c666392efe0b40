/* Training: one recipe for every step. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "data/augment.h"
#include "train/evaluate.h"

typedef struct {
    const char *data; /* the data set's name */
    const char *out;  /* the folder for log, checkpoints and result */
    bool resume;
    bool longer; /* may it make the run that it goes on with longer? */
    int limit;   /* images of the training set; 0: all */
    int epochs, batch_size;
    double lr, min_lr, warmup; /* warmup: epochs */
    double weight_decay, smoothing;
    bool classic; /* SGD and steps of the learning rate (min_lr is not used) in place of AdamW and a
                     cosine */
    bool mixup, cutmix;
    RandAugment randaugment;
    double erasing; /* probability of random erasing */
    double ema;     /* decay of the weights' average an optimiser step; 0: none */
    uint64_t seed;
    const Metadata *metadata; /* of the files with weights: what they are of */
    size_t metadata_count;
    const char *network; /* what tells this network from others, for the recipe in a checkpoint */
} Recipe;

/* INTERRUPTED: by a signal (base/stop.h), all that was done is saved. REFUSED: the folder holds a
 * run that is not to be lost or is of another recipe. */
typedef enum { TRAINED_ALL, TRAINED_INTERRUPTED, TRAIN_REFUSED } TrainEnd;

/* Are there images to hold out, and enough for a batch? Else `error` names the option. */
bool trainer_possible(const Recipe *recipe, const Dataset *training, Error *error);

/* Trains, if that is possible, logs, picks the epoch by the held-out tenth (of equal top-1, the
 * lower loss), and reads the test set once, at the end. On success *end is not TRAIN_REFUSED.
 * Nobody else may be training in that folder. Files in recipe->out: log.tsv, last.safetensors,
 * best.safetensors, result.tsv. */
bool trainer_run(const Recipe *recipe, Builder builder, const Dataset *training,
                 const Dataset *test, TrainEnd *end, Error *error);

#endif
