#include "cli/parent.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/path.h"
#include "cli/align.h"
#include "cli/layers.h"
#include "cli/siblings.h"
#include "graph/op.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int likeness(const void *context, int a, int b)
{
    const Layers *const *two = context;
    const Layer *x = &two[0]->layers[a], *y = &two[1]->layers[b];
    if (strcmp(x->op, y->op) != 0)
        return 0;
    return x->params == y->params && x->macs == y->macs ? 2 : 1;
}

/* Returns the distance of a program's network from this one; INT_MAX: it has none to compare. A
 * published network has the paper's sizes without being asked. */
static int distance(const char *path, const Layers *own)
{
    static const char *const paper[] = { "--preset", "paper" };
    Layers other;
    if (!layers_read_rows(path, paper, 2, &other, NULL) &&
        !layers_read_rows(path, NULL, 0, &other, NULL))
        return INT_MAX;
    const Layers *two[] = { own, &other };
    int far = own->count + other.count - align_gain(own->count, other.count, likeness, two);
    layers_free(&other);
    return far;
}

/* Tests for rows: a program that has only one network refuses --row. */
static bool has_rows(const char *path)
{
    const char *const row[] = { "--row", "0" };
    char *text = sibling_prints(path, "report", row, 2, NULL);
    bool good = text;
    free(text);
    return good;
}

/* Reads the step's own network, as far as `likeness` needs its layers. */
static Layers own_layers(const Step *step)
{
    Options none = { 0 };
    Shape shape = network_shape(step, &none, PRESET_PAPER);
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

static void free_paths(char **paths)
{
    for (int i = 0; paths[i]; i++)
        free(paths[i]);
    free(paths);
}

static char *nearest(const Step *step, const char *path)
{
    Layers own = own_layers(step);
    char **before = sibling_paths_before(path), *best = NULL;
    int least = INT_MAX;
    for (int i = 0; before[i]; i++) { /* from the last on, which is usually the nearest */
        int far = distance(before[i], &own);
        if (far < least && !has_rows(before[i])) {
            least = far;
            best = before[i];
        }
    }
    best = best ? str_format("%s", best) : NULL;
    free_paths(before);
    layers_free(&own);
    return best;
}

/* Writes the names in order into text: "14_mine, 14_try". */
static void names_of(char *const *paths, char *text, size_t size)
{
    int count = 0;
    while (paths[count])
        count++;
    *text = 0;
    for (size_t used = 0; count > 0 && used < size;)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
                                 path_base(paths[--count]));
}

/* Returns the step that .from names, or NULL if no other step is built. The name is wrong if others
 * are built but not this one, or if several have it. */
static char *named_parent(const Run *run, const char *from)
{
    char **found = sibling_paths_named(run->path, from), names[512];
    char **all = sibling_paths_named(run->path, NULL);
    bool none = !found[0] && all[0], several = found[0] && found[1];
    names_of(none ? all : found, names, sizeof names);
    char *path = found[0] && !several ? str_format("%s", found[0]) : NULL;
    free_paths(found);
    free_paths(all);
    if (none)
        error_die(EXIT_USAGE, ".from", "'%s' is not a step that is built beside %s; there are %s",
                  from, run->name, names);
    if (several)
        error_die(EXIT_USAGE, ".from", "'%s' could be any of %s: a whole name says which", from,
                  names);
    return path;
}

char *parent_of(const Run *run)
{
    const char *from = run->step->from;
    return from ? named_parent(run, from) : nearest(run->step, run->path);
}
