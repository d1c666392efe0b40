/* How a network is trained, and the same in words, as checkpoints keep it: the network's name, then
 * options with their values, "09_layer_norm --stem 24 … --epochs 10 --warmup 1 … --mixup 0". */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include "data/augment.h"
#include "engine/engine.h"
#include "io/safetensors.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *data; /* the data set's name */
    const char *out;  /* the folder for log, checkpoints and result */
    bool resume;
    bool longer; /* resuming may make the run longer */
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

/* Writes the recipe in words, malloc'd. altered: how the data set's images were (data/alter.h), or
 * "". */
char *recipe_text(const Recipe *recipe, EngineKind engine, const char *altered);

/* What differs, as options: "--epochs 10 then, 5 now; --lr 0.004 then, 0.1 now". Left out is a
 * warm-up that differs only because it is a tenth of the epochs both times, or a fifteenth.
 * malloc'd; NULL where nothing differs. */
char *recipe_differences(const char *then, const char *now);

/* Tells whether nothing differs but the epochs, of which there are more now. */
bool recipe_longer(const char *then, const char *now);

/* The options that say how long a recipe trains, malloc'd: "--epochs 10 --warmup 1". */
char *recipe_length(const char *recipe);

#endif
