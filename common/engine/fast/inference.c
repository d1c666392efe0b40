#include "engine/fast/inference.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/fast/buffers.h"
#include "engine/fast/fast.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_FOLDED = 4 };

/* Layers that run as one unit. A product may fuse, in this order, layers that fold into its weight
 * (batch norm, layer scale), a sum and an activation; views cost nothing anyway. */
typedef struct {
    const Tensor *first, *last;
    const Fast *fast; /* the first layer's way, or NULL */
    const Tensor *folded[MAX_FOLDED];
    int folded_count;
    const Tensor *sum;      /* fused, or NULL … */
    const Tensor *residual; /* … and its other summand */
    Act act;
    float *packed, *bias;
    int saved; /* buffer of the op's saved values, or -1 */
    double seconds;
} Unit;

struct Inference {
    const Net *net;
    const Weights *weights;
    Unit *units;
    int count;
    int *reader_count; /* by tensor: number of layers that read it */
    Tensor **reader;   /* by tensor: the last layer that reads it */
    int *value;        /* by tensor: its buffer, or -1 if it is never stored */
    size_t *stride;    /* by tensor: pixel stride in floats; 0: its number of channels */
    Buffers buffers;
    size_t work_floats;
    float *work, *packed;
};

/* --- fusing ---------------------------------------------------------------------------------- */

static void count_readers(Inference *plan)
{
    int count = net_tensors(plan->net);
    plan->reader_count = mem_alloc((size_t)count, sizeof *plan->reader_count);
    plan->reader = mem_alloc((size_t)count, sizeof(Tensor *));
    for (int i = 0; i < count; i++) {
        Tensor *t = net_tensor(plan->net, i);
        for (int k = 0; k < 2 && t->in[k]; k++) {
            plan->reader_count[t->in[k]->index]++;
            plan->reader[t->in[k]->index] = t;
        }
    }
}

/* Returns the only layer that reads t, looking through views, or NULL. */
static const Tensor *only_reader(const Inference *plan, const Tensor *t)
{
    while (plan->reader_count[t->index] == 1) {
        t = plan->reader[t->index];
        if (!tensor_is_view(t, false))
            return t;
    }
    return NULL;
}

static bool is_product(const Unit *u)
{
    return u->fast && u->fast->pack;
}

static bool can_fold(const Tensor *t)
{
    const Fast *fast = t ? fast_of(t->op) : NULL;
    return fast && fast->fold;
}

static void fuse(const Inference *plan, Unit *u, const bool *fused)
{
    const Tensor *next = only_reader(plan, u->last);
    for (; u->folded_count < MAX_FOLDED && can_fold(next); next = only_reader(plan, u->last))
        u->last = u->folded[u->folded_count++] = next;
    const Tensor *before = u->last;
    if (next && next->op->flags & OP_SUMS && !fused[next->index] && next->in[0] != next->in[1]) {
        const Tensor *left = next->in[0];
        while (tensor_is_view(left, false) && left != before)
            left = left->in[0];
        u->residual = left == before ? next->in[1] : next->in[0];
        u->last = u->sum = next;
        next = only_reader(plan, u->last);
    }
    if (next && next->op->act != IDENTITY) {
        u->act = next->op->act;
        u->last = next;
    }
}

static int by_last_layer(const void *a, const void *b)
{
    const Unit *x = a, *y = b;
    return x->last->index - y->last->index;
}

/* Makes the units and orders them by their last layer, before which a residual is computed. */
static void make_units(Inference *plan)
{
    int count = net_tensors(plan->net);
    bool *fused = mem_alloc((size_t)count, sizeof *fused);
    plan->units = mem_alloc((size_t)count, sizeof *plan->units);
    for (int i = 0; i < count; i++) {
        const Tensor *t = net_tensor(plan->net, i);
        if (!t->op || fused[i] || tensor_is_view(t, false))
            continue;
        Unit u = { .first = t, .last = t, .fast = fast_of(t->op), .saved = -1 };
        if (is_product(&u))
            fuse(plan, &u, fused);
        for (int k = 0; k < u.folded_count; k++)
            fused[u.folded[k]->index] = true;
        if (u.sum)
            fused[u.sum->index] = true;
        fused[u.last->index] = true;
        plan->units[plan->count++] = u;
    }
    qsort(plan->units, (size_t)plan->count, sizeof *plan->units, by_last_layer);
    free(fused);
}

/* --- memory ---------------------------------------------------------------------------------- */

/* Returns the tensor that owns t's storage: t itself, or the input of a view. */
static const Tensor *storage_owner(const Tensor *t)
{
    while (tensor_is_view(t, false))
        t = t->in[0];
    return t;
}

