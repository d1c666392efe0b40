/* export: a network and its weights for other programs. */
#include "cli/commands.h"
#include "cli/onnx.h"
#include "graph/weights.h"

static void export_onnx(const Run *run, const Net *net)
{
    const Options *o = &run->options;
    Error error;
    Onnx *onnx = onnx_new(net, run->name, run->step->title, &error);
    if (!onnx)
        die_of(EXIT_FAILED, &error);
    Weights *weights = weights_new(net);
    if (!weights_load(weights, o->weights, &error) || !onnx_write(onnx, weights, o->onnx, &error))
        die_of(EXIT_FAILED, &error);
    weights_free(weights);
    onnx_free(onnx);
}

int export(const Run *run)
{
    const Options *o = &run->options;
    if (!o->onnx && !o->output)
        die(EXIT_USAGE, "export", "needs --onnx or --output");
    if (o->output)
        export_weights(run);
    if (!o->onnx)
        return 0;
    Shape shape = shape_of(run->step, &run->options, "article");
    Net *net = build_network(run->step, &shape);
    export_onnx(run, net);
    net_free(net);
    return 0;
}
