#include "op_bench.h"

#include "base/memory.h"
#include "base/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- one op on its own ----------------------------------------------------------------------- */

#ifdef PLAIN_ONLY
const Fast *fast_of(const Op *op)
{
    return NULL;
}
#endif

static size_t size_by(size_t (*f)(const Tensor *t), const Tensor *t)
{
    return f ? f(t) : 0;
}

void bench_allocate(Bench *b)
{
    const Fast *fast = fast_of(b->y->op), none = { 0 };
    if (!fast)
        fast = &none;
    size_t work = size_by(fast->work, b->y);
    size_t back = fast->work_backward ? fast->work_backward(b->y, true) : 0;
    b->weights = weights_new(b->net);
    b->gradients = weights_new(b->net);
    b->in = mem_alloc(tensor_elements(b->x), sizeof(float));
    b->in2 = mem_alloc(tensor_elements(b->x), sizeof(float));
    b->dx = mem_alloc(tensor_elements(b->x), sizeof(float));
    b->dx2 = mem_alloc(tensor_elements(b->x), sizeof(float));
    b->out = mem_alloc(tensor_elements(b->y), sizeof(float));
    b->dy = mem_alloc(tensor_elements(b->y), sizeof(float));
    b->drawn = mem_alloc((size_t)b->y->n, sizeof(float));
    b->saved = mem_alloc(size_by(fast->saved, b->y), sizeof(float));
    b->work = mem_alloc(work > back ? work : back, sizeof(float));
}

void bench_free(Bench *b)
{
    float *arrays[] = { b->in, b->in2, b->dx, b->dx2, b->out, b->dy, b->drawn, b->saved, b->work };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    weights_free(b->weights);
    weights_free(b->gradients);
    net_free(b->net);
}

FastCall call_of(const Bench *b)
{
    return (FastCall){ .call = { .x = { b->in, b->in2 },
                                 .y = b->out,
                                 .dy = b->dy,
                                 .dx = { b->dx, b->y->in[1] ? b->dx2 : NULL },
                                 .param = b->weights->values,
                                 .grad = b->gradients->values,
                                 .drawn = b->drawn,
                                 .training = b->training },
                       .saved = b->saved,
                       .work = b->work };
}

void random_fill(float *x, size_t n, uint64_t stream)
{
    Random r = { .seed = 7, .stream = stream };
    for (size_t i = 0; i < n; i++)
        x[i] = (float)random_normal(r, i);
}

void run_op(Bench *b, bool defined, bool accumulate)
{
    const Fast *fast = fast_of(b->y->op);
    FastCall call = call_of(b);
    call.accumulate[0] = call.accumulate[1] = accumulate;
    for (size_t i = 0; i < b->gradients->floats; i++)
        b->gradients->data[i] = defined ? 0 : NAN;
    for (size_t i = 0; i < tensor_elements(b->x) && !accumulate; i++)
        b->dx[i] = b->dx2[i] = defined ? 0 : NAN;
    if (defined) {
        b->y->op->define(b->y, &call.call);
        b->y->op->derive(b->y, &call.call);
    } else {
        fast->forward(b->y, &call);
        fast->backward(b->y, &call);
    }
}

void bench_randomise(Bench *b, uint64_t stream)
{
    random_fill(b->in, tensor_elements(b->x), stream);
    random_fill(b->in2, tensor_elements(b->x), stream + 1);
    random_fill(b->dy, tensor_elements(b->y), stream + 2);
    for (int i = 0; i < b->weights->count; i++) {
        const Param *p = &b->weights->params[i];
        random_fill(b->weights->values[i], p->count, stream + 3 + (uint64_t)i);
        for (size_t k = 0; k < p->count && strstr(p->key, "running_var"); k++)
            b->weights->values[i][k] = 0.5f + fabsf(b->weights->values[i][k]);
    }
    for (int n = 0; n < b->y->n; n++)
        b->drawn[n] = n % 2 ? 0 : 1.25f;
}

/* --- the fast way against the definition ----------------------------------------------------- */

Bench bench_copy(const Bench *b)
{
    Bench copy = *b;
    bench_allocate(&copy);
    memcpy(copy.in, b->in, tensor_elements(b->x) * sizeof(float));
    memcpy(copy.in2, b->in2, tensor_elements(b->x) * sizeof(float));
    memcpy(copy.dy, b->dy, tensor_elements(b->y) * sizeof(float));
    memcpy(copy.drawn, b->drawn, (size_t)b->y->n * sizeof(float));
    memcpy(copy.weights->data, b->weights->data, b->weights->floats * sizeof(float));
    return copy;
}

void expect_each(const float *ours, const float *want, size_t n, const char *what,
                 const char *whose)
{
    double square = 0, furthest = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        square += (double)want[i] * want[i] / (double)n;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)ours[i] - want[i]) / (1e-3 + sqrt(square) + fabsf(want[i]));
        if (off > furthest || isnan(off)) {
            furthest = off;
            at = i;
        }
    }
    cr_expect(furthest < 1e-5, "%s, %s[%zu]: %g, not %g, %g off", what, whose, at, (double)ours[at],
              (double)want[at], furthest);
}

