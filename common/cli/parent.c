#include "cli/parent.h"

#include "base/memory.h"
#include "cli/align.h"
#include "cli/layers.h"
#include "cli/siblings.h"
#include "graph/op.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const small[] = { "--preset", "small" };

static int likeness(const void *context, int a, int b)
{
    const Layers *const *two = context;
    const Layer *x = &two[0]->layers[a], *y = &two[1]->layers[b];
    if (strcmp(x->op, y->op) != 0)
        return 0;
    return x->params == y->params && x->macs == y->macs ? 2 : 1;
}

/* How far a program's network is from this one; INT_MAX: it has none to compare. */
static int distance(const char *path, const Layers *own)
{
    Layers other;
    if (!layers_read_rows(path, small, 2, &other))
        return INT_MAX;
    const Layers *two[] = { own, &other };
    int far = own->count + other.count - align_gain(own->count, other.count, likeness, two);
    layers_free(&other);
    return far;
}

/* A program that is one network refuses to be asked for a row. */
static bool has_rows(const char *path)
{
    const char *const row[] = { "--row", "0" };
    char *text = sibling_prints(path, "report", row, 2);
    bool there = text;
    free(text);
    return there;
}

/* The step's own network: what `likeness` asks of its layers. */
static Layers own_layers(const Step *step)
{
    Options none = { 0 };
    Shape shape = network_shape(step, &none, "small");
    Net *net = network_build(step, &shape);
    Layers own = { .count = net_tensors(net) - 1 };
    own.layers = mem_alloc((size_t)own.count, sizeof *own.layers);
    for (int i = 0; i < own.count; i++) {
        const Tensor *t = net_tensor(net, i + 1);
        own.layers[i] = (Layer){ .op = t->op->name, .params = tensor_params(t), .macs = t->macs };
    }
    net_free(net);
    return own;
}

static char *nearest(const Step *step, const char *path)
{
    Layers own = own_layers(step);
    char **before = sibling_paths_before(path), *best = NULL;
    int least = INT_MAX;
    for (int i = 0; before[i]; i++) { /* the last first: the nearest, as a rule */
        int far = distance(before[i], &own);
        if (far < least && !has_rows(before[i])) {
            least = far;
            best = before[i];
        }
    }
    for (int i = 0; before[i]; i++)
        if (before[i] != best)
            free(before[i]);
    free(before);
    layers_free(&own);
    return best;
}

char *parent_of(const Run *run)
{
    const char *from = run->step->from;
    return from ? sibling_named(run->path, from, NULL) : nearest(run->step, run->path);
}
