#include "engine/fast/training.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/fast/buffers.h"
#include "engine/fast/fast.h"

#include <stdlib.h>
#include <string.h>

/* What the plan knows of a tensor and the layer that computes it. Moments: layer i runs forward at
 * i and backward at moment(i), the last layer first. */
typedef struct {
    const Tensor *t;
    int value;     /* buffer of its values in forward, and in backward where these are kept */
    int again;     /* buffer of its values computed again for backward, or -1 */
    int gradient;  /* buffer of the gradient, or -1 */
    int saved;     /* buffer of the fast way's own statistics, or -1 */
    int drawn;     /* buffer of a random op's factors, or -1 */
    int writes[2]; /* into the gradient of input k: does it set, add, or is nothing to do? */
    bool cheap;    /* computed again for backward, not kept */
    bool ready;    /* … and that has been done in this backward */
    LayerSeconds seconds;
} Node;

enum { NOTHING, SET, ADD };

struct Training {
    const Net *net;
    TrainingOptions options;
    Node *nodes;
    int count;
    Buffers buffers;
    size_t work_floats;
    float *work;
};

/* --- small questions ------------------------------------------------------------------------- */

static bool is_view(const Tensor *t)
{
    return t->op && t->op->is_view && t->op->is_view(t, true);
}

static const Tensor *holder(const Tensor *t)
{
    while (is_view(t))
        t = t->in[0];
    return t;
}

/* Is there but the definition? */
static bool is_plain(const Tensor *t)
{
    return t->op && !is_view(t) && !fast_of(t->op);
}

/* A derivative reads whatever there is. */
static bool has(const Tensor *t, FastFlags flag)
{
    if (is_plain(t))
        return flag & (READS_X | READS_Y);
    return t->op && !is_view(t) && (fast_of(t->op)->flags & flag);
}

static int moment(const Training *plan, const Tensor *t)
{
    return 2 * plan->count - t->index;
}

static Node *node(const Training *plan, const Tensor *t)
{
    return &plan->nodes[t->index];
}

/* Nobody learns from the input's gradient; it is computed for those who ask. */
static bool wants_gradient(const Training *plan, const Tensor *t)
{
    return t->op != NULL || plan->options.input_gradient;
}

/* --- values ---------------------------------------------------------------------------------- */

/* Where a cheap tensor is computed again from: the first one up the line that is kept. */
static const Tensor *origin(const Training *plan, const Tensor *t)
{
    t = holder(t);
    while (node(plan, t)->cheap)
        t = holder(t->in[0]);
    return t;
}

/* Computing again pays where what it starts from is kept anyway: because the layer's own backward
 * reads it, or because it is cheap itself. A ReLU after a sum is kept in the sum's place. */
static bool is_cheap(const Training *plan, const Tensor *t)
{
    return has(t, RECOMPUTABLE) && !is_view(t) &&
           (has(t, READS_X) || node(plan, holder(t->in[0]))->cheap);
}

/* Backward at `when` reads t's values: keep them until then, or compute them again in time. */
static void read_in_backward(Training *plan, const Tensor *t, int when)
{
    t = holder(t);
    Node *n = node(plan, t);
    if (!n->cheap) {
        buffer_extend(&plan->buffers, n->value, when);
        return;
    }
    if (n->again < 0)
        n->again = buffer_new(&plan->buffers, tensor_elements(t), when);
    buffer_extend(&plan->buffers, n->again, when);
    buffer_extend(&plan->buffers, node(plan, origin(plan, t))->value, when);
}

static bool read_later(const Training *plan, const Tensor *t, int now)
{
    return plan->buffers.items[node(plan, t)->value].last > now;
}

/* Forward lifetimes first (who reads it last), then backward's, then what may share memory. */
static void place_values(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (!is_view(n->t))
            n->value = buffer_new(&plan->buffers, tensor_elements(n->t), i);
        for (int k = 0; k < 2 && n->t->in[k]; k++)
            buffer_extend(&plan->buffers, node(plan, holder(n->t->in[k]))->value, i);
    }
    const Tensor *output = plan->nodes[plan->count - 1].t;
    buffer_extend(&plan->buffers, node(plan, holder(output))->value, plan->count);
    for (int i = 0; i < plan->count; i++) {
        const Tensor *t = plan->nodes[i].t;
        if (is_view(t))
            continue;
        if (has(t, READS_X))
            read_in_backward(plan, t->in[0], moment(plan, t));
        if (is_plain(t) && t->in[1])
            read_in_backward(plan, t->in[1], moment(plan, t));
        if (has(t, READS_Y))
            read_in_backward(plan, t, moment(plan, t));
    }
}

