/* Running a network forward and backward as its plan says. */
#include "base/clock.h"
#include "base/memory.h"
#include "engine/fast/plan.h"

#include <stdlib.h>
#include <string.h>

/* --- making ---------------------------------------------------------------------------------- */

/* Sets all factors to 1: no path is dropped until the next drawing. */
static void reset_factors(Training *plan)
{
    for (int i = 0; i < plan->count; i++) {
        const Node *n = &plan->nodes[i];
        for (int sample = 0; n->factors.storage >= 0 && sample < n->t->n; sample++)
            plan_data(plan, &n->factors)[sample] = 1;
    }
}

Training *training_new_with(const Net *net, TrainingOptions options)
{
    Training *plan = plan_new(net, options);
    buffers_allocate(&plan->buffers);
    plan->work = mem_alloc(plan->work_floats, sizeof *plan->work);
    reset_factors(plan);
    return plan;
}

Training *training_new(const Net *net)
{
    return training_new_with(net, (TrainingOptions){ 0 });
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

/* --- forward --------------------------------------------------------------------------------- */

void training_drop(Training *plan, Random r)
{
    for (int i = 0; i < plan->count; i++) {
        const Node *n = &plan->nodes[i];
        if (n->factors.storage >= 0)
            n->t->op->draw(n->t, r, plan_data(plan, &n->factors));
    }
}

static float *forward_values(const Training *plan, const Tensor *t)
{
    return t ? plan_data(plan, &plan_node(plan, plan_owner(t))->values) : NULL;
}

float *training_input(Training *plan)
{
    return forward_values(plan, plan->nodes[0].t);
}

const float *training_output(const Training *plan)
{
    return forward_values(plan, plan->nodes[plan->count - 1].t);
}

const float *training_values(const Training *plan, const Tensor *t)
{
    return forward_values(plan, t);
}

static void run_forward(Training *plan, const Node *n, const Weights *weights)
{
    const Tensor *t = n->t;
    FastCall c = plan_call(plan, n, weights);
    c.call.x[0] = forward_values(plan, t->in[0]);
    c.call.x[1] = forward_values(plan, t->in[1]);
    c.call.y = plan_data(plan, &n->values);
    if (plan_runs_definition(t))
        t->op->define(t, &c.call);
    else
        fast_of(t->op)->forward(t, &c);
}

void training_forward(Training *plan, Weights *weights)
{
    for (int i = 1; i < plan->count; i++) {
        Node *n = &plan->nodes[i];
        if (tensor_is_view(n->t, true))
            continue;
        double start = clock_seconds();
        run_forward(plan, n, weights);
        n->forward_seconds += clock_seconds() - start;
    }
}

/* --- backward -------------------------------------------------------------------------------- */

static void zero_param_gradients(const Node *n, Weights *gradients)
{
    for (int k = 0; k < n->t->params; k++) {
        int p = n->t->first_param + k;
        memset(gradients->values[p], 0, gradients->params[p].count * sizeof(float));
    }
}

/* Runs the derivative, which adds: to zeros if it is the first to assign the gradient; to scratch
 * memory if the gradient is not wanted. */
static void run_derivative(Training *plan, const Node *n, Call *call, Weights *gradients)
{
    zero_param_gradients(n, gradients);
    for (int k = 0; k < 2 && n->t->in[k]; k++)
        if (n->assign[k] == NOT_WRITTEN)
            call->dx[k] = plan->work;
        else if (n->assign[k] == SET)
            memset(call->dx[k], 0, tensor_elements(n->t->in[k]) * sizeof(float));
    n->t->op->derive(n->t, call);
}

static void run_backward(Training *plan, const Node *n, const Weights *weights, Weights *gradients)
{
    const Tensor *t = n->t;
    FastCall c = plan_call(plan, n, weights);
    c.call.grad = gradients->values + t->first_param;
    c.call.dy = plan_data(plan, &n->gradient);
    if (plan_has(t, READS_X))
        c.call.x[0] = recompute_values(plan, t->in[0], weights);
    if (plan_runs_definition(t) && t->in[1])
        c.call.x[1] = recompute_values(plan, t->in[1], weights);
    if (plan_has(t, READS_Y))
        c.call.y = (float *)recompute_values(plan, t, weights);
    bool any = t->params > 0;
    for (int k = 0; k < 2; k++) {
        if (n->assign[k] == NOT_WRITTEN)
            continue;
        c.call.dx[k] = plan_data(plan, &plan_node(plan, t->in[k])->gradient);
        c.accumulate[k] = n->assign[k] == ADD;
        any = true;
    }
    if (any && plan_runs_definition(t))
        run_derivative(plan, n, &c.call, gradients);
    else if (any)
        fast_of(t->op)->backward(t, &c);
}

/* Copies or adds a view's gradient to its input's, unless both share one storage. */
static void pass_gradient(const Training *plan, const Node *n)
{
    if (n->assign[0] == NOT_WRITTEN)
        return;
    float *dx = plan_data(plan, &plan_node(plan, n->t->in[0])->gradient);
    const float *dy = plan_data(plan, &n->gradient);
    for (size_t i = 0; i < tensor_elements(n->t); i++)
        dx[i] = n->assign[0] == ADD ? dx[i] + dy[i] : dy[i];
}

float *training_output_gradient(Training *plan)
{
    return plan_data(plan, &plan->nodes[plan->count - 1].gradient);
}

const float *training_input_gradient(const Training *plan)
{
    return plan_data(plan, &plan->nodes[0].gradient);
}

void training_backward(Training *plan, Weights *weights, Weights *gradients)
{
    for (int i = 0; i < plan->count; i++)
        plan->nodes[i].ready = false;
    for (int i = plan->count - 1; i > 0; i--) {
        Node *n = &plan->nodes[i];
        double start = clock_seconds();
        if (n->gradient.storage < 0)
            zero_param_gradients(n, gradients);
        else if (tensor_is_view(n->t, true))
            pass_gradient(plan, n);
        else
            run_backward(plan, n, weights, gradients);
        n->backward_seconds += clock_seconds() - start;
    }
}

/* --- inspection ------------------------------------------------------------------------------ */

EngineUnit training_unit(const Training *plan, int i)
{
    const Node *n = &plan->nodes[i + 1];
    return (EngineUnit){ n->t, n->t, n->forward_seconds, n->backward_seconds };
}
