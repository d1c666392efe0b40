/* Sums that norms by channel and by set share. */
#ifndef ENGINE_FAST_KERNELS_NORM_SUMS_H
#define ENGINE_FAST_KERNELS_NORM_SUMS_H

#include "engine/fast/kernels/pieces.h"

/* Floats that stay in a core's cache between two passes over them. */
enum { CACHED = 1 << 15 };

/* Mean and squares = Σ (x - mean)² of `count` values per column. */
typedef struct {
    double count, *mean, *squares;
} RowMoments;

/* Joins the moments of `more` values to those of others (Chan, Golub, LeVeque: "Updating formulae
 * and a pairwise algorithm for computing sample variances", 1979). */
static inline void join_moments(const RowMoments *to, const RowMoments *more, int columns)
{
    double share = more->count / (to->count + more->count);
    for (int c = 0; c < columns; c++) {
        double apart = more->mean[c] - to->mean[c];
        to->mean[c] += apart * share;
        to->squares[c] += more->squares[c] + apart * apart * to->count * share;
    }
}

/* The thing that a mean and a rstd belong to. */
typedef enum { OF_CHANNEL, OF_ROW, OF_SET } Of;

/* A few rows, `stride` floats apart, of which the gradient's sums are taken. */
typedef struct {
    const float *x, *dy;
    int rows, channels;
    size_t stride;
    const float *mean, *rstd;
} GradientRows;

/* sum_dy[c] += Σ dy, sum_xhat[c] += Σ dy·(x - mean)·rstd. The terms are float, their sums double.
 */
ALWAYS_INLINE void add_gradient(Of of, GradientRows g, double *sum_dy, double *sum_xhat)
{
    int c = 0;
    for (; c + HALF <= g.channels; c += HALF) {
        Doubles sum = doubles_load(sum_dy + c), xhat_sum = doubles_load(sum_xhat + c);
        for (int r = 0; r < g.rows; r++) {
            size_t at = r * g.stride + c;
            HalfVec d = half_load(g.dy + at), v = half_load(g.x + at);
            HalfVec xhat = of == OF_CHANNEL ? (v - half_load(g.mean + c)) * half_load(g.rstd + c)
                           : of == OF_ROW   ? (v - g.mean[r]) * g.rstd[r]
                                            : (v - g.mean[0]) * g.rstd[0];
            sum += to_doubles(d);
            xhat_sum += to_doubles(d * xhat);
        }
        doubles_store(sum_dy + c, sum);
        doubles_store(sum_xhat + c, xhat_sum);
    }
    for (; c < g.channels; c++)
        for (int r = 0; r < g.rows; r++) {
            size_t at = r * g.stride + c;
            int m = of == OF_CHANNEL ? c : of == OF_ROW ? r : 0;
            sum_dy[c] += g.dy[at];
            sum_xhat[c] += g.dy[at] * ((g.x[at] - g.mean[m]) * g.rstd[m]);
        }
}

/* Joins the pieces' sums and rounds them: dy's to one row of floats, dy·xhat's to another. */
static inline void join_gradient_sums(double *sums, int pieces, int channels, float *sum_dy,
                                      float *sum_xhat)
{
    add_pieces(sums, pieces, 2 * channels, 2 * (size_t)channels);
    for (int c = 0; c < channels; c++) {
        sum_dy[c] = (float)sums[c];
        sum_xhat[c] = (float)sums[channels + c];
    }
}

#endif
