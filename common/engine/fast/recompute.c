/* Recomputing: values that are cheap to compute are not kept from forward to backward, but computed
 * again from values that are kept. */
#include "engine/fast/plan.h"

/* Tests whether recomputing t saves memory: only if its input is available anyway, because the
 * layer's own backward, which runs after those of all its readers, reads it, or because it is
 * recomputed itself. (A ReLU's backward reads only y: after a sum y is kept, in the sum's storage;
 * after a norm, whose input is kept, it is recomputed.) */
static bool is_recomputable(const Training *plan, const Tensor *t)
{
    return plan_has(t, RECOMPUTABLE) && !tensor_is_view(t, true) &&
           (plan_has(t, READS_X) || plan_node(plan, plan_owner(t->in[0]))->recompute);
}

void recompute_choose(Training *plan)
{
    for (int i = 0; i < plan->count; i++)
        plan->nodes[i].recompute = is_recomputable(plan, plan->nodes[i].t);
}

void recompute_or_keep(Training *plan, const Tensor *t, int step)
{
    t = plan_owner(t);
    Node *n = plan_node(plan, t);
    if (!n->recompute) {
        plan_extend(plan, &n->values, step);
        return;
    }
    if (n->recomputed.storage < 0)
        plan_assign_storage(plan, &n->recomputed, tensor_elements(t), step);
    plan_extend(plan, &n->recomputed, step);
}

/* Computes t's values into `y`, starting from the nearest kept tensor before it; intermediate
 * values are also stored in `y`. */
static void compute_values(const Training *plan, const Tensor *t, float *y, const Weights *weights)
{
    const Tensor *x = plan_owner(t->in[0]);
    bool recompute = plan_node(plan, x)->recompute;
    if (recompute)
        compute_values(plan, x, y, weights);
    FastCall c = plan_call(plan, plan_node(plan, t), weights);
    c.call.x[0] = recompute ? y : plan_data(plan, &plan_node(plan, x)->values);
    c.call.y = y;
    c.recompute = true;
    fast_of(t->op)->forward(t, &c);
}

const float *recompute_values(Training *plan, const Tensor *t, const Weights *weights)
{
    t = plan_owner(t);
    Node *n = plan_node(plan, t);
    if (!n->recompute)
        return plan_data(plan, &n->values);
    float *y = plan_data(plan, &n->recomputed);
    if (!n->ready)
        compute_values(plan, t, y, weights);
    n->ready = true;
    return y;
}
