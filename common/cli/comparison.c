/* First the units (blocks, stem, head) of both networks are put side by side, by how alike their
 * layers are, then the layers of each two. So a block that was put in, or a convolution that moved,
 * shows as that, and not as a change of everything behind it. */
#include "cli/comparison.h"

#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- how alike ------------------------------------------------------------------------------- */

/* Two units whose layers are compared. */
typedef struct {
    const Layers *before, *after;
    const LayerUnit *a, *b;
} Two;

/* What an op does in a network, whichever way. */
static const char *role(const char *op)
{
    size_t length = strlen(op);
    if (length > 5 && strcmp(op + length - 5, "_norm") == 0)
        return "norm";
    if (strcmp(op, "relu") == 0 || strcmp(op, "gelu") == 0)
        return "activation";
    return strcmp(op, "linear") == 0 ? "conv2d" : op;
}

/* The same, be there a bias or not? */
static bool same_shape(const char *weight, const char *other)
{
    size_t length = strcspn(weight, " ");
    return length == strcspn(other, " ") && strncmp(weight, other, length) == 0;
}

/* "block.0" and "shortcut.0": scopes with names of their own, in different ones of which two layers
 * have nothing to do with each other. */
static bool other_scope(const char *name, const char *other)
{
    size_t length = strcspn(name, "."), other_length = strcspn(other, ".");
    return isalpha((unsigned char)*name) && isalpha((unsigned char)*other) && name[length] &&
           other[other_length] && (length != other_length || strncmp(name, other, length) != 0);
}

/* Weights say what a layer is: the very same ones outweigh everything, and two convolutions with
 * other kernels are hardly more alike than nothing. Norms and activations stay with what they
 * follow; of convolutions the name decides where nothing else does. */
static int layer_likeness(const void *context, int i, int j)
{
    const Two *two = context;
    const Layer *a = &two->before->layers[two->a->first + i];
    const Layer *b = &two->after->layers[two->b->first + j];
    const char *name_a = layers_rest(two->before, two->a, i);
    const char *name_b = layers_rest(two->after, two->b, j);
    if (strcmp(role(a->op), role(b->op)) != 0 || other_scope(name_a, name_b))
        return 0;
    int name = strcmp(name_a, name_b) == 0;
    int output = strcmp(a->output, b->output) == 0 ? 4 : 0;
    if (!*a->weight && !*b->weight)
        return output + (strcmp(a->op, b->op) == 0 ? 4 : 2);
    if (same_shape(a->weight, b->weight))
        return name + (strcmp(a->weight, b->weight) == 0 ? 44 : 40);
    return name + output +
           (same_shape(layers_kernel(a->weight), layers_kernel(b->weight)) ? 14 : 4);
}

/* --- side by side ---------------------------------------------------------------------------- */

static int own_likeness(const Layers *l, const LayerUnit *u)
{
    Two two = { l, l, u, u };
    int sum = 0;
    for (int i = 0; i < u->count; i++)
        sum += layer_likeness(&two, i, i);
    return sum;
}

/* The stage of a block, "encoder.stages.2.3": the first of two numbers; -1: it has not two. */
static int stage_of(const Layers *l, const LayerUnit *u)
{
    const char *name = l->layers[u->first].name;
    int at = (int)strcspn(name, "0123456789");
    return at < u->prefix ? atoi(name + at) : -1;
}

/* Is it a block, with a sum around it? */
static bool is_residual(const Layers *l, const LayerUnit *u)
{
    for (int i = 0; i < u->count; i++)
        if (strcmp(l->layers[u->first + i].op, "add") == 0)
            return true;
    return false;
}

/* By kinds: what their layers gain. Nothing where only one is a block, or, outside one stage, where
 * they have less than a third in common. */
static int kinds_likeness(const Two *two, bool same_stage)
{
    int a = own_likeness(two->before, two->a), b = own_likeness(two->after, two->b);
    int gain = align_gain(two->a->count, two->b->count, layer_likeness, two);
    if (is_residual(two->before, two->a) != is_residual(two->after, two->b))
        return 0;
    return same_stage || 3 * gain >= (a < b ? a : b) ? gain : 0;
}

typedef struct {
    const Layers *before, *after;
    int *known; /* by kinds of units, [before's][after's]: how alike, + 1; 0: not yet known */
} Units;

static int unit_likeness(const void *context, int i, int j)
{
    const Units *u = context;
    Two two = { u->before, u->after, &u->before->units[i], &u->after->units[j] };
    int stage_a = stage_of(two.before, two.a), stage_b = stage_of(two.after, two.b);
    if (stage_a >= 0 && stage_b >= 0 && stage_a != stage_b)
        return 0;
    int *known = &u->known[(size_t)two.a->kind * (size_t)u->after->kinds + (size_t)two.b->kind];
    if (!*known)
        *known = kinds_likeness(&two, stage_a >= 0 && stage_a == stage_b) + 1;
    return *known - 1;
}

void comparison_make(Comparison *c)
{
    const Layers *a = &c->before, *b = &c->after;
    Units u = { a, b, mem_alloc(size_mul((size_t)a->kinds, (size_t)b->kinds), sizeof *u.known) };
    c->units = mem_alloc((size_t)a->unit_count + (size_t)b->unit_count, sizeof *c->units);
    c->unit_count = align_pairs(a->unit_count, b->unit_count, unit_likeness, &u, c->units);
    free(u.known);
}

Pair *comparison_layers(const Comparison *c, Pair units, int *count)
{
    static const LayerUnit none = { 0 };
    Two two = { &c->before, &c->after, units.a < 0 ? &none : &c->before.units[units.a],
                units.b < 0 ? &none : &c->after.units[units.b] };
    Pair *pairs = mem_alloc((size_t)two.a->count + (size_t)two.b->count, sizeof *pairs);
    *count = align_pairs(two.a->count, two.b->count, layer_likeness, &two, pairs);
    for (int i = 0; i < *count; i++) {
        pairs[i].a += pairs[i].a < 0 ? 0 : two.a->first;
        pairs[i].b += pairs[i].b < 0 ? 0 : two.b->first;
    }
    return pairs;
}

char comparison_mark(const Layer *a, const Layer *b)
{
    if (!a || !b)
        return a ? '-' : '+';
    if (!layers_same(a, b))
        return '~';
    return strcmp(a->name, b->name) ? '=' : ' ';
}

void comparison_free(Comparison *c)
{
    layers_free(&c->before);
    layers_free(&c->after);
    free(c->units);
    free(c->told);
}