/* Returns the last unit that reads t's values; -1: none. */
static int last_reader(const Inference *plan, const Tensor *t)
{
    int last = -1;
    for (int i = 0; i < plan->count; i++) {
        const Unit *u = &plan->units[i];
        for (int k = 0; k < 2 && u->first->in[k]; k++)
            last = storage_owner(u->first->in[k]) == t ? i : last;
        last = u->residual && storage_owner(u->residual) == t ? i : last;
    }
    return last;
}

/* Returns an input that unit i may overwrite because it is not read afterwards, or NULL. */
static const Tensor *find_overwritable(const Inference *plan, int i)
{
    const Unit *u = &plan->units[i];
    const Tensor *choices[2] = { NULL, NULL };
    if (u->fast && u->fast->flags & IN_PLACE) {
        choices[0] = u->first->in[0];
        choices[1] = u->first->in[1];
    }
    for (int k = 0; k < 2; k++) {
        const Tensor *t = choices[k] ? storage_owner(choices[k]) : NULL;
        if (t && t->op && last_reader(plan, t) == i &&
            plan->buffers.items[plan->value[t->index]].last == i)
            return t;
    }
    return NULL;
}

/* Returns the pixel stride of a unit's output in floats if only one product reads it, as in the
 * middle of a block's last two layers; 0: the number of channels. */
static size_t output_stride(const Inference *plan, const Unit *u)
{
    const Tensor *reader = only_reader(plan, u->last);
    const Fast *fast = reader ? fast_of(reader->op) : NULL;
    if (!fast || !fast->pixel_stride || fast != u->fast || u->residual)
        return 0;
    return fast->pixel_stride(u->first, reader);
}

static void place_outputs(Inference *plan)
{
    int tensors = net_tensors(plan->net);
    plan->value = mem_alloc((size_t)tensors, sizeof *plan->value);
    plan->stride = mem_alloc((size_t)tensors, sizeof *plan->stride);
    for (int i = 0; i < tensors; i++)
        plan->value[i] = -1;
    const Tensor *input = net_tensor(plan->net, 0),
                 *output = storage_owner(net_tensor(plan->net, tensors - 1));
    plan->value[0] = buffer_new(&plan->buffers, tensor_elements(input), -1);
    /* The caller may fill the input once for many runs, so it is never overwritten. */
    buffer_extend(&plan->buffers, plan->value[0], plan->count);
    for (int i = 0; i < plan->count; i++) {
        const Tensor *t = plan->units[i].last, *over = find_overwritable(plan, i);
        int *value = &plan->value[t->index];
        size_t stride = plan->stride[t->index] = output_stride(plan, &plan->units[i]);
        size_t floats = stride ? size_mul(tensor_rows(t), stride) : tensor_elements(t);
        *value = over ? plan->value[over->index] : buffer_new(&plan->buffers, floats, i);
        int last = last_reader(plan, t);
        buffer_extend(&plan->buffers, *value, t == output ? plan->count : last < i ? i : last);
    }
}

static void place_unit_scratch(Inference *plan)
{
    for (int i = 0; i < plan->count; i++) {
        Unit *u = &plan->units[i];
        if (!u->fast)
            continue;
        size_t work = u->fast->work ? u->fast->work(u->first) : 0;
        plan->work_floats = work > plan->work_floats ? work : plan->work_floats;
        if (u->fast->saved)
            u->saved = buffer_new(&plan->buffers, u->fast->saved(u->first), i);
    }
}

/* Plans without allocating the block. */
static Inference *make_plan(const Net *net)
{
    net_check_runnable(net);
    Inference *plan = mem_alloc(1, sizeof *plan);
    plan->net = net;
    count_readers(plan);
    make_units(plan);
    place_outputs(plan);
    place_unit_scratch(plan);
    buffers_place(&plan->buffers);
    return plan;
}

Inference *inference_new(const Net *net)
{
    Inference *plan = make_plan(net);
    buffers_allocate(&plan->buffers);
    plan->work = mem_alloc(plan->work_floats, sizeof *plan->work);
    return plan;
}

size_t inference_needs(const Net *net)
{
    Inference *plan = make_plan(net);
    size_t bytes = inference_bytes(plan);
    inference_free(plan);
    return bytes;
}

void inference_free(Inference *plan)
{
    if (!plan)
        return;
    buffers_free(&plan->buffers);
    free(plan->units);
    free(plan->reader_count);
    free(plan->reader);
    free(plan->value);
    free(plan->stride);
    free(plan->work);
    free(plan->packed);
    free(plan);
}

/* --- weights --------------------------------------------------------------------------------- */

/* Computes the effect of the folded layers on a product's output: y·scale[c] + shift[c]. */
static void fold(const Unit *u, const Weights *w, float *scale, float *shift)
{
    const Tensor *t = u->first;
    for (int c = 0; c < t->c; c++) {
        double a = 1, b = t->params > 1 ? w->values[t->first_param + 1][c] : 0;
        for (int k = 0; k < u->folded_count; k++) {
            const Tensor *folded = u->folded[k];
            fast_of(folded->op)->fold(folded, w->values + folded->first_param, c, &a, &b);
        }
        scale[c] = (float)a;
        shift[c] = (float)b;
    }
}

