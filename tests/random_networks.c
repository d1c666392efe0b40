#include "random_networks.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/inference.h"
#include "engine/plain.h"
#include "engine/fast/training.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- a network ------------------------------------------------------------------------------- */

enum { MOST = 40 };

typedef struct {
    Random r; /* what is drawn next is its number `drawn` */
    uint64_t drawn;
    Net *net;
    Tensor *t[MOST];
    int count;
    int channels; /* those of the input, which others have a multiple of */
} Builder;

static int below(Builder *b, int n)
{
    return (int)random_below(b->r, b->drawn++, (uint64_t)n);
}

/* The newest tensor, or any. */
static Tensor *any(Builder *b)
{
    return b->t[below(b, 3) ? b->count - 1 : below(b, b->count)];
}

/* Any tensor of x's shape: x itself, perhaps. */
static Tensor *any_like(Builder *b, const Tensor *x)
{
    Tensor *y;
    do
        y = b->t[below(b, b->count)];
    while (y->c != x->c || y->h != x->h || y->w != x->w || y->flat != x->flat);
    return y;
}

static Tensor *convolution(Builder *b, Tensor *x)
{
    int wide = below(b, 2) ? x->c : b->channels * (1 + below(b, 3));
    bool bias = below(b, 2), large = x->h > 1 && x->w > 1;
    switch (below(b, large ? 5 : 1)) {
    case 1:
        return conv2d(x, .out = wide, .kernel = 3, .pad = 1, .bias = bias);
    case 2:
        return conv2d(x, .out = x->c, .kernel = 3, .pad = 1, .groups = x->c, .bias = bias);
    case 3:
        return conv2d(x, .out = wide, .kernel = 3, .pad = 1, .groups = 2, .bias = bias);
    case 4:
        return conv2d(x, .out = wide, .kernel = 2, .stride = 2, .bias = bias);
    default:
        return conv2d(x, .out = wide, .kernel = 1, .bias = bias);
    }
}

/* The norms' eps is large: with a small one, where the values of a set are all but equal, what is
 * left of them is rounding and the norm makes it large, in any engine its own. */
#define EPS .eps = 0.1f

/* An op that nobody made fast, and the only one whose derivative reads a second input: a·b. */
static void define_product(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        c->y[i] = c->x[0][i] * c->x[1][i];
}

static void derive_product(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++) {
        c->dx[0][i] += c->dy[i] * c->x[1][i];
        c->dx[1][i] += c->dy[i] * c->x[0][i];
    }
}

static const Op product_op = {
    .name = "product",
    .define = define_product,
    .derive = derive_product,
};

/* Normalised, so that products of products do not grow without end. */
static Tensor *product(Tensor *x, Tensor *y)
{
    y = layer_norm(y, EPS);
    return net_layer(&product_op, x, y, HERE_, NAME_WORD, (Attributes){ 0 }, x->c, x->h, x->w);
}

static Tensor *layer(Builder *b, Tensor *x)
{
    switch (below(b, 14)) {
    case 0:
        return relu(x);
    case 1:
        return gelu(x);
    case 2:
        return batch_norm(x, EPS);
    case 3:
        return group_norm(x, 2, EPS);
    case 4:
        return layer_norm(x, EPS);
    case 5:
        return layer_scale(x, 0.7f);
    case 6:
        return drop_path(x, 0.4f * (float)below(b, 3), .per_sample = below(b, 2));
    case 7:
        return x->h > 2 && x->w > 2 ? max_pool(x, .kernel = 3, .stride = 2, .pad = 1) : relu(x);
    case 8:
    case 9:
        return add(x, any_like(b, x));
    case 10:
        return product(x, any_like(b, x));
    default:
        return x->flat ? linear(x, .out = x->c, .bias = below(b, 2)) : convolution(b, x);
    }
}

/* Leaves a layer its definition alone, as if nobody had written a fast way. */
static void strip(Tensor *t)
{
    static Op plain[16];
    int i = 0;
    while (plain[i].name && plain[i].define != t->op->define)
        i++;
    plain[i] = (Op){ .name = t->op->name, .define = t->op->define, .derive = t->op->derive };
    t->op = &plain[i];
}

static void push(Builder *b, Tensor *x)
{
    b->t[b->count++] = x;
    /* Drop path's factors and batch norm's statistics are known to be theirs by name. */
    if (x->op && x->op != &drop_path_op && x->op != &batch_norm_op && below(b, 12) == 0)
        strip(x);
}

/* A path of a few layers beside x, dropped now and then. */
static void residual(Builder *b)
{
    Tensor *x = any(b), *y = x;
    for (int i = 1 + below(b, 4); i > 0; i--)
        SCOPE(b->net, NEXT) {
            Tensor *next = layer(b, y);
            if (next->c == x->c && next->h == x->h && next->w == x->w)
                push(b, y = next);
        }
    SCOPE(b->net, NEXT)
        push(b, y = drop_path(y, 0.5f, .per_sample = below(b, 3) == 0));
    SCOPE(b->net, NEXT)
        push(b, below(b, 2) ? add(x, y) : add(y, x));
}

