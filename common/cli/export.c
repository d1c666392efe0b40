/* export: a network and its weights for other programs. */
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/origin.h"
#include "export/onnx.h"

int cmd_export(const Run *run)
{
    const Options *o = &run->options;
    if (!o->onnx && !o->output)
        error_die(EXIT_USAGE, "export", "needs --onnx or --output");
    if (!o->output && (o->scheme || o->dtype))
        error_die(EXIT_USAGE, o->scheme ? "--scheme" : "--dtype",
                  "needs --output; ONNX has neither");
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
    weights_free(weights);
    onnx_free(onnx);
    metadata_free(&metadata);
    net_free(net);
    origin_free(&origin);
    return 0;
}
