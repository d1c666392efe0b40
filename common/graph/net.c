#include "graph/net.h"

#include "base/error.h"
#include "base/memory.h"
#include "graph/op.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

/* The largest number of floats in a tensor: more than a 64-bit machine can address, or a quarter of
 * what a 32-bit one can; sums of such sizes cannot overflow. */
#define MAX_ELEMENTS ((size_t)1 << (sizeof(size_t) > 4 ? 46 : 28))

/* An open scope: its full name and the index of the next layer in it. */
typedef struct {
    char *path;
    int next;
} Level;

struct Net {
    Tensor **tensors;
    int tensor_count;
    Param *params;
    int param_count;
    uint64_t macs;
    Level levels[MAX_DEPTH]; /* levels[0] is the network itself, with an empty path */
    int depth;               /* number of open levels */
};

/* --- errors ---------------------------------------------------------------------------------- */

void net_error(Site at, const char *format, ...)
{
    char where[512], what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(where, sizeof where, "%s:%d", at.file, at.line);
    error_die(EXIT_USAGE, where, "%s", what);
}

/* --- scopes ---------------------------------------------------------------------------------- */

static Level *level(Net *net)
{
    return &net->levels[net->depth - 1];
}

/* Joins parent and child with a dot; either may be empty. */
static char *join(const char *parent, const char *child)
{
    return str_format("%s%s%s", parent, *parent && *child ? "." : "", child);
}

static char *next_name(Net *net)
{
    char index[16];
    snprintf(index, sizeof index, "%d", level(net)->next++);
    return join(level(net)->path, index);
}

static bool is_taken(const Net *net, const char *name)
{
    int i = 0;
    while (i < net->tensor_count && strcmp(net->tensors[i]->name, name) != 0)
        i++;
    return i < net->tensor_count;
}

/* Returns the name of a layer that its word names: a scope's second addition is add_2. */
static char *word_name(Net *net, const char *word)
{
    char *first = join(level(net)->path, word), *name = str_format("%s", first);
    for (int count = 2; is_taken(net, name); count++) {
        free(name);
        name = str_format("%s_%d", first, count);
    }
    free(first);
    return name;
}

Scope scope_open(Net *net, const char *name)
{
    if (net->depth == MAX_DEPTH)
        error_die(EXIT_USAGE, level(net)->path, "scopes are nested deeper than %d", MAX_DEPTH);
    char *path = name ? join(level(net)->path, name) : next_name(net);
    net->levels[net->depth++] = (Level){ .path = path };
    return (Scope){ .net = net, .once = true };
}

void scope_close(Scope *scope)
{
    free(level(scope->net)->path);
    scope->net->depth--;
}

void net_skip_index(Net *net)
{
    level(net)->next++;
}

/* --- building -------------------------------------------------------------------------------- */

Net *net_new(void)
{
    Net *net = mem_alloc(1, sizeof *net);
    net->levels[0].path = str_format("%s", "");
    net->depth = 1;
    return net;
}

void net_free(Net *net)
{
    if (!net)
        return;
    for (int i = 0; i < net->tensor_count; i++) {
        free(net->tensors[i]->name);
        free(net->tensors[i]);
    }
    for (int i = 0; i < net->param_count; i++)
        free(net->params[i].key);
    free(net->levels[0].path);
    free(net->tensors);
    free(net->params);
    free(net);
}

static void check_size(const Tensor *t)
{
    char shape[SHAPE_TEXT];
    if (tensor_elements(t) <= MAX_ELEMENTS)
        return;
    if (!t->op)
        error_die(EXIT_USAGE, "input", "%s is more than can be addressed",
                  tensor_shape_text(t, shape));
    net_error(t->at, "%s: %s is more than can be addressed", t->op->name,
              tensor_shape_text(t, shape));
}

/* Makes room for one item after `count`: doubles the memory at each power of two. */
static void *grow(void *items, int count, size_t size)
{
    if (count & (count - 1))
        return items;
    return mem_grow(items, size_mul(2, (size_t)count + 1), size);
}

static Tensor *append(Net *net, Tensor tensor)
{
    check_size(&tensor);
    net->tensors = grow(net->tensors, net->tensor_count, sizeof *net->tensors);
    Tensor *t = mem_alloc(1, sizeof *t);
    *t = tensor;
    t->net = net;
    t->index = net->tensor_count++;
    t->first_param = net->param_count;
    net->tensors[t->index] = t;
    return t;
}

Tensor *net_input(Net *net, int n, int c, int h, int w)
{
    char *name = str_format("%s", "input");
    return append(net, (Tensor){ .n = n, .c = c, .h = h, .w = w, .name = name });
}

Tensor *net_layer(const Op *op, Tensor *a, Tensor *b, Site at, Naming naming, Attributes attributes,
                  int c, int h, int w)
{
    Net *net = a->net;
    char *name = naming == NAME_INDEX   ? next_name(net)
                 : naming == NAME_SCOPE ? join(level(net)->path, "")
                                        : word_name(net, op->name);
    return append(net, (Tensor){ .op = op,
                                 .n = a->n,
                                 .c = c,
                                 .h = h,
                                 .w = w,
                                 .flat = a->flat,
                                 .in = { a, b },
                                 .at = at,
                                 .name = name,
                                 .a = attributes });
}