/* A layer writes over its input where nobody reads that afterwards: both become one buffer. */
static void share_values(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (!has(n->t, IN_PLACE) || is_view(n->t))
            continue;
        Node *from = node(plan, holder(n->t->in[0]));
        if (!from->t->op || read_later(plan, from->t, i))
            continue;
        Buffer *old = &plan->buffers.items[n->value];
        buffer_extend(&plan->buffers, from->value, old->last);
        old->floats = 0;
        n->value = from->value;
    }
}

/* --- gradients ------------------------------------------------------------------------------- */

/* Whether a layer later in backward than `now` writes into t's gradient, and the first such moment.
 */
static bool written_later(const Training *plan, const Tensor *t, int now, int *when)
{
    bool found = false;
    for (int i = t->index + 1; i < plan->count; i++) {
        const Tensor *user = plan->nodes[i].t;
        if ((user->in[0] != t && user->in[1] != t) || moment(plan, user) <= now)
            continue;
        *when = found && *when < moment(plan, user) ? *when : moment(plan, user);
        found = true;
    }
    return found;
}

/* May t's gradient lie in `buffer`, where others' lie too? Not if a later write for one of them
 * would change what another has yet to read. */
static bool may_join(const Training *plan, const Tensor *t, int buffer, int now)
{
    int writes_t = 0, writes_other = 0;
    bool t_written = written_later(plan, t, now, &writes_t);
    for (int i = 0; i < plan->count; i++) {
        const Node *other = &plan->nodes[i];
        if (other->gradient != buffer || other->t == t)
            continue;
        if (t_written && moment(plan, other->t) >= writes_t)
            return false;
        if (written_later(plan, other->t, now, &writes_other) && moment(plan, t) >= writes_other)
            return false;
    }
    return true;
}

/* Nobody but the layer that runs backward at `now` reads what lies in the buffer. */
static bool last_reader(const Training *plan, int buffer, int now)
{
    for (int i = 0; i < plan->count; i++)
        if (plan->nodes[i].gradient == buffer && moment(plan, plan->nodes[i].t) > now)
            return false;
    return true;
}

/* How layer n hands its gradient to input k. */
static int hand_down(Training *plan, Node *n, int k)
{
    const Tensor *t = n->t, *in = t->in[k];
    int now = moment(plan, t);
    if (!in || !wants_gradient(plan, in))
        return NOTHING;
    Node *to = node(plan, in);
    if (to->gradient >= 0)
        return ADD;
    bool same = is_view(t) || t->op->flags & OP_SUMS;
    bool alone = t->in[0] != t->in[1];
    if (same && alone && may_join(plan, in, n->gradient, now)) {
        to->gradient = n->gradient;
        buffer_extend(&plan->buffers, to->gradient, moment(plan, in));
        return NOTHING;
    }
    if (has(t, IN_PLACE) && !same && last_reader(plan, n->gradient, now))
        to->gradient = n->gradient;
    else
        to->gradient = buffer_new(&plan->buffers, tensor_elements(in), now);
    buffer_extend(&plan->buffers, to->gradient, moment(plan, in));
    return SET;
}

static void place_gradients(Training *plan)
{
    Node *output = &plan->nodes[plan->count - 1];
    output->gradient = buffer_new(&plan->buffers, tensor_elements(output->t), plan->count);
    buffer_extend(&plan->buffers, output->gradient, moment(plan, output->t));
    for (int i = plan->count - 1; i >= 0; i--) {
        Node *n = &plan->nodes[i];
        if (n->t->op && n->gradient >= 0)
            for (int k = 0; k < 2; k++)
                n->writes[k] = hand_down(plan, n, k);
    }
}

/* --- making ---------------------------------------------------------------------------------- */

/* A derivative writes the gradient of every input, wanted or not. */
static size_t largest_input(const Tensor *t)
{
    size_t first = tensor_elements(t->in[0]), second = t->in[1] ? tensor_elements(t->in[1]) : 0;
    return first > second ? first : second;
}

static size_t most_work(const Training *plan, const Tensor *t)
{
    if (is_plain(t))
        return largest_input(t);
    const Fast *fast = fast_of(t->op);
    size_t forward = fast->work ? fast->work(t) : 0, backward = 0;
    if (fast->work_backward)
        backward = fast->work_backward(t, wants_gradient(plan, t->in[0]));
    return forward > backward ? forward : backward;
}

