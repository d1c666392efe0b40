#include "graph/signature.h"

#include "base/memory.h"
#include "base/text.h"
#include "graph/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_number(FILE *out, const char *what, size_t number)
{
    if (number)
        fprintf(out, " %s %zu", what, number);
}

static const Tensor *source(const Tensor *t)
{
    while (tensor_is_view(t, false))
        t = t->in[0];
    return t;
}

static void put_attributes(FILE *out, const Tensor *t)
{
    size_t count = 0;
    put_number(out, "kernel", (size_t)t->a.kernel);
    put_number(out, "stride", (size_t)t->a.stride);
    put_number(out, "pad", (size_t)t->a.pad);
    put_number(out, "groups", (size_t)t->a.groups);
    if (t->a.eps != 0)
        fprintf(out, " eps %g", (double)t->a.eps);
    for (int i = 0; i < t->params; i++)
        count += net_param(t->net, t->first_param + i)->count;
    put_number(out, "params", count);
}

/* Appends one layer. number: the number of each tensor in the signature. */
static void put_layer(FILE *out, const Tensor *t, const int *number)
{
    fprintf(out, "%s%s", t->op ? "; " : "", t->op ? t->op->name : "input");
    put_attributes(out, t);
    for (int i = 0; i < 2 && t->in[i]; i++) {
        int from = number[source(t->in[i])->index];
        if (t->in[1] || from != number[t->index] - 1)
            fprintf(out, " of %d", from);
    }
    fprintf(out, " %dx%dx%d", t->c, t->h, t->w);
}

char *net_signature(const Net *net)
{
    Text text;
    text_open(&text);
    int *number = mem_alloc((size_t)net_tensors(net), sizeof *number), count = 0;
    for (int i = 0; i < net_tensors(net); i++) {
        const Tensor *t = net_tensor(net, i);
        if (tensor_is_view(t, false))
            continue;
        number[i] = count++;
        put_layer(text.out, t, number);
    }
    free(number);
    text_close(&text);
    return text.bytes;
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
        if (tensor_is_view(t, false))
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
