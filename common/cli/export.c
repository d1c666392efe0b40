/* export: a network and its weights for other programs. */
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/onnx.h"

int export(const Run *run)
{
    const Options *o = &run->options;
    if (!o->onnx && !o->output)
        die(EXIT_USAGE, "export", "needs --onnx or --output");
    Shape shape = shape_of(run->step, o, "article");
    Net *net = build_network(run->step, &shape);
    Scheme scheme = o->output ? scheme_asked(o, net) : OFFICIAL;
    Error error;
    Onnx *onnx = o->onnx ? onnx_new(net, run->name, run->step->title, &error) : NULL;
    if (o->onnx && !onnx)
        die_of(EXIT_FAILED, &error);
    Weights *weights = weights_new(net);
    if (!weights_load(weights, o->weights, &error))
        die_of(EXIT_FAILED, &error);
    if (o->output)
        save_weights(weights, scheme, o->output);
    if (onnx && !onnx_write(onnx, weights, o->onnx, &error))
        die_of(EXIT_FAILED, &error);
    weights_free(weights);
    onnx_free(onnx);
    net_free(net);
    return 0;
}
