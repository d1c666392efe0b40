/* One op on its own: by its definition and derivative, and by its fast way where it has one. */
#ifndef TESTS_OP_BENCH_H
#define TESTS_OP_BENCH_H

#include "engine/fast/fast.h"
#include "graph/weights.h"

typedef struct {
    Net *net;
    Tensor *x, *b, *y; /* b: the second input of add */
    Weights *weights, *gradients;
    float *in, *in2, *out, *dy, *dx, *dx2, *drawn, *saved, *work;
    bool training;
} Bench;

/* From net, x and y on: allocates all arrays; frees them and the network. */
void bench_allocate(Bench *b);
void bench_free(Bench *b);
/* Random input, gradient and parameters; variances are positive, drop path's factors as drawn. */
void bench_randomise(Bench *b, uint64_t stream);
/* A second bench of the same op and the same numbers. */
Bench bench_copy(const Bench *b);
FastCall call_of(const Bench *b);

/* Runs the op forward and backward, by its definition or the fast way. Gradients come to zeros by
 * the former; by the latter they are set, whatever was there, unless `accumulate` says to add dx.
 */
void run_op(Bench *b, bool defined, bool accumulate);

/* Normally distributed numbers. */
void random_fill(float *x, size_t n, uint64_t stream);

/* Every element of ours near that of the definition, in units of the elements' usual size. */
void expect_each(const float *ours, const float *want, size_t n, const char *what,
                 const char *whose);

/* On random numbers: every element of what the fast way gives near that of the definition and its
 * derivative; slope: the derivative along a random direction near the central difference of the
 * definition, which must have no kinks then. Frees the bench or the network. */
void check_bench(Bench b, bool slope, const char *what);
void check_definition(Net *net, Tensor *x, Tensor *y, bool slope, const char *what);

/* The same for an op that keeps the shape, on shapes that catch vector tails: one pixel, one
 * channel, odd sizes. */
enum { OP_SHAPES = 9 };
extern const int op_shapes[OP_SHAPES][4]; /* n, c, h, w */
void check_shapes(Tensor *(*build)(Tensor *x), bool slope, const char *what);

#endif
