/* --recipe: what training takes where its options say nothing.
 *
 *                         without     classic            paper (Table 5)
 *   optimiser             AdamW       SGD, momentum 0.9  AdamW
 *   learning rate         4e-3        0.1 for 256        4e-3
 *                                     images at a time
 *   its schedule          cosine      by ten at 1/3, 2/3 cosine
 *   warm-up, of all       1/10        none               1/15: 20 of 300 epochs
 *   weight decay          0.05        1e-4, all weights  0.05
 *   label smoothing       0.1         none               0.1
 *   crop, flip            yes         yes                yes
 *   RandAugment           no          no                 2 of magnitude 9
 *   mixup, CutMix         no          no                 yes, alpha 0.8 and 1
 *   random erasing        no          no                 0.25
 *   drop path             the step's  the step's         0.1, where the network has it
 *
 * The paper's learning rate is for 4096 images at a time and 300 epochs; at the sizes and lengths
 * of these programs it suits 64, as it stands. Its average of the weights (0.9999) it left out on
 * the road, as it is left out here: --ema. */
#ifndef CLI_RECIPES_H
#define CLI_RECIPES_H

#include "cli/network.h"

/* Sets what was not given. An option that the recipe has no use for ends the program. */
void recipes_apply(Options *options);

bool recipes_classic(const Options *options);

/* The recipe's drop path, where the network has layers for it and no --drop-path was given. */
void recipes_apply_to_network(const Options *options, const Step *step, Shape *shape);

#endif
