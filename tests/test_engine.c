/* The engines: the plain one is held to central differences, the plans to the plain one; what they
 * fold, fuse, reuse and leave out must not show in what they compute. */
#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/buffers.h"
#include "engine/fast/inference.h"
#include "engine/plain.h"
#include "engine/fast/training.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- a network with everything in it --------------------------------------------------------- */

static Tensor *wide_block(Tensor *x)
{
    Tensor *res = x;
    SCOPE(x->net, NEXT) {
        x = conv_norm_act(x, .out = 6, .kernel = 1, .bias = false);
        x = conv_norm_act(x, .out = 6, .kernel = 3, .groups = 3);
        x = conv_norm_act(x, .out = 12, .kernel = 1, .act = IDENTITY);
        res = conv_norm_act(res, .out = 12, .kernel = 1);
    }
    return relu(add(x, res));
}

static Tensor *narrow_block(Tensor *x, float drop, bool per_sample, bool normed)
{
    Tensor *res = x;
    SCOPE(x->net, NEXT) {
        x = conv2d(x, .out = x->c, .kernel = 7, .pad = 3, .groups = x->c);
        x = normed ? batch_norm(x) : layer_norm(x);
        x = conv2d(x, .out = 4 * x->c, .kernel = 1);
        x = gelu(x);
        x = conv2d(x, .out = res->c, .kernel = 1);
        SCOPE(x->net, "scale")
            x = layer_scale(x, 0.5f);
    }
    x = drop_path(x, drop, .per_sample = per_sample);
    return add(res, x);
}

typedef struct {
    float drop;
    bool per_sample, normed;
} Variant;

static Net *build(Variant v)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 3, 2, 13, 10);
    x = conv_norm_act(x, .out = 8, .kernel = 7, .stride = 2);
    x = max_pool(x, .kernel = 3, .stride = 2, .pad = 1);
    x = wide_block(x);
    x = gelu(add(x, x));
    x = narrow_block(x, v.drop, v.per_sample, v.normed);
    x = narrow_block(x, v.drop, v.per_sample, v.normed);
    x = group_norm(x, 3);
    x = conv2d(x, .out = 10, .kernel = 2, .stride = 2);
    x = global_avg_pool(x);
    x = flatten(x);
    x = layer_norm(x);
    linear(x, .out = 5);
    return net;
}

static Weights *random_weights(const Net *net)
{
    Weights *w = weights_new(net);
    weights_init(w, 11);
    for (int i = 0; i < w->count; i++)
        for (size_t k = 0; k < w->params[i].count; k++)
            if (w->params[i].init.kind == INIT_CONSTANT)
                w->values[i][k] += 0.2f * sinf((float)k + (float)i) * w->values[i][k] +
                                   (w->params[i].init.value == 0 ? 0.1f * cosf((float)k) : 0);
    return w;
}

static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = sinf(0.7f * (float)i) + 0.3f * cosf(1.9f * (float)(i % 97));
}

static const Tensor *last(const Net *net)
{
    return net_tensor(net, net_tensors(net) - 1);
}

/* The output by every op's definition, one after the other, nothing shared. */
static float *defined_output(const Net *net, Weights *w)
{
    Plain *plain = plain_new(net);
    size_t n = tensor_elements(last(net));
    float *output = mem_alloc(n, sizeof *output);
    fill(plain_input(plain), tensor_elements(net_tensor(net, 0)));
    plain_forward(plain, w, false);
    memcpy(output, plain_output(plain), n * sizeof *output);
    plain_free(plain);
    return output;
}

/* --- the plain engine ------------------------------------------------------------------------ */

static const int labels[3] = { 4, 0, 2 };

static double plain_loss(Plain *plain, const Net *net, Weights *w)
{
    fill(plain_input(plain), tensor_elements(net_tensor(net, 0)));
    plain_forward(plain, w, true);
    return cross_entropy_loss(plain_output(plain), 3, 5, (Targets){ .a = labels }, 0.1,
                              plain_output_gradient(plain));
}

/* Every tensor's gradient against the loss's central difference along the gradient itself, whatever
 * paths were dropped. */