/* Small images of few channels, or for Winograd's kernels large ones of many. */
Net *random_network(uint64_t round, bool large)
{
    Builder b = { .r = { .seed = 77, .stream = round }, .net = net_new() };
    int images = 2 + below(&b, 2), h = 1 + below(&b, 6), w = 1 + below(&b, 6);
    int layers = 2 + below(&b, large ? 6 : 14), flat_layers = below(&b, 4);
    b.channels = large ? 32 : 4;
    push(&b, net_input(b.net, large ? 2 : images, b.channels, large ? 16 : h, large ? 17 : w));
    SCOPE(b.net, "net") {
        while (b.count < layers)
            if (below(&b, 5) == 0)
                residual(&b);
            else
                SCOPE(b.net, NEXT)
                    push(&b, layer(&b, any(&b)));
        if (flat_layers > 0)
            push(&b, flatten(global_avg_pool(any(&b))));
        for (int i = 1; i < flat_layers; i++)
            SCOPE(b.net, NEXT)
                push(&b, layer(&b, b.t[b.count - 1]));
    }
    return b.net;
}

/* --- one network, run by each engine --------------------------------------------------------- */

typedef struct {
    Net *net;
    Weights *weights;
    uint64_t round;
    int steps;           /* the results are those of the last */
    bool frozen;         /* batch norm uses its running statistics, no path is dropped */
    size_t x, y, floats; /* of the input, the output and the results */
} Trial;

static Trial trial_new(uint64_t round, bool large)
{
    Trial t = { .net = random_network(round, large), .round = round };
    Random r = { .seed = 78, .stream = round };
    uint64_t drawn = 0;
    t.steps = 1 + (int)(round % 2);
    t.frozen = round % 7 == 0;
    t.weights = weights_new(t.net);
    weights_init(t.weights, round);
    for (int i = 0; i < t.weights->count; i++)
        for (size_t k = 0; k < t.weights->params[i].count; k++)
            if (t.weights->params[i].init.kind == INIT_CONSTANT)
                t.weights->values[i][k] += (float)(random_uniform(r, drawn++) - 0.5);
    t.x = tensor_elements(net_tensor(t.net, 0));
    t.y = tensor_elements(net_output(t.net));
    t.floats = t.x + t.y + t.weights->floats;
    return t;
}

static void trial_free(Trial *t)
{
    weights_free(t->weights);
    net_free(t->net);
}

static void fill(float *x, size_t n, uint64_t seed, uint64_t stream)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)random_normal((Random){ seed, stream }, i);
}

/* Moves every number by about that part of it. */
static void wobble(float *x, size_t n, double part, uint64_t seed)
{
    for (size_t i = 0; i < n && part > 0; i++)
        x[i] *= (float)(1 + part * random_normal((Random){ seed, 1 }, i));
}

static Weights *weights_of(const Trial *t)
{
    Weights *w = weights_new(t->net);
    memcpy(w->data, t->weights->data, w->floats * sizeof(float));
    return w;
}

/* Results are the output, and behind it what backward leaves, which this copies: the input's
 * gradient, and by parameter its gradient, or the running statistic where nobody trains it. Frees
 * both stores. */
static void take(const Trial *t, const float *dx, Weights *w, Weights *g, float *results)
{
    for (size_t i = 0; i < t->x && dx; i++) /* an input that nobody reads has none in a plan */
        results[t->y + i] = dx[i];
    for (int i = 0; i < w->count; i++)
        memcpy(results + t->y + t->x + (w->values[i] - w->data),
               w->params[i].trained ? g->values[i] : w->values[i],
               w->params[i].count * sizeof(float));
    weights_free(w);
    weights_free(g);
}

/* By definitions, from input and weights that are moved by a part of them. */
static float *train_plainly(const Trial *t, double part, uint64_t seed)
{
    Plain *plain = plain_new(t->net);
    Weights *w = weights_of(t), *g = weights_new(t->net);
    float *results = mem_alloc(t->floats, sizeof *results);
    wobble(w->data, w->floats, part, seed);
    for (int step = 0; step < t->steps; step++) {
        fill(plain_input(plain), t->x, 1, t->round + (uint64_t)step);
        wobble(plain_input(plain), t->x, part, seed + 1);
        if (!t->frozen)
            plain_drop(plain, (Random){ t->round, (uint64_t)step });
        plain_forward(plain, w, !t->frozen);
        memcpy(results, plain_output(plain), t->y * sizeof *results);
        fill(plain_output_gradient(plain), t->y, 2, t->round);
        plain_backward(plain, w, g);
    }
    take(t, plain_input_gradient(plain), w, g, results);
    plain_free(plain);
    return results;
}