void net_add_param(Tensor *t, const char *suffix, const int shape[4], Layout layout, Init init,
                   bool trained)
{
    Net *net = t->net;
    Param p = { .layout = layout, .init = init, .trained = trained, .count = 1 };
    for (; p.rank < 4 && shape[p.rank] > 0; p.rank++) {
        p.shape[p.rank] = shape[p.rank];
        p.count = size_mul(p.count, (size_t)shape[p.rank]);
    }
    p.key = join(t->name, suffix);
    for (int i = 0; i < net->param_count; i++)
        if (strcmp(net->params[i].key, p.key) == 0)
            net_error(t->at, "%s: a parameter has the key '%s' already; give it a SCOPE of its own",
                      t->op->name, p.key);
    net->params = grow(net->params, net->param_count, sizeof *net->params);
    net->params[net->param_count++] = p;
    t->params++;
}

void net_add_macs(Tensor *t, uint64_t each)
{
    Net *net = t->net;
    if (__builtin_mul_overflow((uint64_t)tensor_elements(t), each, &t->macs) ||
        __builtin_add_overflow(net->macs, t->macs, &net->macs))
        net_error(t->at, "%s: more multiply-accumulates than 64 bits can count", t->op->name);
}

static void copy_params(Net *net, Tensor *t, const Tensor *from)
{
    for (int i = 0; i < t->params; i++) {
        Param p = *net_param(from->net, from->first_param + i);
        p.key = str_format("%s", p.key);
        net->params = grow(net->params, net->param_count, sizeof *net->params);
        net->params[net->param_count++] = p;
    }
}

static bool reads_before(const Tensor *t, int first)
{
    for (int k = 0; k < 2; k++)
        if (t->in[k] && t->in[k]->index < first)
            return true;
    return false;
}

Net *net_part(const Net *net, const Tensor *input, const Tensor *output)
{
    Net *part = net_new();
    int first = input->index;
    for (int i = first; i <= output->index; i++) {
        const Tensor *from = net->tensors[i];
        Tensor t = *from;
        if (i == first) {
            t.op = NULL, t.in[0] = t.in[1] = NULL;
            t.params = 0, t.macs = 0;
        } else if (reads_before(from, first)) {
            net_free(part);
            return NULL;
        }
        for (int k = 0; k < 2; k++)
            t.in[k] = t.in[k] ? part->tensors[t.in[k]->index - first] : NULL;
        t.name = str_format("%s", from->name);
        copy_params(part, append(part, t), from);
        part->macs += t.macs;
    }
    return part;
}

void net_check_runnable(const Net *net)
{
    char shape[SHAPE_TEXT];
    for (int i = 0; i < net->tensor_count; i++)
        if (tensor_rows(net->tensors[i]) > INT_MAX)
            error_die(EXIT_FAILED, net->tensors[i]->name,
                      "%s has more pixels than can be counted here",
                      tensor_shape_text(net->tensors[i], shape));
}

/* --- asking ---------------------------------------------------------------------------------- */

int net_tensors(const Net *net)
{
    return net->tensor_count;
}

Tensor *net_tensor(const Net *net, int i)
{
    return net->tensors[i];
}

Tensor *net_output(const Net *net)
{
    return net->tensors[net->tensor_count - 1];
}

const Tensor *net_head(const Net *net)
{
    int i = net->tensor_count - 1;
    while (i > 0 && !net->tensors[i]->params)
        i--;
    return i > 0 ? net->tensors[i] : NULL;
}

int net_params(const Net *net)
{
    return net->param_count;
}

const Param *net_param(const Net *net, int i)
{
    return &net->params[i];
}

Param *net_param_to_change(Net *net, int i)
{
    return &net->params[i];
}

size_t tensor_rows(const Tensor *t)
{
    return size_mul(size_mul((size_t)t->n, (size_t)t->h), (size_t)t->w);
}

size_t tensor_elements(const Tensor *t)
{
    return size_mul(tensor_rows(t), (size_t)t->c);
}

uint64_t tensor_params(const Tensor *t)
{
    uint64_t count = 0;
    for (int i = 0; i < t->params; i++) {
        const Param *p = net_param(t->net, t->first_param + i);
        count += p->trained ? p->count : 0;
    }
    return count;
}

bool tensor_is_view(const Tensor *t, bool training)
{
    return t->op && t->op->is_view && t->op->is_view(t, training);
}

bool net_has(const Net *net, const Op *op)
{
    for (int i = 1; i < net_tensors(net); i++)
        if (net_tensor(net, i)->op == op)
            return true;
    return false;
}

uint64_t net_macs(const Net *net)
{
    return net->macs;
}

uint64_t net_trained(const Net *net)
{
    uint64_t count = 0;
    for (int i = 0; i < net->param_count; i++)
        count += net->params[i].trained ? net->params[i].count : 0;
    return count;
}

const char *tensor_shape_text(const Tensor *t, char text[SHAPE_TEXT])
{
    if (t->flat)
        snprintf(text, SHAPE_TEXT, "%dx%d", t->n, t->c);
    else
        snprintf(text, SHAPE_TEXT, "%dx%dx%dx%d", t->n, t->c, t->h, t->w);
    return text;
}

const char *param_shape_text(const Param *p, char text[SHAPE_TEXT])
{
    int used = 0;
    text[0] = 0;
    for (int i = 0; i < p->rank; i++)
        used +=
            snprintf(text + used, (size_t)(SHAPE_TEXT - used), "%s%d", i ? "x" : "", p->shape[i]);
    return text;
}