static void expect_gradients(Variant v, uint64_t draw)
{
    Net *net = build(v);
    Weights *w = random_weights(net), *g = weights_new(net);
    Plain *plain = plain_new(net);
    Random r = { .seed = draw, .stream = 1 };
    plain_drop(plain, r);
    plain_loss(plain, net, w);
    plain_backward(plain, w, g);
    for (int i = 0; i < w->count; i++) {
        size_t n = w->params[i].count;
        double size = 0, difference = 0;
        for (size_t k = 0; k < n; k++)
            size += (double)g->values[i][k] * g->values[i][k];
        if (!w->params[i].trained || size < 1e-8)
            continue;
        double h = 2e-3 / (1 + 4 * sqrt(size)); /* small enough for ReLU's kinks */
        for (int side = -1; side <= 1; side += 2) {
            float *saved = mem_alloc(n, sizeof *saved);
            memcpy(saved, w->values[i], n * sizeof *saved);
            for (size_t k = 0; k < n; k++)
                w->values[i][k] += (float)(side * h * g->values[i][k] / sqrt(size));
            difference += side * plain_loss(plain, net, w) / (2 * h);
            memcpy(w->values[i], saved, n * sizeof *saved);
            free(saved);
        }
        cr_expect(fabs(difference - sqrt(size)) < 4e-2 * sqrt(size) + 2e-4,
                  "%s, draw %d: slope %g, difference %g", w->params[i].key, (int)draw, sqrt(size),
                  difference);
    }
    plain_free(plain);
    weights_free(w);
    weights_free(g);
    net_free(net);
}

Test(plain, gradients_are_slopes)
{
    expect_gradients((Variant){ .drop = 0 }, 0);
    expect_gradients((Variant){ .drop = 0, .normed = true }, 0);
}

Test(plain, gradients_are_slopes_whatever_is_dropped)
{
    for (uint64_t draw = 0; draw < 6; draw++) {
        expect_gradients((Variant){ .drop = 0.5f }, draw);
        expect_gradients((Variant){ .drop = 0.5f, .per_sample = true }, draw);
        expect_gradients((Variant){ .drop = 0.5f, .normed = true }, draw);
    }
}

/* --- inference ------------------------------------------------------------------------------- */

/* The definitions read the weights before the plan has them: it may keep them or make them its own.
 */
static void expect_defined(Net *net, bool adopted)
{
    Weights *w = random_weights(net);
    Inference *plan = inference_new(net);
    size_t n = tensor_elements(last(net));
    float *want = defined_output(net, w);
    if (adopted)
        inference_adopt(plan, w);
    else
        inference_load(plan, w);
    for (int again = 0; again < 2; again++) {
        if (!again) /* the input stays from one run to the next */
            fill(inference_input(plan), tensor_elements(net_tensor(net, 0)));
        inference_run(plan);
        for (size_t i = 0; i < n; i++)
            cr_expect_float_eq(inference_output(plan)[i], want[i], 2e-5f * (1 + fabsf(want[i])));
    }
    free(want);
    inference_free(plan);
    weights_free(w);
    net_free(net);
}

Test(inference, is_what_the_definitions_say)
{
    for (int round = 0; round < 4; round++)
        expect_defined(build((Variant){ .drop = 0.3f, .normed = round % 2 }), round >= 2);
}

/* Pixels a power of two apart, which two products may keep further apart between them: alone, and
 * with another reader of every kind. */
Test(inference, of_1024_channels_is_what_the_definitions_say)
{
    for (int reader = 0; reader < 5; reader++) {
        Net *net = net_new();
        Tensor *x = net_input(net, 2, 5, 4, 3);
        Tensor *hidden = gelu(conv2d(x, .out = 1024, .kernel = 1, .bias = true));
        Tensor *y = reader == 1 ? conv2d(hidden, .out = 9, .kernel = 3, .pad = 1)
                                : conv2d(hidden, .out = reader == 2 ? 1024 : 9, .kernel = 1);
        if (reader == 2) {
            y = add(y, hidden);
            y = add(y, conv2d(hidden, .out = 1024, .kernel = 1));
            conv2d(y, .out = 9, .kernel = 1);
        } else if (reader == 3) {
            add(y, conv2d(hidden, .out = 9, .kernel = 1));
        } else if (reader == 4) {
            linear(flatten(global_avg_pool(conv2d(y, .out = 1024, .kernel = 1))), .out = 7);
        }
        expect_defined(net, reader % 2);
    }
}

Test(inference, runs_convolution_norm_sum_and_activation_as_one)
{
    Net *net = build((Variant){ 0 });
    Inference *plan = inference_new(net);
    /* conv+bn+relu, pool; three + one in the wide block; add, gelu; six a narrow block with dw, ln,
     * pw+…, pw+scale+add; norm, conv, pool, norm, linear. */
    cr_expect_eq(inference_units(plan), 2 + 4 + 2 + 2 * 4 + 5);
    inference_free(plan);
    net_free(net);
}

/* --- training -------------------------------------------------------------------------------- */

static double loss_of(Training *plan, const Net *net, Weights *w)
{
    fill(training_input(plan), tensor_elements(net_tensor(net, 0)));
    training_forward(plan, w);
    return cross_entropy_loss(training_output(plan), 3, 5, (Targets){ .a = labels }, 0.1,
                              training_output_gradient(plan));
}

