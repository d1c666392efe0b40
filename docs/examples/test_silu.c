/* SiLU, the exercise of lesson 06. */
#include "ops/silu.h"
#include "op_bench.h"

#include <criterion/criterion.h>

/* Computed by PyTorch in float64: among the values where SiLU is least, where its derivative is
 * largest, and two of which exp(x) or exp(-x) exceeds a float. */
enum { SIZE = 12 };

static const float x[SIZE] = { -8,   -2.5f, -1.2784645f, -1,    -0.25f, 0,
                               0.5f, 1,     2.3993573f,  3.75f, 100,    -90 };
static const float dy[SIZE] = { 1, -1.5f, 1, 0.5f, -2, 1, -0.5f, 1.5f, 1, -1, 2, 3 };
static const float y[SIZE] = {
    -0.002682801f, -0.1896455f, -0.2784645f, -0.2689414f, -0.1094559f, 0,
    0.3112297f,    0.7310586f,  2.199679f,   3.663835f,   100,         0
};
static const float dx[SIZE] = { -0.002346551f, 0.1491017f, 0,         0.03616474f, -0.75258f, 0.5f,
                                -0.3699806f,   1.391506f,  1.099839f, -1.061208f,  2,         0 };

/* The gradient starts at 1: another layer that reads x has left its share there. */
Test(silu, is_pytorchs)
{
    float out[SIZE], in[SIZE];
    for (int i = 0; i < SIZE; i++)
        in[i] = 1;
    Call call = { .x = { x }, .y = out, .dy = dy, .dx = { in }, .training = true };
    Net *net = net_new();
    Tensor *t = silu(net_input(net, 2, 3, 1, 2));
    t->op->define(t, &call);
    t->op->derive(t, &call);
    for (int i = 0; i < SIZE; i++) {
        cr_expect_float_eq(out[i], y[i], 2e-6, "silu(%g): %g, not %g", (double)x[i], (double)out[i],
                           (double)y[i]);
        cr_expect_float_eq(in[i], 1 + dx[i], 2e-6, "gradient at %g: 1 became %g, not %g",
                           (double)x[i], (double)in[i], 1 + (double)dx[i]);
    }
    cr_expect_eq(tensor_params(t), 0);
    net_free(net);
}

static Tensor *build(Tensor *input)
{
    return silu(input);
}

/* The derivative against differences of the definition. */
Test(silu, has_its_derivative)
{
    check_shapes(build, true, "silu");
}
