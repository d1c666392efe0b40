/* Recomputing: values that are cheap to compute are not kept from forward to backward, but computed
 * a second time from values that are. */
#include "engine/fast/plan.h"

/* Recomputing saves memory where what it starts from is there anyway: because the layer's own
 * backward, which comes after those of all who read its output, reads its input; or because that is
 * recomputed itself. (A ReLU's backward reads y alone: behind a sum it is kept, in the sum's place;
 * behind a norm, whose input is kept, recomputed.) */
static bool is_recomputable(const Training *plan, const Tensor *t)
{
    return plan_has(t, RECOMPUTABLE) && !plan_is_view(t) &&
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
        plan_allot(plan, &n->recomputed, tensor_elements(t), step);
    plan_extend(plan, &n->recomputed, step);
}

/* Computes t's values into `y`, from the first tensor up the line that is kept; on the way `y`
 * holds the values of those between. */
static void compute(const Training *plan, const Tensor *t, float *y, const Weights *weights)
{
    const Tensor *x = plan_owner(t->in[0]);
    bool recompute = plan_node(plan, x)->recompute;
    if (recompute)
        compute(plan, x, y, weights);
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
        compute(plan, t, y, weights);
    n->ready = true;
    return y;
}