/* --- what else a plan can be asked for -------------------------------------------------------- */

/* Σ sin(i)·y[i] of a frozen plan's output, and its gradient in place. */
static double weighed_output(Training *plan, const Tensor *y, const float *x, size_t pixels,
                             Weights *w)
{
    double sum = 0;
    memcpy(training_input(plan), x, pixels * sizeof *x);
    training_forward(plan, w);
    for (size_t i = 0; i < tensor_elements(y); i++) {
        sum += sin((double)i) * (double)training_output(plan)[i];
        training_output_gradient(plan)[i] = (float)sin((double)i);
    }
    return sum;
}

/* The layer behind which the plan stops: the last convolution, the head being left out. */
static const Tensor *last_convolution(const Net *net)
{
    int i = net_tensors(net) - 1;
    while (net_tensor(net, i)->op != &conv2d_op)
        i--;
    return net_tensor(net, i);
}

/* The gradient of one pixel after the other against the central difference. Running statistics
 * that are not 0 and 1 make a batch norm that takes the batch's show. */
Test(training, the_input_has_a_gradient_for_those_who_ask)
{
    for (int round = 0; round < 2; round++) {
        Net *net = build((Variant){ .normed = round });
        Weights *w = random_weights(net), *g = weights_new(net);
        const Tensor *y = last_convolution(net);
        Training *plan = training_new_with(
            net, (TrainingOptions){ .input_gradient = true, .frozen = true, .last = y });
        size_t n = tensor_elements(net_tensor(net, 0));
        float *x = mem_alloc(n, sizeof *x), *dx = mem_alloc(n, sizeof *dx);
        fill(x, n);
        weighed_output(plan, y, x, n, w);
        training_backward(plan, w, g);
        memcpy(dx, training_input_gradient(plan), n * sizeof *dx);
        double size = 0;
        for (size_t i = 0; i < n; i++)
            size += (double)dx[i] * dx[i];
        cr_assert_gt(size, 1e-3);
        for (size_t i = 0; i < n; i += 7) { /* a small step: ReLU's and the maximum's kinks */
            float old = x[i], h = 1e-3f;
            x[i] = old + h;
            double more = weighed_output(plan, y, x, n, w);
            x[i] = old - h;
            double less = weighed_output(plan, y, x, n, w);
            x[i] = old;
            cr_expect_float_eq((more - less) / (2 * (double)h), (double)dx[i],
                               5e-2 * sqrt(size / (double)n) + 2e-2 * fabs((double)dx[i]),
                               "pixel %zu: difference %g, gradient %g", i,
                               (more - less) / (2 * (double)h), (double)dx[i]);
        }
        free(x);
        free(dx);
        training_free(plan);
        weights_free(w);
        weights_free(g);
        net_free(net);
    }
}

Test(training, a_frozen_plan_computes_what_inference_does)
{
    Net *net = build((Variant){ .normed = true });
    Weights *w = random_weights(net), *before = random_weights(net);
    Training *plan = training_new_with(net, (TrainingOptions){ .frozen = true });
    fill(training_input(plan), tensor_elements(net_tensor(net, 0)));
    training_forward(plan, w);
    float *want = defined_output(net, w);
    for (size_t i = 0; i < tensor_elements(last(net)); i++)
        cr_expect_float_eq(training_output(plan)[i], want[i], 2e-5f * (1 + fabsf(want[i])));
    cr_expect_arr_eq(w->data, before->data, w->floats * sizeof *w->data,
                     "running statistics moved");
    cr_expect_null(training_input_gradient(plan));
    free(want);
    training_free(plan);
    weights_free(w);
    weights_free(before);
    net_free(net);
}

Test(training, what_a_plan_needs_is_what_it_takes)
{
    Net *net = build((Variant){ .normed = true });
    Training *training = training_new(net);
    Inference *inference = inference_new(net);
    cr_expect_eq(training_needs(net), training_bytes(training));
    cr_expect_eq(inference_needs(net), inference_bytes(inference));
    training_free(training);
    inference_free(inference);
    net_free(net);
}

Test(training, a_dropped_path_has_no_gradient)
{
    Net *net = build((Variant){ .drop = 0.999999f });
    Weights *w = random_weights(net), *g = weights_new(net);
    Training *plan = training_new(net);
    for (size_t i = 0; i < g->floats; i++)
        g->data[i] = NAN; /* backward has to write all of it */
    training_drop(plan, (Random){ 1, 1 });
    cr_assert(isfinite(loss_of(plan, net, w)));
    training_backward(plan, w, g);
    int dropped = 0;
    for (int i = 0; i < g->count; i++) {
        const Param *p = &g->params[i];
        bool zero = true;
        for (size_t k = 0; k < p->count && p->trained; k++) {
            cr_assert(!isnan(g->values[i][k]), "%s was left out", p->key);
            zero = zero && g->values[i][k] == 0;
        }
        dropped += strstr(p->key, ".scale.gamma") && zero;
    }
    cr_expect_eq(dropped, 2);
    training_free(plan);
    weights_free(w);
    weights_free(g);
    net_free(net);
}

