/* export: a network and its weights for other programs. */
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/origin.h"
#include "export/c_code.h"
#include "export/onnx.h"
#include "export/pytorch.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

/* Ends the program for options that do not belong together. */
static void check_call(const Options *o)
{
    if (o->c_weights && !o->c_code)
        error_die(EXIT_USAGE, "--c-weights", "needs --c");
    if (!o->onnx && !o->pytorch && !o->c_code && !o->output)
        error_die(EXIT_USAGE, "export", "needs --onnx, --pytorch, --c or --output");
    if (!o->output && (o->scheme || o->dtype))
        error_die(EXIT_USAGE, o->scheme ? "--scheme" : "--dtype",
                  "needs --output; only weights have it");
    if (o->module && !o->pytorch)
        error_die(EXIT_USAGE, "--module", "needs --pytorch");
    if (!o->weights && (o->onnx || o->c_code || o->output))
        error_die(EXIT_USAGE, "--weights", "must be given; only --pytorch does without");
    if (!o->weights && o->as_is)
        error_die(EXIT_USAGE, "--as-is", "needs --weights");
}

/* Returns the network as PyTorch code, NULL where that is not asked for. */
static char *pytorch_text(const Run *run, const Shape *shape, const Net *net)
{
    if (!run->options.pytorch)
        return NULL;
    Error error;
    char *options = origin_network(run, shape);
    char *all = str_format("%s --classes %d", options, shape->config.classes);
    PytorchForm form = { run->name, run->step->title, all, run->options.module };
    char *text = pytorch_code(net, &form, &error);
    if (!text)
        error_die_of(EXIT_FAILED, &error);
    free(options);
    free(all);
    return text;
}

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

/* Makes all of it before the first file is written. */
static void write_with_weights(const Run *run, Origin *origin, const Shape *shape, const Net *net)
{
    const Options *o = &run->options;
    Form form = { .half = o->dtype == DTYPE_F16 };
    if (o->output)
        form.scheme = scheme_asked(o, net);
    Error error;
    /* Metadata about the weights, such as their training data, remain valid. */
    MetadataList metadata = origin_metadata(origin, shape, net);
    form.metadata = metadata.items, form.metadata_count = metadata.count;
    Onnx *onnx =
        o->onnx ? onnx_new(net, run->name, run->step->title, metadata.items, metadata.count, &error)
                : NULL;
    if (o->onnx && !onnx)
        error_die_of(EXIT_FAILED, &error);
    Weights *weights = origin_weights(origin, shape, net);
    if (o->output)
        keys_save_weights(weights, &form, o->output);
    if (onnx && !onnx_write(onnx, weights, o->onnx, &error))
        error_die_of(EXIT_FAILED, &error);
    if (o->c_code)
        write_c(run, origin, shape, net, weights);
    weights_free(weights);
    onnx_free(onnx);
    metadata_free(&metadata);
}

int cmd_export(const Run *run)
{
    const Options *o = &run->options;
    check_call(o);
    Origin origin = { 0 };
    if (o->weights)
        origin = origin_read(run);
    Shape shape = o->weights ? origin_shape(&origin, 0) : network_shape(run->step, o, 0);
    Net *net = network_build(run->step, &shape);
    char *text = pytorch_text(run, &shape, net);
    Error error;
    if (o->weights)
        write_with_weights(run, &origin, &shape, net);
    if (text && !file_write(o->pytorch, text, strlen(text), &error))
        error_die_of(EXIT_FAILED, &error);
    free(text);
    net_free(net);
    if (o->weights)
        origin_free(&origin);
    return 0;
}