/* Folds and packs one product's weight, in place or into memory of its own. */
static void pack(const Unit *u, const Weights *w, float *scale)
{
    const Tensor *conv = u->first;
    const Param *p = &w->params[conv->first_param];
    const float *weight = w->values[conv->first_param];
    fold(u, w, scale, u->bias);
    if (u->packed != weight && !u->folded_count) {
        u->fast->pack(conv, weight, u->packed);
        return;
    }
    float *folded = mem_alloc(p->count, sizeof *folded);
    size_t out = (size_t)conv->c, each = p->count / out;
    for (size_t i = 0; i < p->count; i++)
        folded[i] = weight[i] * scale[p->layout == LAYOUT_HWIO ? i % out : i / each];
    u->fast->pack(conv, folded, u->packed);
    free(folded);
}

static size_t round_to_line(size_t floats)
{
    enum { ROUND = 16 };
    return (floats + ROUND - 1) / ROUND * ROUND;
}

/* Tests whether the packed weight fits into the weight's memory. */
static bool fits_in_place(const Unit *u, const Weights *w)
{
    return u->fast->packed(u->first) <= w->params[u->first->first_param].count;
}

/* Assigns memory to every product's bias and packed weight, from `floats` on, or in `own` (if not
 * NULL) where the packed weight fits. Returns the number of floats; floats NULL: only counts. */
static size_t place_packed(Inference *plan, const Weights *weights, Weights *own, float *floats)
{
    size_t used = 0;
    for (int i = 0; i < plan->count; i++) {
        Unit *u = &plan->units[i];
        if (!is_product(u))
            continue;
        bool in_place = own && fits_in_place(u, weights);
        if (floats) {
            u->bias = floats + used;
            u->packed = in_place ? own->values[u->first->first_param]
                                 : u->bias + round_to_line((size_t)u->first->c);
        }
        used += round_to_line((size_t)u->first->c);
        used += in_place ? 0 : round_to_line(u->fast->packed(u->first));
    }
    return used;
}

static void load(Inference *plan, const Weights *weights, Weights *own)
{
    size_t widest = 0;
    for (int i = 0; i < plan->count; i++) {
        size_t c = (size_t)plan->units[i].first->c;
        widest = c > widest ? c : widest;
    }
    if (!plan->packed)
        plan->packed = mem_alloc(place_packed(plan, weights, own, NULL), sizeof *plan->packed);
    place_packed(plan, weights, own, plan->packed);
    float *scale = mem_alloc(widest, sizeof *scale);
    for (int i = 0; i < plan->count; i++)
        if (is_product(&plan->units[i]))
            pack(&plan->units[i], weights, scale);
    free(scale);
    plan->weights = weights;
}

void inference_load(Inference *plan, const Weights *weights)
{
    load(plan, weights, NULL);
}

void inference_adopt(Inference *plan, Weights *weights)
{
    load(plan, weights, weights);
}

/* --- running --------------------------------------------------------------------------------- */

static float *value(const Inference *plan, const Tensor *t)
{
    return t ? buffer_data(&plan->buffers, plan->value[storage_owner(t)->index]) : NULL;
}

float *inference_input(Inference *plan)
{
    return value(plan, net_tensor(plan->net, 0));
}

const float *inference_output(const Inference *plan)
{
    return value(plan, net_output(plan->net));
}

static void run(const Inference *plan, const Unit *u)
{
    const Tensor *t = u->first;
    FastCall c = { .call = { .x = { value(plan, t->in[0]), value(plan, t->in[1]) },
                             .y = value(plan, u->last),
                             .param = plan->weights->values + t->first_param },
                   .saved = u->saved >= 0 ? buffer_data(&plan->buffers, u->saved) : NULL,
                   .work = plan->work,
                   .packed = u->packed,
                   .bias = u->bias,
                   .residual = value(plan, u->residual),
                   .x_stride = plan->stride[storage_owner(t->in[0])->index],
                   .y_stride = plan->stride[u->last->index],
                   .act = u->act };
    if (u->fast)
        u->fast->forward(t, &c);
    else
        t->op->define(t, &c.call);
}

void inference_run(Inference *plan)
{
    for (int i = 0; i < plan->count; i++) {
        double start = clock_seconds();
        run(plan, &plan->units[i]);
        plan->units[i].seconds += clock_seconds() - start;
    }
}

/* --- inspection ------------------------------------------------------------------------------ */

size_t inference_bytes(const Inference *plan)
{
    return (plan->buffers.total + plan->work_floats) * sizeof(float);
}

int inference_units(const Inference *plan)
{
    return plan->count;
}

EngineUnit inference_unit(const Inference *plan, int i)
{
    const Unit *u = &plan->units[i];
    return (EngineUnit){ .first = u->first, .last = u->last, .forward = u->seconds };
}