Test(training, drops_as_often_as_it_is_asked_to)
{
    Net *net = build((Variant){ .drop = 0.3f });
    Weights *w = random_weights(net), *g = weights_new(net);
    Training *plan = training_new(net);
    int dropped = 0, gamma = 0, draws = 400;
    while (!strstr(w->params[gamma].key, ".scale.gamma"))
        gamma++;
    for (int i = 0; i < draws; i++) {
        training_drop(plan, (Random){ 2, (uint64_t)i });
        loss_of(plan, net, w);
        training_backward(plan, w, g);
        dropped += g->values[gamma][0] == 0;
    }
    cr_expect(abs(dropped - draws * 3 / 10) < 35, "%d of %d", dropped, draws);
    training_free(plan);
    weights_free(w);
    weights_free(g);
    net_free(net);
}

Test(training, has_the_same_bits_for_any_number_of_threads)
{
    Net *net = build((Variant){ .drop = 0.5f });
    Weights *first = NULL;
    for (int threads = 1; threads <= 5; threads += 2) {
        Weights *w = random_weights(net), *g = weights_new(net);
        thread_count_set(threads);
        Training *plan = training_new(net);
        loss_of(plan, net, w);
        training_backward(plan, w, g);
        if (first)
            cr_expect_arr_eq(g->data, first->data, g->floats * sizeof(float), "%d threads",
                             threads);
        else
            first = g;
        if (first != g)
            weights_free(g);
        training_free(plan);
        weights_free(w);
    }
    weights_free(first);
    net_free(net);
}

/* --- memory ---------------------------------------------------------------------------------- */

Test(buffers, that_live_at_the_same_time_do_not_overlap)
{
    Random r = { .seed = 9, .stream = 0 };
    for (uint64_t round = 0; round < 50; round++) {
        Buffers b = { 0 };
        size_t sum = 0;
        for (uint64_t i = 0; i < 40; i++) {
            uint64_t at = 100 * round + 2 * i;
            size_t floats = random_below(r, at, 500);
            int id = buffer_new(&b, floats, (int)random_below(r, at + 5000, 60));
            buffer_extend(&b, id, (int)random_below(r, at + 5001, 60));
            sum += b.items[id].floats;
        }
        buffers_place(&b);
        for (int i = 0; i < b.count; i++)
            for (int j = 0; j < i; j++) {
                Buffer *p = &b.items[i], *q = &b.items[j];
                bool meet = p->first <= q->last && q->first <= p->last;
                bool overlap =
                    p->offset < q->offset + q->floats && q->offset < p->offset + p->floats;
                cr_expect_not(meet && overlap);
            }
        cr_expect(b.total < sum, "nothing was reused");
        buffers_free(&b);
    }
}

/* --- wrong calls ----------------------------------------------------------------------------- */

Test(net, groups_that_do_not_divide_are_named, .exit_code = 2)
{
    Net *net = net_new();
    conv2d(net_input(net, 1, 6, 4, 4), .out = 8, .kernel = 1, .groups = 4);
}

Test(net, a_missing_out_is_named, .exit_code = 2)
{
    Net *net = net_new();
    conv2d(net_input(net, 1, 6, 4, 4), .kernel = 1);
}

Test(net, shapes_that_cannot_be_added_are_named, .exit_code = 2)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 6, 4, 4);
    add(x, conv2d(x, .out = 7, .kernel = 1));
}

Test(net, a_scope_left_early_is_closed)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 6, 4, 4);
    for (int i = 0; i < 30; i++)
        SCOPE(net, "block") {
            if (i % 2)
                break;
            x = relu(x);
        }
    x = relu(x);
    cr_expect_str_eq(x->name, "0");
    net_free(net);
}

/* Each has values of its own to keep. */
Test(net, additions_of_a_scope_have_names_of_their_own)
{
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 4, 4, 4);
    SCOPE(net, "block")
        x = add(add(x, x), x);
    x = add(x, x);
    cr_expect_str_eq(net_tensor(net, 1)->name, "block.add");
    cr_expect_str_eq(net_tensor(net, 2)->name, "block.add_2");
    cr_expect_str_eq(x->name, "add");
    net_free(net);
}
