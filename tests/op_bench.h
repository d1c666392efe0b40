/* One op on its own, by its definition and derivative and by its fast way, if it has one. */
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

/* Allocates all arrays for net, x and y; frees them and the network. */
void bench_allocate(Bench *b);
void bench_free(Bench *b);
/* Fills input, gradient and parameters at random; variances are positive, drop path's factors
 * drawn. */
void bench_randomise(Bench *b, uint64_t stream);
/* Returns a second bench of the same op with the same numbers. */
Bench bench_copy(const Bench *b);
FastCall call_of(const Bench *b);

/* Runs the op forward and backward, by its definition or its fast way. Gradients start at zero for
 * the definition; the fast way sets them, whatever they were, unless `accumulate` makes it add to
 * dx. */
void run_op(Bench *b, bool defined, bool accumulate);

/* Fills x with normally distributed numbers. */
void random_fill(float *x, size_t n, uint64_t stream);

/* Expects every element of `ours` close to `want`, relative to the elements' typical size. */
void expect_each(const float *ours, const float *want, size_t n, const char *what,
                 const char *whose);

/* Expects, for random numbers, the fast way's elements close to those of the definition and its
 * derivative; slope: also the derivative along a random direction close to the central difference
 * of the definition, which must then have no kinks. Frees the bench or the network. */
void check_bench(Bench b, bool slope, const char *what);
void check_definition(Net *net, Tensor *x, Tensor *y, bool slope, const char *what);

/* Checks likewise an op that keeps the shape, on shapes that test vector tails: one pixel, one
 * channel, odd sizes. */
enum { OP_SHAPES = 9 };
extern const int op_shapes[OP_SHAPES][4]; /* n, c, h, w */
void check_shapes(Tensor *(*build)(Tensor *x), bool slope, const char *what);

#endif
