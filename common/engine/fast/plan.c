/* The plan of training: the storage and the lifetime of each array.
 *
 * Of n tensors layer i runs forward at time step i and backward at 2n - i; between them, at n, the
 * caller reads the output and writes its gradient. An array is alive from the time step that writes
 * it to the last that reads it, and lies in a storage, a part of one block of memory. Storages that
 * are never alive at the same time may overlap in the block (buffers.c). Arrays share a storage:
 *
 *   values     if a layer writes them over its input's, which are not read afterwards
 *              (share_values);
 *   gradients  if they are the same numbers, because a sum or a view passes them through, until one
 *              of them is written to (can_alias); or if a layer writes them over its own, which is
 *              not read any more (assign_input_gradient).
 *
 * One residual block of step 09 after its stem, as `report --plan --part encoder --preset small
 * --depths 1,0,0,0` prints it. The block reads tensor 2 twice: in 3 and in the sum, 8.
 * w: written; r: read; x: written and read; -: alive.
 *
 *   time step             0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17
 *                         forward                    |  backward of
 *                                                 loss  8  7  6  5  4  3  2  1
 *   values
 *   0 input        s1     w--r-----------------------------------------------r   kept
 *   1 conv2d       s2        w--r--------------------------------------r--r      kept
 *   2 batch_norm   s4           w--r--------------r                              (a)
 *   3 conv2d       s7              w--r--------------------------r--r            kept
 *   4 group_norm   s9                 w--r                                       (a)
 *   5 conv2d       s12                   w--r--------------r--r                  kept
 *   6 gelu         s14                      w--r                                 (a)
 *   7 conv2d       s16                         w--r                              (b)
 *   8 add          s16                            w--r                           over 7's (b)
 *   recomputed
 *   2 batch_norm   s5                                                  x         from 1
 *   4 group_norm   s10                                           x               from 3
 *   6 gelu         s15                                     x                     from 5
 *   gradient
 *   8 add          s3                                w--r
 *   7 conv2d       s3                                   w--r                     same as 8's (c)
 *   2 batch_norm   s3                                   w--------------w--r      same as 8's (c)
 *   6 gelu         s13                                     w--r
 *   5 conv2d       s13                                        w--r               over 6's (d)
 *   4 group_norm   s8                                            w--r
 *   3 conv2d       s8                                               w--r         over 4's (d)
 *   1 conv2d       s3                                                     w--r   over 2's (d)
 *
 * (a) Read by the backward of the convolution after it, at 15, 13 and 11. It is recomputed from
 *     the values before it, which are kept anyway because the norm's or GELU's own backward, one
 *     time step later, reads them.
 * (b) Read by no backward: a convolution's reads its input, a sum's nothing. The sum is written
 *     over its first input.
 * (c) The sum passes its gradient through to both inputs, so nothing is written at 10: all three
 *     are one array. At 15 convolution 3 adds its part to 2's gradient. That would destroy 7's if
 *     it were read after 15; it is read at 11, so 2's may be an alias. At 16 it is complete, and
 *     read.
 * (d) Pointwise layers and norms write their input's gradient over their own. */
#include "engine/fast/plan.h"

#include "base/memory.h"

#include <limits.h>
#include <stdlib.h>

/* --- properties of layers -------------------------------------------------------------------- */

const Tensor *plan_owner(const Tensor *t)
{
    while (tensor_is_view(t, true))
        t = t->in[0];
    return t;
}

bool plan_runs_definition(const Tensor *t)
{
    return t->op && !tensor_is_view(t, true) && !fast_of(t->op);
}

bool plan_has(const Tensor *t, FastFlags flag)
{
    if (plan_runs_definition(t))
        return flag & (READS_X | READS_Y);
    return t->op && !tensor_is_view(t, true) && (fast_of(t->op)->flags & flag);
}

int plan_backward_step(const Training *plan, const Tensor *t)
{
    return 2 * plan->count - t->index;
}

Node *plan_node(const Training *plan, const Tensor *t)
{
    return &plan->nodes[t->index];
}

/* Tests whether t's gradient is needed; the input's is only computed on request. */
static bool wants_gradient(const Training *plan, const Tensor *t)
{
    return t->op != NULL || plan->options.input_gradient;
}

