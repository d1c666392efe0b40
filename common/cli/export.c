/* export: a network and its weights for other programs. */
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/onnx.h"

#include <string.h>

int cmd_export(const Run *run)
{
    const Options *o = &run->options;
    if (!o->onnx && !o->output)
        error_die(EXIT_USAGE, "export", "needs --onnx or --output");
    if (!o->output && (o->scheme || o->dtype))
        error_die(EXIT_USAGE, o->scheme ? "--scheme" : "--dtype",
                  "needs --output; ONNX has neither");
    Shape shape = network_shape(run->step, o, NULL);
    Net *net = network_build(run->step, &shape);
    Form form = { .half = o->dtype && strcmp(o->dtype, "F16") == 0 };
    if (o->output)
        form.scheme = scheme_asked(o, net);
    Error error;
    Onnx *onnx = o->onnx ? onnx_new(net, run->name, run->step->title, &error) : NULL;
    if (o->onnx && !onnx)
        error_die_of(EXIT_FAILED, &error);
    Weights *weights = weights_new(net);
    Safetensors file;
    if (!safetensors_read(o->weights, &file, &error) ||
        !weights_from_file(weights, &file, "", ALL, &error))
        error_die_of(EXIT_FAILED, &error);
    /* What the file says of its weights, such as what they were trained on, stays true. */
    form.metadata = file.metadata, form.metadata_count = file.metadata_count;
    if (o->output)
        keys_save_weights(weights, &form, o->output);
    if (onnx && !onnx_write(onnx, weights, o->onnx, &error))
        error_die_of(EXIT_FAILED, &error);
    safetensors_free(&file);
    weights_free(weights);
    onnx_free(onnx);
    net_free(net);
    return 0;
}
