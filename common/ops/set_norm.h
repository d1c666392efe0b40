/* Common code of group norm and layer norm: both normalise sets of values of one sample and differ
 * in the choice of the sets (Wu and He 2018; Ba, Kiros, Hinton 2016):
 *   y = (x - mean) / sqrt(var + eps) · weight[channel] + bias[channel]
 * with the set's own mean and biased variance, in training and inference alike. */
#ifndef OPS_SET_NORM_H
#define OPS_SET_NORM_H

#include "graph/op.h"

void set_norm_add_params(Tensor *t);
void set_norm_define(const Tensor *t, const Call *c);
void set_norm_derive(const Tensor *t, const Call *c);

/* --- in plain loops, also used by batch norm ------------------------------------------------- */

/* Values that are normalised together: `rows` pixels with `channels` channels each, from x[first]
 * on. */
typedef struct {
    size_t first, rows, channels;
} Set;

typedef struct {
    double mean, var;
} Moments;

Moments norm_moments(const Tensor *t, const Call *c, Set s);
void norm_define(const Tensor *t, const Call *c, Set s, Moments m);
/* constant: the moments do not depend on x, because they are running statistics. */
void norm_derive(const Tensor *t, const Call *c, Set s, Moments m, bool constant);

/* --- batch norm's running statistics --------------------------------------------------------- */

/* Ends the program if a channel has only one value, and so no variance. */
void batch_norm_check_training(const Tensor *t);
/* Moves the running statistics of a channel towards the batch's; var: biased. */
void batch_norm_move_running(const Tensor *t, float *const *param, int channel, float mean,
                             float var);

#endif
