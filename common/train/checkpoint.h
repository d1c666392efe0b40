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
    double best_top1; /* its held-out accuracy, 0 to 1, … */
    double best_loss; /* … and loss; not NaN */
    /* values */
    Weights *weights, *average; /* average: NULL where there is none */
    AdamW optimizer;            /* its step counts SGD's, too */
    Weights *velocity;          /* SGD's; NULL: AdamW trains, whose moments are there */
    const char *recipe;         /* what the run is asked for (train/recipe.h) */
    const Metadata *metadata;   /* of the weights: must be the same, where the file has them */
    size_t metadata_count;
    char *before; /* how long it was to train before it was made longer, and until which step;
                     NULL: it was not; owned by the state */
    bool longer;  /* may loading make it longer? */
    bool refused; /* loading failed because the recipe is another */
} State;

bool checkpoint_save(const char *path, const State *state, Error *error);

/* Into a state whose stores are there. Fails when the file's recipe is another, unless that only
 * has fewer epochs and the run may be made longer: then `before` says so. */
bool checkpoint_load(const char *path, State *state, Error *error);

#endif
