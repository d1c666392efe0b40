/* The plain engine: start here to see how a network runs and how gradients are computed. Every
 * tensor has one array for its values and one for its gradient. Forward, layers run in the order of
 * the network, each by its op's definition. Backward they run in reverse order, each by its op's
 * derivative: when a tensor's turn comes, all layers that read it have added their parts to its
 * gradient. */
#include "engine/plain.h"

#include "base/memory.h"
#include "graph/op.h"

#include <stdlib.h>
#include <string.h>

/* The arrays of one tensor. */
typedef struct {
    float *value, *gradient; /* [n,h,w,c] */
    float *drawn;            /* drop path's factors, [n] */
} Arrays;

struct Plain {
    const Net *net;
    int count;      /* number of tensors; the last one is the output */
    Arrays *arrays; /* by tensor */
    bool training;  /* mode of the last forward, also used by backward */
};

/* --- making ---------------------------------------------------------------------------------- */

static float *floats(size_t count)
{
    return mem_alloc(count, sizeof(float));
}

Plain *plain_new_to(const Net *net, const Tensor *last)
{
    net_check_runnable(net);
    Plain *p = mem_alloc(1, sizeof *p);
    p->net = net;
    p->count = last->index + 1;
    p->arrays = mem_alloc((size_t)p->count, sizeof *p->arrays);
    for (int i = 0; i < p->count; i++) {
        const Tensor *t = net_tensor(net, i);
        size_t count = tensor_elements(t);
        p->arrays[i] = (Arrays){ floats(count), floats(count), floats((size_t)t->n) };
        for (int n = 0; n < t->n; n++)
            p->arrays[i].drawn[n] = 1;
    }
    return p;
}

Plain *plain_new(const Net *net)
{
    return plain_new_to(net, net_output(net));
}

void plain_free(Plain *p)
{
    for (int i = 0; p && i < p->count; i++) {
        free(p->arrays[i].value);
        free(p->arrays[i].gradient);
        free(p->arrays[i].drawn);
    }
    free(p ? p->arrays : NULL);
    free(p);
}

size_t plain_needs(const Net *net)
{
    size_t floats = 0;
    for (int i = 0; i < net_tensors(net); i++)
        floats += 2 * tensor_elements(net_tensor(net, i)) + (size_t)net_tensor(net, i)->n;
    return floats * sizeof(float);
}

/* --- its two ends ---------------------------------------------------------------------------- */

float *plain_input(Plain *p)
{
    return p->arrays[0].value;
}

const float *plain_input_gradient(const Plain *p)
{
    return p->arrays[0].gradient;
}

const float *plain_output(const Plain *p)
{
    return p->arrays[p->count - 1].value;
}

const float *plain_values(const Plain *p, const Tensor *t)
{
    return p->arrays[t->index].value;
}

float *plain_output_gradient(Plain *p)
{
    return p->arrays[p->count - 1].gradient;
}

/* --- running --------------------------------------------------------------------------------- */

void plain_drop(Plain *p, Random r)
{
    for (int i = 1; i < p->count; i++)
        if (net_tensor(p->net, i)->op->draw)
            net_tensor(p->net, i)->op->draw(net_tensor(p->net, i), r, p->arrays[i].drawn);
}

/* Collects the arrays of the layer that computes t. */
static Call call_of(const Plain *p, const Tensor *t, const Weights *weights)
{
    const Arrays *own = &p->arrays[t->index];
    Call c = { .y = own->value,
               .dy = own->gradient,
               .param = weights->values + t->first_param,
               .drawn = own->drawn,
               .training = p->training };
    for (int k = 0; k < 2 && t->in[k]; k++) {
        c.x[k] = p->arrays[t->in[k]->index].value;
        c.dx[k] = p->arrays[t->in[k]->index].gradient;
    }
    return c;
}

void plain_forward(Plain *p, Weights *weights, bool training)
{
    p->training = training;
    for (int i = 1; i < p->count; i++) {
        const Tensor *t = net_tensor(p->net, i);
        Call c = call_of(p, t, weights);
        t->op->define(t, &c);
    }
}

/* Derivatives add, so gradients start at zero; the caller has written the output's. */
void plain_backward(Plain *p, Weights *weights, Weights *gradients)
{
    memset(gradients->data, 0, gradients->floats * sizeof *gradients->data);
    for (int i = 0; i < p->count - 1; i++)
        memset(p->arrays[i].gradient, 0, tensor_elements(net_tensor(p->net, i)) * sizeof(float));
    for (int i = p->count - 1; i > 0; i--) {
        const Tensor *t = net_tensor(p->net, i);
        Call c = call_of(p, t, weights);
        c.grad = gradients->values + t->first_param;
        t->op->derive(t, &c);
    }
}
