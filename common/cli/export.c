/* export: a network and its weights for other programs. */
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/origin.h"
#include "export/c_code.h"
#include "export/onnx.h"

#include <stdlib.h>

/* Writes the network as C, with what the weights' file says of their data. */
static void write_c(const Run *run, const Origin *origin, const Shape *shape, const Net *net,
                    const Weights *weights)
{
    const Options *o = &run->options;
    Provenance trained;
    Error error;
    if (!provenance_read(&origin->file, &trained, &error))
        error_die_of(EXIT_FAILED, &error);
    char *name = origin_name(run, &shape->config);
    const Dataset *data = &trained.data;
    CAbout about = { .name = name,
                     .title = run->step->title,
                     .data = data->name,
                     .channels = data->channels,
                     .classes = data->classes,
                     .mean = data->mean,
                     .std = data->std,
                     .class_names = data->name ? data->class_names : NULL };
    if (!c_code_write(net, weights, &about, o->c_code, o->c_weights, &error))
        error_die_of(EXIT_FAILED, &error);
    provenance_free(&trained);
    free(name);
}

int cmd_export(const Run *run)
{
    const Options *o = &run->options;
    if (o->c_weights && !o->c_code)
        error_die(EXIT_USAGE, "--c-weights", "needs --c");
    if (!o->onnx && !o->c_code && !o->output)
        error_die(EXIT_USAGE, "export", "needs --onnx, --c or --output");
    if (!o->output && (o->scheme || o->dtype))
        error_die(EXIT_USAGE, o->scheme ? "--scheme" : "--dtype",
                  "needs --output; ONNX and C have neither");
    Origin origin = origin_read(run);
    Shape shape = origin_shape(&origin, 0);
    Net *net = network_build(run->step, &shape);
    Form form = { .half = o->dtype == DTYPE_F16 };
    if (o->output)
        form.scheme = scheme_asked(o, net);
    Error error;
    /* Metadata about the weights, such as their training data, remain valid. */
    MetadataList metadata = origin_metadata(&origin, &shape, net);
    form.metadata = metadata.items, form.metadata_count = metadata.count;
    Onnx *onnx =
        o->onnx ? onnx_new(net, run->name, run->step->title, metadata.items, metadata.count, &error)
                : NULL;
    if (o->onnx && !onnx)
        error_die_of(EXIT_FAILED, &error);
    Weights *weights = origin_weights(&origin, &shape, net);
    if (o->output)
        keys_save_weights(weights, &form, o->output);
    if (onnx && !onnx_write(onnx, weights, o->onnx, &error))
        error_die_of(EXIT_FAILED, &error);
    if (o->c_code)
        write_c(run, &origin, &shape, net, weights);
    weights_free(weights);
    onnx_free(onnx);
    metadata_free(&metadata);
    net_free(net);
    origin_free(&origin);
    return 0;
}
