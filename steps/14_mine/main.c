#include "nn.h"

#define EXPANSION 4

static Tensor *block(Tensor *x, Block b)
{
    int in = x->c, wide = b.out * EXPANSION;
    Tensor *res = x;

    SCOPE(x->net, "block") {
        // narrow -> narrow, one 7x7 filter per channel
        x = conv_norm_act(x, .out = in, .kernel = 3, .stride = b.stride, .groups = in,
                          .bias = false);
        // narrow -> wide
        x = conv_norm_act(x, .out = wide, .kernel = 1);
        // wide -> narrow
        x = conv_norm_act(x, .out = b.out, .kernel = 1, .bias = false, .act = IDENTITY);
    }
    if (in != b.out)
        SCOPE(x->net, "shortcut")
            res = conv_norm_act(res, .out = b.out, .kernel = 1, .stride = b.stride, .bias = false);
    return relu(add(x, res));
}

static Tensor *stage(Tensor *x, Stage s)
{
    for (int i = 0; i < s.depth; i++)
        SCOPE(x->net, NEXT)
            x = block(x, (Block){ .out = s.out, .stride = i == 0 ? s.stride : 1 });
    return x;
}

static Tensor *encoder(Tensor *x, Config c)
{
    SCOPE(x->net, "stem") {
        x = conv2d(x, .out = c.stem, .kernel = 4, .stride = 4);
        x = batch_norm(x);
    }
    SCOPE(x->net, "stages")
        for (int i = 0; i < 4; i++)
            SCOPE(x->net, NEXT) {
                Stage s = {
                    .out = c.widths[i],
                    .depth = c.depths[i],
                    .stride = i == 0 ? 1 : 2,
                };
                x = stage(x, s);
            }
    return x;
}

int main(int argc, char **argv)
{
    Step step = {
        .title = "7x7 depthwise convolution, moved up",
        .trunk = NARROW,
        .block = block,
        .stage = stage,
        .encoder = encoder,
        .article = {
            .stem = 64,
            .depths = { 3, 3, 9, 3 },
            .widths = { 256, 512, 1024, 2048 },
        },
    };
    return step_main(argc, argv, step);
}