/* --- arrays ---------------------------------------------------------------------------------- */

void plan_assign_storage(Training *plan, Array *array, size_t floats, int step)
{
    *array = (Array){ .storage = buffer_new(&plan->buffers, floats, step), step, step };
}

void plan_extend(Training *plan, Array *array, int step)
{
    array->first = step < array->first ? step : array->first;
    array->last = step > array->last ? step : array->last;
    buffer_extend(&plan->buffers, array->storage, step);
}

/* Makes the array, from `step` on, an alias of `other`'s array in `storage`. */
static void alias(Training *plan, Array *array, const Array *storage, ArrayRelation relation,
                  const Tensor *other, int step)
{
    int last = array->last > step ? array->last : step;
    *array = (Array){ storage->storage, step, last, relation, other };
    buffer_extend(&plan->buffers, array->storage, last);
}

float *plan_data(const Training *plan, const Array *array)
{
    return array->storage >= 0 ? buffer_data(&plan->buffers, array->storage) : NULL;
}

FastCall plan_call(const Training *plan, const Node *n, const Weights *weights)
{
    return (FastCall){ .call = { .param = weights->values + n->t->first_param,
                                 .drawn = plan_data(plan, &n->factors),
                                 .training = !plan->options.frozen },
                       .saved = plan_data(plan, &n->statistics),
                       .work = plan->work };
}

/* --- values ---------------------------------------------------------------------------------- */

/* Extends the lifetime of t's values by a forward read at `step`; a view's values are its
 * owner's. */
static void read_in_forward(Training *plan, const Tensor *t, int step)
{
    plan_extend(plan, &plan_node(plan, plan_owner(t))->values, step);
}

/* Places the values: first forward's lifetimes (up to the last layer that reads them), then
 * backward's. */
static void place_values(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (!tensor_is_view(n->t, true))
            plan_assign_storage(plan, &n->values, tensor_elements(n->t), i);
        for (int k = 0; k < 2 && n->t->in[k]; k++)
            read_in_forward(plan, n->t->in[k], i);
        if (plan->options.keep_values)
            read_in_forward(plan, n->t, plan->count);
    }
    read_in_forward(plan, plan->nodes[plan->count - 1].t, plan->count);
    for (int i = 0; i < plan->count; i++) {
        const Tensor *t = plan->nodes[i].t;
        int step = plan_backward_step(plan, t);
        if (tensor_is_view(t, true))
            continue;
        if (plan_has(t, READS_X))
            recompute_or_keep(plan, t->in[0], step);
        if (plan_runs_definition(t) && t->in[1])
            recompute_or_keep(plan, t->in[1], step);
        if (plan_has(t, READS_Y))
            recompute_or_keep(plan, t, step);
    }
}

/* Lets a layer write over its input if that is not read afterwards: both get one storage. */
static void share_values(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (!plan_has(n->t, IN_PLACE) || tensor_is_view(n->t, true))
            continue;
        const Tensor *from = plan_owner(n->t->in[0]);
        const Array *x = &plan_node(plan, from)->values;
        if (!from->op || plan->buffers.items[x->storage].last > i)
            continue;
        plan->buffers.items[n->values.storage].floats = 0;
        alias(plan, &n->values, x, ARRAY_OVER, from, i);
    }
}

/* --- gradients ------------------------------------------------------------------------------- */

/* Returns the first time step after `now` at which a layer writes into t's gradient; INT_MAX: none
 * does. A gradient is complete when the last of the tensor's readers (in backward order: the
 * nearest one) has added its part, and is read at the tensor's own backward. */
static int next_write(const Training *plan, const Tensor *t, int now)
{
    for (int i = plan->count - 1; i > t->index; i--) {
        const Tensor *reader = plan->nodes[i].t;
        if ((reader->in[0] == t || reader->in[1] == t) && plan_backward_step(plan, reader) > now)
            return plan_backward_step(plan, reader);
    }
    return INT_MAX;
}

/* Tests whether t's gradient may alias those in `storage`, which hold the same numbers now. Two of
 * them may share if neither is written to before the other has been read for the last time. */
