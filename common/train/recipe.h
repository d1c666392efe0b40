/* Recipes in words, as checkpoints keep them: the network's name, then options with their values,
 * "09_layer_norm --stem 24 … --epochs 10 --warmup 1 … --mixup 0". */
#ifndef TRAIN_RECIPE_H
#define TRAIN_RECIPE_H

#include <stdbool.h>

/* What differs, as options: "--epochs 10 then, 5 now; --lr 0.004 then, 0.1 now". Left out is a
 * warm-up that differs only because it is a tenth of the epochs both times, or a fifteenth.
 * malloc'd; NULL where nothing differs. */
char *recipe_differences(const char *then, const char *now);

/* Does nothing differ but the epochs, of which there are more now? */
bool recipe_longer(const char *then, const char *now);

/* The options that say how long a recipe trains, malloc'd: "--epochs 10 --warmup 1". */
char *recipe_length(const char *recipe);

#endif