static float *train_by_plan(const Trial *t)
{
    TrainingOptions options = { .input_gradient = true, .frozen = t->frozen };
    Training *plan = training_new_with(t->net, options);
    Weights *w = weights_of(t), *g = weights_new(t->net);
    float *results = mem_alloc(t->floats, sizeof *results);
    for (int step = 0; step < t->steps; step++) {
        fill(training_input(plan), t->x, 1, t->round + (uint64_t)step);
        if (!t->frozen)
            training_drop(plan, (Random){ t->round, (uint64_t)step });
        training_forward(plan, w);
        memcpy(results, training_output(plan), t->y * sizeof *results);
        fill(training_output_gradient(plan), t->y, 2, t->round);
        training_backward(plan, w, g);
    }
    take(t, training_input_gradient(plan), w, g, results);
    training_free(plan);
    return results;
}

/* --- comparing ------------------------------------------------------------------------------- */

static double distance(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum);
}

static double norm(const float *a, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * a[i];
    return sqrt(sum);
}

/* Part i of the results: the output, the input's gradient, the parameters. */
typedef struct {
    const char *name;
    size_t first, count;
} Part;

static Part part_of(const Trial *t, int i)
{
    if (i == 0)
        return (Part){ "the output", 0, t->y };
    if (i == 1)
        return (Part){ "the input's gradient", t->y, t->x };
    const Param *p = &t->weights->params[i - 2];
    size_t before = (size_t)(t->weights->values[i - 2] - t->weights->data);
    return (Part){ p->key, t->y + t->x + before, p->count };
}

/* How far a part of the plain results moves when input and weights do by a millionth: more than
 * rounding where it decides on which side of a ReLU's kink a value lies, or which of two a maximum
 * is. */
static double moved(const Trial *t, const float *want, Part part)
{
    double most = 0;
    for (uint64_t seed = 0; seed < 16; seed += 2) {
        float *other = train_plainly(t, 1e-6, seed);
        most = fmax(most, distance(other + part.first, want + part.first, part.count));
        free(other);
    }
    return most;
}

/* The size of all gradients together: where terms of that size cancel, rounding is left. */
static double gradient_norm(const Trial *t, const float *want)
{
    double square = pow(norm(want + t->y, t->x), 2);
    for (int i = 0; i < t->weights->count; i++)
        if (t->weights->params[i].trained)
            square += pow(norm(want + part_of(t, i + 2).first, part_of(t, i + 2).count), 2);
    return sqrt(square);
}

/* Says so, and of which network. */
static bool differs(const Trial *t, const char *what, double off, double size)
{
    for (int i = 0; i < net_tensors(t->net); i++) {
        const Tensor *y = net_tensor(t->net, i);
        char shape[SHAPE_TEXT];
        fprintf(stderr, "%3d %-16s %-12s", i, y->op ? y->op->name : "input",
                tensor_shape_text(y, shape));
        for (int k = 0; k < 2 && y->in[k]; k++)
            fprintf(stderr, " %d", y->in[k]->index);
        fprintf(stderr, "\n");
    }
    fprintf(stderr, "network %llu, %s: %g off, of %g\n", (unsigned long long)t->round, what, off,
            size);
    return false;
}

/* Each part within 1e-5 of its size; a gradient, of that of all gradients. */
static bool are_same(const Trial *t, const float *ours, const float *want)
{
    double all = gradient_norm(t, want);
    for (int i = 0; i < 2 + t->weights->count; i++) {
        Part p = part_of(t, i);
        bool gradient = i == 1 || (i > 1 && t->weights->params[i - 2].trained);
        double off = distance(ours + p.first, want + p.first, p.count);
        double size = gradient ? all : norm(want + p.first, p.count);
        if (off <= 1e-5 * size || (isfinite(off) && off <= 10 * moved(t, want, p)))
            continue;
        return differs(t, p.name, off, size);
    }
    return true;
}

static bool trains_alike(const Trial *t)
{
    float *ours = train_by_plan(t), *want = train_plainly(t, 0, 0);
    bool same = are_same(t, ours, want);
    free(ours);
    free(want);
    return same;
}

static bool infers_alike(const Trial *t)
{
    bool same = true;
    Plain *plain = plain_new(t->net);
    Inference *plan = inference_new(t->net);
    Weights *w = weights_of(t);
    fill(plain_input(plain), t->x, 1, t->round);
    plain_forward(plain, w, false);
    (t->round % 2 ? inference_adopt(plan, w) : inference_load(plan, w));
    memcpy(inference_input(plan), plain_input(plain), t->x * sizeof(float));
    for (int run = 0; run < 2 && same; run++) {
        inference_run(plan);
        double off = distance(inference_output(plan), plain_output(plain), t->y);
        double size = norm(plain_output(plain), t->y);
        same = off <= 1e-5 * size || differs(t, "inference", off, size);
    }
    inference_free(plan);
    plain_free(plain);
    weights_free(w);
    return same;
}

bool random_network_agrees(uint64_t round, bool large)
{
    thread_count_set(1); /* what threads share is for other tests */
    Trial t = trial_new(round, large);
    bool same = trains_alike(&t) && infers_alike(&t);
    trial_free(&t);
    return same;
}
