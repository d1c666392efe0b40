/* The article's ConvNormAct: an nn.Sequential of convolution, batch norm and activation. */
#include "graph/net.h"
#include "ops/ops.h"

Tensor *conv_norm_act_(Tensor *x, ConvNormAct p)
{
    Conv2d conv = { .at = p.at,
                    .out = p.out,
                    .kernel = p.kernel,
                    .stride = p.stride,
                    .pad = p.kernel / 2,
                    .groups = p.groups,
                    .bias = p.bias };
    SCOPE(x->net, NEXT) {
        x = conv2d_(x, conv);
        x = batch_norm_(x, (Norm){ .at = p.at, .eps = 1e-5f });
        if (p.act == RELU)
            x = relu_(x, p.at);
        else if (p.act == GELU)
            x = gelu_(x, p.at);
        else
            net_skip_index(x->net);
    }
    return x;
}
