/* Global response normalisation. */
#include "ops/global_response_norm.h"
#include "op_bench.h"

#include <criterion/criterion.h>

/* One small case, computed by PyTorch in float64 from x·(‖x‖/(mean ‖x‖ + 1e-6))·weight + bias + x.
 */
enum { N = 2, C = 3, W = 2, SIZE = N * C * W };

static const float x[SIZE] = {
    -2, 0.25f, 2.5f, -1, 1.25f, -1.5f, 0, 2.25f, -0.5f, 1, -1.75f, 0.5f
};
static const float dy[SIZE] = { -1.5f, 0, 1.5f, -0.5f, 1, -1, 0.5f, -1.5f, 0, 1.5f, -0.5f, 1 };
static const float y[SIZE] = { -2.943867f, 0.3012261f, 9.00518f, -1.421933f,
                               0.7061304f, -5.883108f, 0.1f,     -1.771669f,
                               -1.265452f, 1.429124f,  1.73352f, 0.6654521f };
static const float dx[SIZE] = { -0.8738503f, -0.5836142f, 7.734909f,  -0.0564418f,
                                -2.513167f,  -5.013153f,  0.6645622f, 1.63488f,
                                0.411131f,   1.247697f,   0.188922f,  1.519773f };
static const float dweight[C] = { 4.640907f, -3.946874f, 7.378165f };
static const float dbias[C] = { 0, -1, 1.5f };

static void expect(const float *ours, const float *theirs, int count, const char *what)
{
    for (int i = 0; i < count; i++)
        cr_expect_float_eq(ours[i], theirs[i], 1e-5, "%s %d: %g, not %g", what, i, (double)ours[i],
                           (double)theirs[i]);
}

Test(global_response_norm, is_pytorchs)
{
    float weight[C] = { 0.5f, -1, 2 }, bias[C] = { 0.1f, 0.2f, -0.3f };
    float *param[2] = { weight, bias }, gw[C] = { 0 }, gb[C] = { 0 }, *grad[2] = { gw, gb };
    float out[SIZE], in[SIZE] = { 0 };
    Call call = {
        .x = { x },
        .y = out,
        .dy = dy,
        .dx = { in },
        .param = param,
        .grad = grad,
        .training = true,
    };
    Net *net = net_new();
    Tensor *t = global_response_norm(net_input(net, N, C, 1, W));
    t->op->define(t, &call);
    expect(out, y, SIZE, "y");
    t->op->derive(t, &call);
    expect(in, dx, SIZE, "dx");
    expect(gw, dweight, C, "dweight");
    expect(gb, dbias, C, "dbias");
    cr_expect_eq(tensor_params(t), 2 * C);
    net_free(net);
}

static Tensor *build(Tensor *x)
{
    return global_response_norm(x);
}

/* The derivative against differences of the definition; a fast way, where there is one, against
 * both, on shapes that catch the ends of vectors. */
Test(global_response_norm, is_its_definition)
{
    check_shapes(build, true, "global_response_norm");
}
