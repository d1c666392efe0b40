/* The state of a training run, whole in one file: weights, optimiser, average, and where it stands.
 * Everything random is a function of seed and position (base/random.h), so that is all there is. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "graph/weights.h"
#include "train/adamw.h"

typedef struct {
    /* position */
    int epoch;        /* epochs that are complete */
    int batch;        /* batches done of the next one */
    double loss_sum;  /* of those batches */
    int best_epoch;   /* 0: none yet */
    double best_top1; /* its held-out accuracy, 0 to 1 */
    /* values */
    Weights *weights, *average; /* average: NULL where there is none */
    AdamW optimizer;
    const char *recipe;       /* what the run was asked for: must be the same when it goes on */
    const Metadata *metadata; /* of the weights: likewise, where the file has them */
    size_t metadata_count;
} State;

bool checkpoint_save(const char *path, const State *state, Error *error);

/* Into a state whose stores are there; fails when the file's recipe is another. */
bool checkpoint_load(const char *path, State *state, Error *error);

#endif