static void place_scratch(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (!n->t->op || is_view(n->t))
            continue;
        size_t work = most_work(plan, n->t);
        plan->work_floats = work > plan->work_floats ? work : plan->work_floats;
        const Fast *fast = fast_of(n->t->op);
        if (fast && fast->saved) {
            n->saved = buffer_new(&plan->buffers, fast->saved(n->t), -1);
            buffer_extend(&plan->buffers, n->saved, moment(plan, n->t));
        }
        if (n->t->op->draw) { /* what is drawn holds until the next drawing */
            n->drawn = buffer_new(&plan->buffers, (size_t)n->t->n, -1);
            buffer_extend(&plan->buffers, n->drawn, 2 * plan->count);
        }
    }
}

/* The plan without its memory. */
static Training *make_plan(const Net *net, TrainingOptions options)
{
    net_check_runnable(net);
    Training *plan = mem_alloc(1, sizeof *plan);
    plan->net = net;
    plan->options = options;
    plan->count = options.last ? options.last->index + 1 : net_tensors(net);
    plan->nodes = mem_alloc((size_t)plan->count, sizeof *plan->nodes);
    for (int i = 0; i < plan->count; i++) {
        const Tensor *t = net_tensor(net, i);
        plan->nodes[i] =
            (Node){ .t = t, .value = -1, .again = -1, .gradient = -1, .saved = -1, .drawn = -1 };
    }
    for (int i = 0; i < plan->count; i++)
        plan->nodes[i].cheap = is_cheap(plan, plan->nodes[i].t);
    place_values(plan);
    share_values(plan);
    place_gradients(plan);
    place_scratch(plan);
    buffers_place(&plan->buffers);
    return plan;
}

static float *data(const Training *plan, int buffer)
{
    return buffer >= 0 ? buffer_data(&plan->buffers, buffer) : NULL;
}

/* Until the next drawing no path is dropped. */
static void keep_all(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        const Node *n = &plan->nodes[i];
        for (int sample = 0; n->drawn >= 0 && sample < n->t->n; sample++)
            data(plan, n->drawn)[sample] = 1;
    }
}

Training *training_new_with(const Net *net, TrainingOptions options)
{
    Training *plan = make_plan(net, options);
    buffers_allocate(&plan->buffers);
    plan->work = mem_alloc(plan->work_floats, sizeof *plan->work);
    keep_all(plan);
    return plan;
}

Training *training_new(const Net *net)
{
    return training_new_with(net, (TrainingOptions){ 0 });
}

size_t training_needs(const Net *net)
{
    Training *plan = make_plan(net, (TrainingOptions){ 0 });
    size_t bytes = training_bytes(plan);
    training_free(plan);
    return bytes;
}

void training_free(Training *plan)
{
    if (!plan)
        return;
    buffers_free(&plan->buffers);
    free(plan->nodes);
    free(plan->work);
    free(plan);
}

/* --- drawing --------------------------------------------------------------------------------- */

void training_drop(Training *plan, Random r)
{
    for (int i = 0; i < plan->count; i++)
        if (plan->nodes[i].drawn >= 0)
            plan->nodes[i].t->op->draw(plan->nodes[i].t, r, data(plan, plan->nodes[i].drawn));
}

/* --- forward --------------------------------------------------------------------------------- */

static float *forward_value(const Training *plan, const Tensor *t)
{
    return t ? data(plan, node(plan, holder(t))->value) : NULL;
}

float *training_input(Training *plan)
{
    return forward_value(plan, plan->nodes[0].t);
}

const float *training_output(const Training *plan)
{
    return forward_value(plan, plan->nodes[plan->count - 1].t);
}

/* What forward and backward of a layer have in common. */
static FastCall call_of(const Training *plan, const Node *n, const Weights *weights)
{
    return (FastCall){ .call = { .param = weights->values + n->t->first_param,
                                 .drawn = data(plan, n->drawn),
                                 .training = !plan->options.frozen },
                       .saved = data(plan, n->saved),
                       .work = plan->work };
}

static void run_forward(Training *plan, const Node *n, Weights *weights)
{
    const Tensor *t = n->t;
    FastCall c = call_of(plan, n, weights);
    c.call.x[0] = forward_value(plan, t->in[0]);
    c.call.x[1] = forward_value(plan, t->in[1]);
    c.call.y = data(plan, n->value);
    if (is_plain(t))
        t->op->define(t, &c.call);
    else
        fast_of(t->op)->forward(t, &c);
}