static void expect_definition(const Bench *b, bool accumulate, const char *what)
{
    Bench fast = bench_copy(b), defined = bench_copy(b);
    Bench *both[] = { &fast, &defined };
    for (int i = 0; i < 2; i++) {
        random_fill(both[i]->dx, tensor_elements(b->x), 5);
        random_fill(both[i]->dx2, tensor_elements(b->x), 6);
        run_op(both[i], i == 1, accumulate);
    }
    expect_each(fast.out, defined.out, tensor_elements(b->y), what, "y");
    expect_each(fast.dx, defined.dx, tensor_elements(b->x), what, "dx");
    if (b->y->in[1])
        expect_each(fast.dx2, defined.dx2, tensor_elements(b->x), what, "dx of the second");
    for (int i = 0; i < b->weights->count; i++) {
        const Param *p = &b->weights->params[i];
        if (p->trained)
            expect_each(fast.gradients->values[i], defined.gradients->values[i], p->count, what,
                        p->key);
        else
            expect_each(fast.weights->values[i], defined.weights->values[i], p->count, what,
                        p->key);
    }
    fast.net = defined.net = NULL;
    bench_free(&fast);
    bench_free(&defined);
}

/* Σ dy·y by the definition, with an array of it moved by h along a direction. */
static double moved(Bench *b, float *array, const float *direction, size_t n, double h)
{
    float *before = mem_alloc(n, sizeof *before);
    double sum = 0;
    memcpy(before, array, n * sizeof *before);
    for (size_t i = 0; i < n; i++)
        array[i] = (float)(before[i] + h * direction[i]);
    FastCall call = call_of(b);
    b->y->op->define(b->y, &call.call);
    for (size_t i = 0; i < tensor_elements(b->y); i++)
        sum += (double)b->dy[i] * b->out[i];
    memcpy(array, before, n * sizeof *before);
    free(before);
    return sum;
}

/* A gradient along a random direction against the definition's central difference. */
static void expect_along(Bench *b, float *array, const float *gradient, size_t n, const char *what,
                         const char *whose)
{
    float *direction = mem_alloc(n, sizeof *direction);
    double slope = 0, size = 0, h = 5e-3;
    random_fill(direction, n, 99);
    for (size_t i = 0; i < n; i++) {
        slope += (double)gradient[i] * direction[i];
        size += pow(gradient[i], 2);
    }
    double difference =
        (moved(b, array, direction, n, h) - moved(b, array, direction, n, -h)) / (2 * h);
    cr_expect(fabs(slope - difference) < 3e-3 * (sqrt(size) + 1e-3),
              "%s, %s: slope %g, difference %g", what, whose, slope, difference);
    free(direction);
}

/* The definition's derivative against differences of the definition. */
static void expect_slope(Bench *b, const char *what)
{
    run_op(b, true, false);
    expect_along(b, b->in, b->dx, tensor_elements(b->x), what, "input");
    for (int i = 0; i < b->weights->count; i++)
        if (b->weights->params[i].trained)
            expect_along(b, b->weights->values[i], b->gradients->values[i],
                         b->weights->params[i].count, what, b->weights->params[i].key);
}

void check_bench(Bench b, bool slope, const char *what)
{
    static uint64_t stream;
    bench_allocate(&b);
    bench_randomise(&b, stream += 100);
    for (int accumulate = 0; accumulate < 2 && fast_of(b.y->op); accumulate++)
        expect_definition(&b, accumulate, what);
    if (slope)
        expect_slope(&b, what);
    bench_free(&b);
}

void check_definition(Net *net, Tensor *x, Tensor *y, bool slope, const char *what)
{
    check_bench((Bench){ .net = net, .x = x, .y = y, .training = true }, slope, what);
}

const int op_shapes[OP_SHAPES][4] = { { 1, 1, 1, 1 },  { 2, 1, 5, 3 },   { 1, 3, 1, 7 },
                                      { 3, 17, 2, 2 }, { 2, 33, 7, 5 },  { 1, 96, 9, 1 },
                                      { 2, 64, 4, 6 }, { 1, 130, 3, 3 }, { 5, 24, 16, 16 } };

void check_shapes(Tensor *(*build)(Tensor *x), bool slope, const char *what)
{
    for (int i = 0; i < OP_SHAPES; i++) {
        const int *s = op_shapes[i];
        char text[128];
        snprintf(text, sizeof text, "%s on %dx%dx%dx%d", what, s[0], s[1], s[2], s[3]);
        Net *net = net_new();
        Tensor *x = net_input(net, s[0], s[1], s[2], s[3]);
        check_definition(net, x, build(x), slope, text);
    }
}
