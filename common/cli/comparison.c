/* Compares in two passes: first the units (blocks, stem, head) of both networks are aligned by the
 * similarity of their layers, then the layers of each pair of units. An inserted block or a moved
 * convolution thus appears as such, not as a change of everything after it. */
#include "cli/comparison.h"

#include "base/error.h"
#include "base/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- similarity ------------------------------------------------------------------------------ */

/* Two units whose layers are compared. */
typedef struct {
    const Layers *before, *after;
    const LayerUnit *a, *b;
} UnitPair;

/* Returns an op's function in a network, whatever the kind. */
static const char *role(const char *op)
{
    size_t length = strlen(op);
    if (length > 5 && strcmp(op + length - 5, "_norm") == 0)
        return "norm";
    if (strcmp(op, "relu") == 0 || strcmp(op, "gelu") == 0)
        return "activation";
    return strcmp(op, "linear") == 0 ? "conv2d" : op;
}

/* Tests for equal shapes, with or without bias. */
static bool same_shape(const char *weight, const char *other)
{
    size_t length = strcspn(weight, " ");
    return length == strcspn(other, " ") && strncmp(weight, other, length) == 0;
}

/* Tests for layers in different named scopes, such as "block.0" and "shortcut.0", which have
 * nothing in common. */
static bool other_scope(const char *name, const char *other)
{
    size_t length = strcspn(name, "."), other_length = strcspn(other, ".");
    return isalpha((unsigned char)*name) && isalpha((unsigned char)*other) && name[length] &&
           other[other_length] && (length != other_length || strncmp(name, other, length) != 0);
}

/* Returns the similarity of two layers. Weights identify a layer: identical shapes outweigh
 * everything, and two convolutions with different kernels are hardly alike. Norms and activations
 * stay with the layer before them; between convolutions the name decides if nothing else does. */
static int layer_likeness(const void *context, int i, int j)
{
    const UnitPair *pair = context;
    const Layer *a = &pair->before->layers[pair->a->first + i];
    const Layer *b = &pair->after->layers[pair->b->first + j];
    const char *name_a = layers_rest(pair->before, pair->a, i);
    const char *name_b = layers_rest(pair->after, pair->b, j);
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

/* --- alignment ------------------------------------------------------------------------------- */

static int own_likeness(const Layers *l, const LayerUnit *u)
{
    UnitPair pair = { l, l, u, u };
    int sum = 0;
    for (int i = 0; i < u->count; i++)
        sum += layer_likeness(&pair, i, i);
    return sum;
}

/* Returns the stage of a block, "encoder.stages.2.3": the first of two numbers; -1 without two. */
static int stage_of(const Layers *l, const LayerUnit *u)
{
    const char *name = l->layers[u->first].name;
    int at = (int)strcspn(name, "0123456789");
    return at < u->prefix ? atoi(name + at) : -1;
}

/* Tests for a block, which contains a sum. */
static bool is_residual(const Layers *l, const LayerUnit *u)
{
    for (int i = 0; i < u->count; i++)
        if (strcmp(l->layers[u->first + i].op, "add") == 0)
            return true;
    return false;
}

/* Returns the similarity of two kinds of units: the gain of their layers. 0 if only one is a block
 * or if, in different stages, they share less than a third. */
static int kinds_likeness(const UnitPair *pair, bool same_stage)
{
    int a = own_likeness(pair->before, pair->a), b = own_likeness(pair->after, pair->b);
    int gain = align_gain(pair->a->count, pair->b->count, layer_likeness, pair);
    if (is_residual(pair->before, pair->a) != is_residual(pair->after, pair->b))
        return 0;
    return same_stage || 3 * gain >= (a < b ? a : b) ? gain : 0;
}

typedef struct {
    const Layers *before, *after;
    int *likeness_known; /* by kinds of units, [before's][after's]: similarity + 1; 0: not yet
                            computed */
} Units;

static int unit_likeness(const void *context, int i, int j)
{
    const Units *u = context;
    UnitPair pair = { u->before, u->after, &u->before->units[i], &u->after->units[j] };
    int stage_a = stage_of(pair.before, pair.a), stage_b = stage_of(pair.after, pair.b);
    if (stage_a >= 0 && stage_b >= 0 && stage_a != stage_b)
        return 0;
    int *likeness_known =
        &u->likeness_known[(size_t)pair.a->kind * (size_t)u->after->kinds + (size_t)pair.b->kind];
    if (!*likeness_known)
        *likeness_known = kinds_likeness(&pair, stage_a >= 0 && stage_a == stage_b) + 1;
    return *likeness_known - 1;
}

void comparison_read_own(const Run *run, Comparison *c)
{
    const char *words[NETWORK_WORDS];
    int count = options_of_network(&run->options, words);
    Error error;
    if (!layers_read(run->path, words, count, &c->after, &error))
        error_die_of(EXIT_FAILED, &error);
    const Options *o = &run->options;
    if (run->step->rows)
        c->own_option = str_format(" --row %d", network_row(run->step, o));
    else if (o->variant)
        c->own_option = str_format(" --variant %s", o->variant);
}

void comparison_make(Comparison *c)
{
    const Layers *a = &c->before, *b = &c->after;
    Units u = { a, b,
                mem_alloc(size_mul((size_t)a->kinds, (size_t)b->kinds), sizeof *u.likeness_known) };
    c->units = mem_alloc((size_t)a->unit_count + (size_t)b->unit_count, sizeof *c->units);
    c->unit_count = align_pairs(a->unit_count, b->unit_count, unit_likeness, &u, c->units);
    free(u.likeness_known);
}

Pair *comparison_layers(const Comparison *c, Pair units, int *count)
{
    static const LayerUnit none = { 0 };
    UnitPair pair = { &c->before, &c->after, units.a < 0 ? &none : &c->before.units[units.a],
                      units.b < 0 ? &none : &c->after.units[units.b] };
    Pair *pairs = mem_alloc((size_t)pair.a->count + (size_t)pair.b->count, sizeof *pairs);
    *count = align_pairs(pair.a->count, pair.b->count, layer_likeness, &pair, pairs);
    for (int i = 0; i < *count; i++) {
        pairs[i].a += pairs[i].a < 0 ? 0 : pair.a->first;
        pairs[i].b += pairs[i].b < 0 ? 0 : pair.b->first;
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
    free(c->other_option);
    free(c->own_option);
}
