/* Statistics, normalisation and its gradient, for batch, group and layer norm.
 *
 * All matrices are row-major [rows, channels]: a row per pixel, NHWC. Sums run in float64, cut into
 * pieces that depend on the sizes alone and added in order, so that the bits do not depend on the
 * number of threads. Scratch memory: norm_work(rows, channels) floats for any of them. */
#ifndef ENGINE_FAST_KERNELS_NORM_H
#define ENGINE_FAST_KERNELS_NORM_H

#include "graph/act.h"

#include <stdbool.h>
#include <stddef.h>

size_t norm_work(size_t rows, int channels);

/* --- by channel, over all rows: batch norm --------------------------------------------------- */

/* mean[c], var[c]: mean and biased variance of each column (two passes). */
void channel_moments(const float *x, size_t rows, int channels, float *mean, float *var,
                     float *work);

/* y = act(x·scale + shift), scale and shift by channel. y may be x. */
void channel_affine(const float *x, size_t rows, int channels, const float *scale,
                    const float *shift, Act act, float *y);

/* sum_dy[c] = Σ dy, sum_dy_xhat[c] = Σ dy·(x - mean)·rstd over the rows. */
typedef struct {
    const float *x, *dy;
    size_t rows;
    int channels;
    const float *mean, *rstd;
    float *sum_dy, *sum_dy_xhat;
    float *work;
} ChannelSums;

void channel_gradient_sums(const ChannelSums *s);

/* dx (+)= a·dy + b·x + c, with a, b, c by channel: the gradient of batch norm, once its sums are
 * known. dx may be dy. */
typedef struct {
    const float *x, *dy;
    size_t rows;
    int channels;
    const float *a, *b, *c;
    bool accumulate;
    float *dx;
} ChannelGradient;

void channel_gradient(const ChannelGradient *g);

/* --- by set: group norm (a set is a sample's group of channels) and layer norm (a row) ----------
 */

/* Rows cut into `sets` runs of rows_per_set; within a run each of `groups` equal parts of the
 * channels is a set of its own. Layer norm over channels: rows_per_set = 1, groups = 1. */
typedef struct {
    size_t sets, rows_per_set;
    int channels, groups;
} SetShape;

/* y = (x - mean)·rstd·weight[c] + bias[c], where rstd = 1/sqrt(biased variance + eps); y may be
 * x. */
typedef struct {
    SetShape shape;
    const float *x, *weight, *bias;
    float eps;
    float *mean, *rstd; /* [sets, groups] */
    float *y;
} SetNorm;

/* Sets mean, rstd and y; y NULL: statistics only. */
void set_norm_run(const SetNorm *n);

/* Sets y from statistics that are there already: bit for bit what set_norm_run wrote. */
void set_norm_apply(const SetNorm *n);

/* dx (+)= gradient with respect to x; dweight, dbias = those of weight and bias. dx may be NULL
 * (nobody asks for it). dx may be dy where accumulate is false. */
typedef struct {
    SetShape shape;
    const float *x, *dy, *weight, *mean, *rstd;
    bool accumulate;
    float *dx, *dweight, *dbias;
    float *work;
} SetNormGradient;

void set_norm_gradient(const SetNormGradient *g);

#endif
