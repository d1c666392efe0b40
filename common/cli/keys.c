/* Names of weights: keys prints the contents of PyTorch's state_dict() for the same network, init
 * writes initial weights under these names or those of another published scheme. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/origin.h"
#include "cli/print.h"

#include <stdio.h>
#include <stdlib.h>

Scheme scheme_asked(const Options *o, const Net *net)
{
    if (o->scheme && !scheme_fits(net_param(net, 0), net_params(net)))
        error_die(
            EXIT_USAGE, "--scheme",
            "'%s': this network is not the published ConvNeXt: its parameters have one name each",
            option_text(o, "--scheme"));
    return o->scheme ? o->scheme : OFFICIAL;
}

/* Returns the parameters as entries without data. */
static Entry *entries_of(const Net *net)
{
    Entry *entries = mem_alloc((size_t)net_params(net), sizeof *entries);
    for (int i = 0; i < net_params(net); i++) {
        const Param *p = net_param(net, i);
        entries[i] = (Entry){ .key = str_format("%s", p->key), .rank = p->rank };
        for (int d = 0; d < p->rank; d++)
            entries[i].shape[d] = (size_t)p->shape[d];
    }
    return entries;
}

int cmd_keys(const Run *run)
{
    Shape shape = network_shape(run->step, &run->options, 0);
    Net *net = network_build(run->step, &shape);
    size_t count = (size_t)net_params(net);
    Entry *entries = entries_of(net);
    Scheme scheme = scheme_asked(&run->options, net);
    if (scheme_fits(net_param(net, 0), net_params(net)))
        scheme_convert(entries, count, scheme);
    for (size_t i = 0; i < count; i++) {
        char *sizes = entry_shape_text(&entries[i]);
        print_tsv_field(entries[i].key);
        printf("\t%s\n", sizes);
        free(sizes);
    }
    entries_free(entries, count);
    net_free(net);
    return 0;
}

void keys_save_weights(const Weights *weights, const Form *form, const char *path)
{
    Error error;
    if (!weights_save(weights, form, path, &error))
        error_die_of(EXIT_FAILED, &error);
}

/* Draws weights with this standard deviation that are drawn from a normal distribution. */
static void set_std(Net *net, double std)
{
    bool found = false;
    for (int i = 0; i < net_params(net); i++) {
        Param *p = net_param_to_change(net, i);
        if (p->init.kind != INIT_NORMAL)
            continue;
        p->init.value = (float)std;
        found = true;
    }
    if (!found)
        error_die(EXIT_USAGE, "--std", "this network's weights are uniform, as PyTorch draws them");
}

int cmd_init(const Run *run)
{
    const Options *o = &run->options;
    Shape shape = network_shape(run->step, o, 0);
    Net *net = network_build(run->step, &shape);
    Form form = { .scheme = scheme_asked(o, net) }; /* first, because it may find an invalid call */
    if (option_given(o, "--std"))
        set_std(net, o->std);
    Weights *weights = weights_new(net);
    weights_init(weights, o->seed);
    MetadataList metadata = { 0 };
    origin_write(run, &shape, net, &metadata);
    form.metadata = metadata.items, form.metadata_count = metadata.count;
    keys_save_weights(weights, &form, o->output);
    metadata_free(&metadata);
    weights_free(weights);
    net_free(net);
    return 0;
}
