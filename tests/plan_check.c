#include "plan_check.h"

#include "base/memory.h"
#include "base/random.h"
#include "engine/fast/fast.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CheckedLayer checked_layer(const Op *op)
{
    const Fast *fast = fast_of(op);
    bool reads_x = !fast || fast->flags & READS_X;
    return (CheckedLayer){ .in = { -1, -1 },
                           .sums = op->flags & OP_SUMS,
                           .reads_x = { reads_x, !fast },
                           .reads_y = !fast || fast->flags & READS_Y };
}

enum { ROLES = ARRAY_FACTORS + 1 };

/* What lies in memory: the number that was written there. */
typedef struct {
    size_t offset, bytes;
    uint64_t number;
} Piece;

typedef struct {
    const CheckedLayer *layers;
    const CheckedArray *arrays;
    int count, array_count;
    const CheckedArray *(*of)[ROLES]; /* a tensor's arrays */
    int (*used)[2];                   /* of each array: its first and last access */
    uint64_t *gradients;              /* what the readers have contributed until now */
    bool *assigned, *recomputed;
    Piece *memory;
    int pieces, step;
    char fault[200];
} Check;

static const char *const roles[ROLES] = { "values", "recomputed values", "gradient", "statistics",
                                          "factors" };

/* --- memory ---------------------------------------------------------------------------------- */

static void fail(Check *c, const CheckedArray *a, const char *what)
{
    if (!*c->fault)
        snprintf(c->fault, sizeof c->fault, "at %d: the %s of %d, alive %d-%d: %s", c->step,
                 roles[a->role], a->tensor, a->first, a->last, what);
}

static void access_array(Check *c, const CheckedArray *a)
{
    int *used = c->used[a - c->arrays];
    used[0] = c->step < used[0] ? c->step : used[0];
    used[1] = c->step > used[1] ? c->step : used[1];
    if (c->step < a->first || c->step > a->last)
        fail(c, a, "used outside of its lifetime");
}

static const CheckedArray *array_of(Check *c, int tensor, ArrayRole role)
{
    static const CheckedArray none = { 0 };
    const CheckedArray *a = c->of[tensor][role];
    if (a)
        return a;
    if (!*c->fault)
        snprintf(c->fault, sizeof c->fault, "at %d: there are no %s of %d", c->step, roles[role],
                 tensor);
    return &none;
}

static void put(Check *c, int tensor, ArrayRole role, uint64_t number)
{
    const CheckedArray *a = array_of(c, tensor, role);
    if (!a->bytes)
        return;
    access_array(c, a);
    int kept = 0;
    for (int i = 0; i < c->pieces; i++) {
        const Piece *p = &c->memory[i];
        if (p->offset + p->bytes <= a->offset || a->offset + a->bytes <= p->offset)
            c->memory[kept++] = *p;
    }
    c->memory[kept++] = (Piece){ a->offset, a->bytes, number };
    c->pieces = kept;
}

static void expect(Check *c, int tensor, ArrayRole role, uint64_t number)
{
    const CheckedArray *a = array_of(c, tensor, role);
    if (!a->bytes)
        return;
    access_array(c, a);
    for (int i = 0; i < c->pieces; i++)
        if (c->memory[i].offset == a->offset && c->memory[i].bytes == a->bytes &&
            c->memory[i].number == number)
            return;
    fail(c, a, "something else lies there");
}

/* --- what the arrays hold -------------------------------------------------------------------- */

static uint64_t number_of(uint64_t kind, int tensor, uint64_t gradient)
{
    return random_bits((Random){ kind, (uint64_t)tensor }, gradient);
}

static int owner(const Check *c, int tensor)
{
    while (c->layers[tensor].view)
        tensor = c->layers[tensor].in[0];
    return tensor;
}

static void put_values(Check *c, int tensor, ArrayRole role)
{
    put(c, tensor, role, number_of(ARRAY_VALUES, tensor, 0));
}

static void expect_values(Check *c, int tensor, ArrayRole role)
{
    expect(c, tensor, role, number_of(ARRAY_VALUES, tensor, 0));
}

/* What a norm saved and drop path drew, where they have it. */
static void expect_own(Check *c, int tensor)
{
    for (ArrayRole role = ARRAY_STATISTICS; role <= ARRAY_FACTORS; role++)
        if (c->of[tensor][role])
            expect(c, tensor, role, number_of(role, tensor, 0));
}

/* --- forward --------------------------------------------------------------------------------- */

static void forward(Check *c, int tensor)
{
    const CheckedLayer *l = &c->layers[tensor];
    c->step = tensor;
    if (l->view)
        return;
    for (int k = 0; k < 2 && l->in[k] >= 0; k++)
        expect_values(c, owner(c, l->in[k]), ARRAY_VALUES);
    if (c->of[tensor][ARRAY_STATISTICS])
        put(c, tensor, ARRAY_STATISTICS, number_of(ARRAY_STATISTICS, tensor, 0));
    expect_own(c, tensor);
    put_values(c, tensor, ARRAY_VALUES);
}

/* --- backward -------------------------------------------------------------------------------- */

/* From values that are there, through those that are not. */
static void recompute(Check *c, int tensor)
{
    int from = owner(c, c->layers[tensor].in[0]);
    const CheckedArray *x = array_of(c, from, ARRAY_VALUES);
    if (x->last >= c->step)
        expect_values(c, from, ARRAY_VALUES);
    else if (from > 0)
        recompute(c, from);
    else
        fail(c, x, "nothing is left to recompute from");
    expect_own(c, tensor);
}

