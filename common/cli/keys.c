/* keys: what PyTorch's state_dict() of the same network is called, and init: fresh values for it.
 */
#include "cli/commands.h"
#include "graph/weights.h"

#include <stdio.h>

int keys(const Run *run)
{
    Shape shape = shape_of(run->step, &run->options, "article");
    Net *net = build_network(run->step, &shape);
    char text[SHAPE_TEXT];
    for (int i = 0; i < net_params(net); i++)
        printf("%s\t%s\n", net_param(net, i)->key, param_shape_text(net_param(net, i), text));
    net_free(net);
    return 0;
}

int init(const Run *run)
{
    Shape shape = shape_of(run->step, &run->options, "article");
    Net *net = build_network(run->step, &shape);
    Weights *weights = weights_new(net);
    weights_init(weights, run->options.seed);
    Error error;
    if (!weights_save(weights, run->options.output, &error))
        die_of(EXIT_FAILED, &error);
    weights_free(weights);
    net_free(net);
    return 0;
}