void training_forward(Training *plan, Weights *weights)
{
    for (int i = 0; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (!n->t->op || is_view(n->t))
            continue;
        double start = clock_seconds();
        run_forward(plan, n, weights);
        n->seconds.forward += clock_seconds() - start;
    }
}

/* --- backward -------------------------------------------------------------------------------- */

/* Computes t's values into `to`, from the first tensor up the line that was kept. */
static void compute_again(Training *plan, const Tensor *t, float *to, Weights *weights)
{
    const Tensor *from = holder(t->in[0]);
    bool cheap = node(plan, from)->cheap;
    if (cheap)
        compute_again(plan, from, to, weights);
    FastCall c = call_of(plan, node(plan, t), weights);
    c.call.x[0] = cheap ? to : forward_value(plan, from);
    c.call.y = to;
    c.recompute = true;
    fast_of(t->op)->forward(t, &c);
}

/* t's values in backward, computed again now if nobody has read them yet. */
static const float *backward_value(Training *plan, const Tensor *t, Weights *weights)
{
    t = holder(t);
    Node *n = node(plan, t);
    if (!n->cheap)
        return data(plan, n->value);
    if (!n->ready)
        compute_again(plan, t, data(plan, n->again), weights);
    n->ready = true;
    return data(plan, n->again);
}

static void no_gradient(const Node *n, Weights *gradients)
{
    for (int k = 0; k < n->t->params; k++) {
        int p = n->t->first_param + k;
        memset(gradients->values[p], 0, gradients->params[p].count * sizeof(float));
    }
}

/* Derivatives add: to zeros, where nobody was there before; to scratch memory, where nobody asks.
 */
static void derive(Training *plan, const Node *n, Call *call, Weights *gradients)
{
    no_gradient(n, gradients);
    for (int k = 0; k < 2 && n->t->in[k]; k++)
        if (n->writes[k] == NOTHING)
            call->dx[k] = plan->work;
        else if (n->writes[k] == SET)
            memset(call->dx[k], 0, tensor_elements(n->t->in[k]) * sizeof(float));
    n->t->op->derive(n->t, call);
}

static void run_backward(Training *plan, const Node *n, Weights *weights, Weights *gradients)
{
    const Tensor *t = n->t;
    FastCall c = call_of(plan, n, weights);
    c.call.grad = gradients->values + t->first_param;
    c.call.dy = data(plan, n->gradient);
    if (has(t, READS_X))
        c.call.x[0] = backward_value(plan, t->in[0], weights);
    if (is_plain(t) && t->in[1])
        c.call.x[1] = backward_value(plan, t->in[1], weights);
    if (has(t, READS_Y))
        c.call.y = (float *)backward_value(plan, t, weights);
    bool any = t->params > 0;
    for (int k = 0; k < 2; k++) {
        if (n->writes[k] == NOTHING)
            continue;
        c.call.dx[k] = data(plan, node(plan, t->in[k])->gradient);
        c.accumulate[k] = n->writes[k] == ADD;
        any = true;
    }
    if (any && is_plain(t))
        derive(plan, n, &c.call, gradients);
    else if (any)
        fast_of(t->op)->backward(t, &c);
}

static void hand_on(Training *plan, const Node *n)
{
    float *dx = n->writes[0] ? data(plan, node(plan, n->t->in[0])->gradient) : NULL;
    const float *dy = data(plan, n->gradient);
    size_t count = tensor_elements(n->t);
    for (size_t i = 0; i < count && dx; i++)
        dx[i] = n->writes[0] == ADD ? dx[i] + dy[i] : dy[i];
}

float *training_output_gradient(Training *plan)
{
    return data(plan, plan->nodes[plan->count - 1].gradient);
}

const float *training_input_gradient(const Training *plan)
{
    return data(plan, plan->nodes[0].gradient);
}

void training_backward(Training *plan, Weights *weights, Weights *gradients)
{
    for (int i = 0; i < plan->count; i++)
        plan->nodes[i].ready = false;
    for (int i = plan->count - 1; i > 0; i--) {
        Node *n = &plan->nodes[i];
        double start = clock_seconds();
        if (n->gradient < 0)
            no_gradient(n, gradients);
        else if (is_view(n->t))
            hand_on(plan, n);
        else
            run_backward(plan, n, weights, gradients);
        n->seconds.backward += clock_seconds() - start;
    }
}

/* --- what there is to see -------------------------------------------------------------------- */

size_t training_bytes(const Training *plan)
{
    return (plan->buffers.total + plan->work_floats) * sizeof(float);
}

LayerSeconds training_seconds(const Training *plan, int i)
{
    return plan->nodes[i].seconds;
}