static bool can_alias(const Training *plan, const Tensor *t, int storage, int now)
{
    int t_written = next_write(plan, t, now);
    for (int i = 0; i < plan->count; i++) {
        const Node *other = &plan->nodes[i];
        if (other->gradient.storage != storage || other->t == t)
            continue;
        if (plan_backward_step(plan, other->t) >= t_written ||
            plan_backward_step(plan, t) >= next_write(plan, other->t, now))
            return false;
    }
    return true;
}

/* Tests whether the layer that runs backward at `now` is the last to read the storage. */
static bool is_last_reader(const Training *plan, int storage, int now)
{
    for (int i = 0; i < plan->count; i++)
        if (plan->nodes[i].gradient.storage == storage &&
            plan_backward_step(plan, plan->nodes[i].t) > now)
            return false;
    return true;
}

/* Tests whether the layer passes its gradient through to its inputs. */
static bool passes_gradient(const Tensor *t)
{
    return tensor_is_view(t, true) || t->op->flags & OP_SUMS;
}

/* Decides how layer n assigns the gradient of input k, and where that is stored if n is the first
 * to assign it. */
static InputGradient assign_input_gradient(Training *plan, const Node *n, int k)
{
    const Tensor *t = n->t, *in = t->in[k];
    int now = plan_backward_step(plan, t);
    if (!in || !wants_gradient(plan, in))
        return NOT_WRITTEN;
    Array *dx = &plan_node(plan, in)->gradient;
    if (dx->storage >= 0)
        return ADD;
    dx->last = plan_backward_step(plan, in);
    bool passes = passes_gradient(t);
    if (passes && t->in[0] != t->in[1] && can_alias(plan, in, n->gradient.storage, now)) {
        alias(plan, dx, &n->gradient, ARRAY_SAME, t, now);
        return NOT_WRITTEN;
    }
    if (plan_has(t, IN_PLACE) && !passes && is_last_reader(plan, n->gradient.storage, now)) {
        alias(plan, dx, &n->gradient, ARRAY_OVER, t, now);
        return SET;
    }
    plan_assign_storage(plan, dx, tensor_elements(in), now);
    plan_extend(plan, dx, plan_backward_step(plan, in));
    return SET;
}

static void place_gradients(Training *plan)
{
    Node *output = &plan->nodes[plan->count - 1];
    plan_assign_storage(plan, &output->gradient, tensor_elements(output->t), plan->count);
    plan_extend(plan, &output->gradient, plan_backward_step(plan, output->t));
    for (int i = plan->count - 1; i > 0; i--) {
        Node *n = &plan->nodes[i];
        for (int k = 0; k < 2 && n->gradient.storage >= 0; k++)
            n->assign[k] = assign_input_gradient(plan, n, k);
    }
}

/* --- saved values and scratch memory --------------------------------------------------------- */

/* Returns the workspace for unwanted gradients: a derivative writes the gradient of every input. */
static size_t largest_input(const Tensor *t)
{
    size_t first = tensor_elements(t->in[0]), second = t->in[1] ? tensor_elements(t->in[1]) : 0;
    return first > second ? first : second;
}

static size_t layer_work(const Training *plan, const Tensor *t)
{
    if (plan_runs_definition(t))
        return largest_input(t);
    const Fast *fast = fast_of(t->op);
    size_t forward = fast->work ? fast->work(t) : 0, backward = 0;
    if (fast->work_backward)
        backward = fast->work_backward(t, wants_gradient(plan, t->in[0]));
    return forward > backward ? forward : backward;
}

static void place_scratch(Training *plan)
{
    for (int i = 1; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (tensor_is_view(n->t, true))
            continue;
        size_t work = layer_work(plan, n->t);
        plan->work_floats = work > plan->work_floats ? work : plan->work_floats;
        const Fast *fast = fast_of(n->t->op);
        if (fast && fast->saved) {
            plan_assign_storage(plan, &n->statistics, fast->saved(n->t), i);
            plan_extend(plan, &n->statistics, plan_backward_step(plan, n->t));
        }
        if (n->t->op->draw) { /* factors are valid until the next drawing */
            plan_assign_storage(plan, &n->factors, (size_t)n->t->n, -1);
            plan_extend(plan, &n->factors, 2 * plan->count);
        }
    }
}