static void read_in_backward(Check *c, int tensor)
{
    tensor = owner(c, tensor);
    if (!c->of[tensor][ARRAY_RECOMPUTED]) {
        expect_values(c, tensor, ARRAY_VALUES);
        return;
    }
    if (!c->recomputed[tensor]) {
        recompute(c, tensor);
        put_values(c, tensor, ARRAY_RECOMPUTED);
    }
    c->recomputed[tensor] = true;
    expect_values(c, tensor, ARRAY_RECOMPUTED);
}

/* What the layer contributes to its input's gradient: added to what is there, written where nothing
 * is, or left where the layer's own gradient lies if it is the same. */
static void assign(Check *c, int tensor, int k)
{
    const CheckedLayer *l = &c->layers[tensor];
    int in = l->in[k];
    if (in < 0 || !c->of[in][ARRAY_GRADIENT])
        return;
    bool passes = l->view || l->sums, first = !c->assigned[in];
    if (!first)
        expect(c, in, ARRAY_GRADIENT, c->gradients[in]);
    c->gradients[in] +=
        passes ? c->gradients[tensor]
               : number_of(ARRAY_GRADIENT + 10 * (k + 1), tensor, c->gradients[tensor]);
    c->assigned[in] = true;
    if (first && passes && c->of[in][ARRAY_GRADIENT]->relation == ARRAY_SAME)
        expect(c, in, ARRAY_GRADIENT, c->gradients[in]);
    else
        put(c, in, ARRAY_GRADIENT, c->gradients[in]);
}

static void backward(Check *c, int tensor)
{
    const CheckedLayer *l = &c->layers[tensor];
    c->step = 2 * c->count - tensor;
    if (!c->of[tensor][ARRAY_GRADIENT])
        return;
    expect(c, tensor, ARRAY_GRADIENT, c->gradients[tensor]);
    for (int k = 0; k < 2 && !l->view; k++)
        if (l->in[k] >= 0 && l->reads_x[k])
            read_in_backward(c, l->in[k]);
    if (!l->view && l->reads_y)
        read_in_backward(c, tensor);
    expect_own(c, tensor);
    for (int k = 0; k < 2; k++)
        assign(c, tensor, k);
}

/* --- a training step ------------------------------------------------------------------------- */

static void begin(Check *c)
{
    size_t n = (size_t)c->count, all = (size_t)c->array_count;
    c->of = mem_alloc(n, sizeof *c->of);
    c->used = mem_alloc(all, sizeof *c->used);
    c->gradients = mem_alloc(n, sizeof *c->gradients);
    c->assigned = mem_alloc(n, sizeof *c->assigned);
    c->recomputed = mem_alloc(n, sizeof *c->recomputed);
    c->memory = mem_alloc(all + 1, sizeof *c->memory);
    for (int i = 0; i < c->array_count; i++) {
        c->of[c->arrays[i].tensor][c->arrays[i].role] = &c->arrays[i];
        c->used[i][0] = INT_MAX;
        c->used[i][1] = INT_MIN;
    }
}

static void end(Check *c)
{
    free(c->of);
    free(c->used);
    free(c->gradients);
    free(c->assigned);
    free(c->recomputed);
    free(c->memory);
}

static void put_factors(Check *c)
{
    c->step = -1;
    for (int i = 0; i < c->count; i++)
        if (c->of[i][ARRAY_FACTORS])
            put(c, i, ARRAY_FACTORS, number_of(ARRAY_FACTORS, i, 0));
}

/* The caller reads the output and writes its gradient. */
static void loss(Check *c)
{
    int output = c->count - 1;
    c->step = c->count;
    expect_values(c, owner(c, output), ARRAY_VALUES);
    c->gradients[output] = 1;
    c->assigned[output] = true;
    put(c, output, ARRAY_GRADIENT, 1);
}

/* The caller may read the input's gradient; what was drawn holds until the next drawing. */
static void finish(Check *c)
{
    c->step = 2 * c->count;
    if (c->of[0][ARRAY_GRADIENT])
        expect(c, 0, ARRAY_GRADIENT, c->gradients[0]);
    for (int i = 0; i < c->count; i++)
        if (c->of[i][ARRAY_FACTORS])
            expect(c, i, ARRAY_FACTORS, number_of(ARRAY_FACTORS, i, 0));
}

static void check_lifetimes(Check *c)
{
    for (int i = 0; i < c->array_count; i++) {
        const CheckedArray *a = &c->arrays[i];
        bool view = a->role == ARRAY_VALUES && c->layers[a->tensor].view;
        if (!view && (c->used[i][0] != a->first || c->used[i][1] != a->last))
            fail(c, a, "not used as long as it is alive");
        const CheckedArray *whose = c->of[owner(c, a->tensor)][ARRAY_VALUES];
        if (view && (a->offset != whose->offset || a->first != whose->first ||
                     a->last != whose->last || a->storage != whose->storage))
            fail(c, a, "a view has not its owner's array");
    }
}

const char *plan_fault(const CheckedLayer *layers, int count, const CheckedArray *arrays,
                       int array_count, bool exact)
{
    static char fault[sizeof((Check *)0)->fault];
    Check c = { .layers = layers, .count = count, .arrays = arrays, .array_count = array_count };
    begin(&c);
    put_factors(&c);
    for (int i = 0; i < count; i++)
        forward(&c, i);
    loss(&c);
    for (int i = count - 1; i > 0; i--)
        backward(&c, i);
    finish(&c);
    if (exact)
        check_lifetimes(&c);
    end(&c);
    memcpy(fault, c.fault, sizeof fault);
    return *fault ? fault : NULL;
}
