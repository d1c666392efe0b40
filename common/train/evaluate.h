/* How well a network names images. */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include "data/dataset.h"
#include "engine/engine.h"

/* The network for a batch size, whatever the caller builds it from, and what it is to run by. */
typedef struct {
    Net *(*build)(const void *context, int batch_size);
    const void *context;
    EngineKind engine;
} Builder;

typedef struct {
    int count;
    double top1, top5; /* shares, 0 to 1 */
    double loss;       /* mean cross-entropy, no smoothing */
    bool stopped;      /* by a signal (base/stop.h), before all were counted: no score */
    int undecided;     /* images with a NaN among their logits: wrong, and not in … */
    int *confusion;    /* [classes][classes]: true class, then the one named; owned by the score */
} Score;

/* Runs the images of a list (indices into the data set; NULL: the first `count`) through the
 * network, batch_size at a time, which does not change a bit of the score. */
bool evaluate_images(Builder builder, const Weights *weights, const Dataset *data,
                     const uint32_t *list, int count, int batch_size, Score *score, Error *error);

/* The same for what a network's last layers make of features that are there (train/features.h), of
 * which the images have x [count], and whose weights those are. */
Score evaluate_features(const Net *head, EngineKind kind, const Weights *weights, const float *x,
                        const int *labels, int count);

#endif
