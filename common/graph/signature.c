#include "graph/signature.h"

#include "base/memory.h"
#include "graph/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A growing text; initialised with { 0 }. */
typedef struct {
    char *text;
    size_t used, capacity;
} Words;

static void put(Words *w, const char *words)
{
    size_t length = strlen(words) + 1;
    if (w->capacity - w->used < length) {
        w->capacity = size_mul(w->capacity + length, 2);
        w->text = mem_grow(w->text, w->capacity, 1);
    }
    memcpy(w->text + w->used, words, length);
    w->used += length - 1;
}

static void put_number(Words *w, const char *what, size_t number)
{
    char words[64];
    snprintf(words, sizeof words, " %s %zu", what, number);
    if (number)
        put(w, words);
}

/* Tests for a layer whose output is its input when the network is not in training. */
static bool is_identity(const Tensor *t)
{
    return t->op && t->op->is_view && t->op->is_view(t, false);
}

static const Tensor *source(const Tensor *t)
{
    while (is_identity(t))
        t = t->in[0];
    return t;
}

static void put_attributes(Words *w, const Tensor *t)
{
    size_t count = 0;
    char eps[32];
    put_number(w, "kernel", (size_t)t->a.kernel);
    put_number(w, "stride", (size_t)t->a.stride);
    put_number(w, "pad", (size_t)t->a.pad);
    put_number(w, "groups", (size_t)t->a.groups);
    snprintf(eps, sizeof eps, " eps %g", (double)t->a.eps);
    if (t->a.eps != 0)
        put(w, eps);
    for (int i = 0; i < t->params; i++)
        count += net_param(t->net, t->first_param + i)->count;
    put_number(w, "params", count);
}

/* Appends one layer. number: the number of each tensor in the signature. */
static void put_layer(Words *w, const Tensor *t, const int *number)
{
    char words[64];
    put(w, t->op ? "; " : "");
    put(w, t->op ? t->op->name : "input");
    put_attributes(w, t);
    for (int i = 0; i < 2 && t->in[i]; i++) {
        int from = number[source(t->in[i])->index];
        snprintf(words, sizeof words, " of %d", from);
        if (t->in[1] || from != number[t->index] - 1)
            put(w, words);
    }
    snprintf(words, sizeof words, " %dx%dx%d", t->c, t->h, t->w);
    put(w, words);
}

char *net_signature(const Net *net)
{
    Words w = { 0 };
    int *number = mem_alloc((size_t)net_tensors(net), sizeof *number), count = 0;
    for (int i = 0; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        if (is_identity(t))
            continue;
        number[i] = count++;
        put_layer(&w, t, number);
    }
    free(number);
    return w.text;
}

/* Copies the words of the layer at *at and moves *at to the next layer. */
static void read_layer(const char **at, char words[128])
{
    size_t length = strcspn(*at, ";");
    snprintf(words, 128, "%.*s", (int)length, *at);
    if (!length)
        snprintf(words, 128, "nothing");
    *at += length;
    *at += strspn(*at, "; ");
}

SignatureDifference signature_difference(const char *theirs, const char *ours, const Net *net)
{
    SignatureDifference d = { .name = "the end" };
    for (int i = 0; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        if (is_identity(t))
            continue;
        read_layer(&theirs, d.theirs);
        read_layer(&ours, d.ours);
        d.name = t->name;
        if (strcmp(d.theirs, d.ours) != 0)
            return d;
    }
    read_layer(&theirs, d.theirs);
    read_layer(&ours, d.ours);
    d.name = "what follows the last layer";
    return d;
}
