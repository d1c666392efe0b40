/* What group norm and layer norm share: they normalise sets of values of one sample each, and
 * differ in which values make a set (Wu and He 2018; Ba, Kiros, Hinton 2016): y = (x - mean) /
 * sqrt(var + eps) · weight[channel] + bias[channel] with the set's own mean and biased variance, in
 * training and inference alike. */
#ifndef OPS_SET_NORM_H
#define OPS_SET_NORM_H

#include "graph/op.h"

void set_norm_add_params(Tensor *t);
void set_norm_define(const Tensor *t, const Call *c);
void set_norm_derive(const Tensor *t, const Call *c);
void set_norm_forward(const Tensor *t, const Call *c);
void set_norm_backward(const Tensor *t, const Call *c);
size_t set_norm_saved(const Tensor *t);
size_t set_norm_work(const Tensor *t);

/* --- in plain loops: batch norm is defined by them, too -------------------------------------- */

/* Values that are normalised together: `rows` pixels, `channels` channels of each, from x[first]
 * on. */
typedef struct {
    size_t first, rows, channels;
} Set;

typedef struct {
    double mean, var;
} Moments;

Moments norm_moments(const Tensor *t, const Call *c, Set s);
void norm_define(const Tensor *t, const Call *c, Set s, Moments m);
/* constant: the moments are not the set's own, and do not move with x. */
void norm_derive(const Tensor *t, const Call *c, Set s, Moments m, bool constant);

#endif