/* --- the plan -------------------------------------------------------------------------------- */

Training *plan_new(const Net *net, TrainingOptions options)
{
    static const Array none = { .storage = -1 };
    net_check_runnable(net);
    Training *plan = mem_alloc(1, sizeof *plan);
    plan->net = net;
    plan->options = options;
    plan->count = options.last ? options.last->index + 1 : net_tensors(net);
    plan->nodes = mem_alloc((size_t)plan->count, sizeof *plan->nodes);
    for (int i = 0; i < plan->count; i++)
        plan->nodes[i] = (Node){ .t = net_tensor(net, i),
                                 .values = none,
                                 .recomputed = none,
                                 .gradient = none,
                                 .statistics = none,
                                 .factors = none };
    recompute_choose(plan);
    place_values(plan);
    share_values(plan);
    place_gradients(plan);
    place_scratch(plan);
    buffers_place(&plan->buffers);
    return plan;
}

size_t training_bytes(const Training *plan)
{
    return (plan->buffers.total + plan->work_floats) * sizeof(float);
}

size_t training_needs(const Net *net)
{
    Training *plan = plan_new(net, (TrainingOptions){ 0 });
    size_t bytes = training_bytes(plan);
    training_free(plan);
    return bytes;
}

/* --- inspection ------------------------------------------------------------------------------ */

/* Numbers the storages in order of first use by the listed arrays. */
static int storage_number(EnginePlan *list, int *numbers, int storage)
{
    if (!numbers[storage])
        numbers[storage] = ++list->storages;
    return numbers[storage];
}

static void list_array(const Training *plan, EnginePlan *list, int *numbers, const Node *n,
                       ArrayRole role, const Array *a, size_t floats)
{
    if (a->storage < 0)
        return;
    list->arrays[list->count++] = (PlannedArray){
        .tensor = n->t,
        .role = role,
        .storage = storage_number(list, numbers, a->storage),
        .offset = plan->buffers.items[a->storage].offset * sizeof(float),
        .bytes = floats * sizeof(float),
        .first = a->first,
        .last = a->last,
        .recompute = role == ARRAY_VALUES && n->recomputed.storage >= 0,
        .relation = a->relation,
        .other = a->other,
    };
}

/* Returns t's values for the list; a view's are its owner's. */
static Array listed_values(const Training *plan, const Tensor *t)
{
    const Tensor *owner = plan_owner(t);
    Array a = plan_node(plan, owner)->values;
    if (owner != t) {
        a.relation = ARRAY_SAME;
        a.other = owner;
    }
    return a;
}

EnginePlan training_plan(const Net *net, TrainingOptions options)
{
    enum { ROLES = 5 };
    Training *plan = plan_new(net, options);
    EnginePlan list = { .arrays = mem_alloc((size_t)plan->count * ROLES, sizeof *list.arrays),
                        .workspace = plan->work_floats * sizeof(float),
                        .total = training_bytes(plan) };
    int *numbers = mem_alloc((size_t)plan->buffers.count, sizeof *numbers);
    for (int i = 0; i < plan->count; i++) {
        const Node *n = &plan->nodes[i];
        const Fast *fast = n->t->op ? fast_of(n->t->op) : NULL;
        size_t floats = tensor_elements(n->t), saved = fast && fast->saved ? fast->saved(n->t) : 0;
        Array values = listed_values(plan, n->t);
        list_array(plan, &list, numbers, n, ARRAY_VALUES, &values, floats);
        list_array(plan, &list, numbers, n, ARRAY_RECOMPUTED, &n->recomputed, floats);
        list_array(plan, &list, numbers, n, ARRAY_GRADIENT, &n->gradient, floats);
        list_array(plan, &list, numbers, n, ARRAY_STATISTICS, &n->statistics, saved);
        list_array(plan, &list, numbers, n, ARRAY_FACTORS, &n->factors, (size_t)n->t->n);
    }
    free(numbers);
    training_free(plan);
    return list;
}
