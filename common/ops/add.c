/* Sum of two tensors of one shape: the residual connection. The gradient of each is the gradient of
 * the sum; if the plan lets them share memory, nothing is computed. */
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>
#include <string.h>

/* --- advice on shapes that differ ------------------------------------------------------------ */

typedef bool Predicate(const Tensor *t);

/* Walks back from a and b to the tensor where the two paths part, and returns the last suspect
 * layer on the way; NULL if there is none. */
static const Tensor *find_last(const Tensor *a, const Tensor *b, Predicate *matches)
{
    while (a != b) {
        const Tensor **later = a->index > b->index ? &a : &b;
        if (!(*later)->in[0] || matches(*later))
            return (*later)->in[0] ? *later : NULL;
        *later = (*later)->in[0];
    }
    return NULL;
}

/* Tests for a padding other than half the kernel, which keeps an image's size at stride 1 and
 * matches the shortcut at other strides. */
static bool wants_other_pad(const Tensor *t)
{
    return t->h != t->in[0]->h && t->a.kernel % 2 && t->a.pad != t->a.kernel / 2;
}

static bool strides(const Tensor *t)
{
    return t->a.stride > 1;
}

static bool changes_channels(const Tensor *t)
{
    return t->params && t->c != t->in[0]->c;
}

/* Writes "; …" with a likely fix, or "". */
static void suggest_fix(const Tensor *a, const Tensor *b, char fix[], size_t size)
{
    const Tensor *pad = find_last(a, b, wants_other_pad);
    const Tensor *stride = find_last(a, b, strides);
    const Tensor *channels = find_last(a, b, changes_channels);
    bool same_size = a->h == b->h && a->w == b->w;
    fix[0] = 0;
    if (!same_size && pad) {
        const Tensor *x = pad->in[0];
        snprintf(fix, size, "; on line %d, .pad = %d would make %dx%d of %dx%d", pad->at.line,
                 pad->a.kernel / 2, (x->h - 1) / pad->a.stride + 1, (x->w - 1) / pad->a.stride + 1,
                 x->h, x->w);
    } else if (!same_size && stride)
        snprintf(fix, size, "; on one side line %d has a stride of %d", stride->at.line,
                 stride->a.stride);
    else if (same_size && channels)
        snprintf(fix, size, "; line %d makes %d channels of %d", channels->at.line, channels->c,
                 channels->in[0]->c);
}

Tensor *add_(Tensor *a, Tensor *b, Site at)
{
    char left[SHAPE_TEXT], right[SHAPE_TEXT], fix[128];
    if (a->n != b->n || a->c != b->c || a->h != b->h || a->w != b->w) {
        suggest_fix(a, b, fix, sizeof fix);
        net_error(at, "add: shapes differ: %s and %s%s", tensor_shape_text(a, left),
                  tensor_shape_text(b, right), fix);
    }
    return net_layer(&add_op, a, b, at, NAME_WORD, (Attributes){ 0 }, a->c, a->h, a->w);
}

/* --- the layer ------------------------------------------------------------------------------- */

static void define(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++)
        c->y[i] = c->x[0][i] + c->x[1][i];
}

/* y changes as much as either summand. If both are the same tensor, it gets dy twice. */
static void derive(const Tensor *t, const Call *c)
{
    for (size_t i = 0; i < tensor_elements(t); i++) {
        c->dx[0][i] += c->dy[i];
        c->dx[1][i] += c->dy[i];
    }
}

const Op add_op = {
    .name = "add",
    .flags = OP_SUMS,
    .define = define,
    .derive = derive,
};
