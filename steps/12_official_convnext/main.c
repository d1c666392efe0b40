#include "linspace.h"
#include "nn.h"

#define EXPANSION 4

static Tensor *block(Tensor *x, Block b)
{
    int in = x->c, wide = b.out * EXPANSION;
    Tensor *res = x;

    SCOPE(x->net, "block") {
        // narrow -> narrow, one 7x7 filter per channel
        x = conv2d(x, .out = in, .kernel = 7, .pad = 3, .groups = in);
        x = layer_norm(x, .eps = 1e-6f);
        // narrow -> wide
        x = conv2d(x, .out = wide, .kernel = 1);
        x = gelu(x);
        // wide -> narrow
        x = conv2d(x, .out = b.out, .kernel = 1);
    }
    SCOPE(x->net, "layer_scaler")
        x = layer_scale(x, b.layer_scale);
    x = drop_path(x, b.drop_p, .per_sample = true);
    return add(x, res);
}

static Tensor *stage(Tensor *x, Stage s)
{
    SCOPE(x->net, NEXT) {
        if (s.stride == 1) // the stem has done it for the first stage
            break;
        x = layer_norm(x, .eps = 1e-6f);
        x = conv2d(x, .out = s.out, .kernel = 2, .stride = 2);
    }
    for (int i = 0; i < s.depth; i++, s.drop_p += s.drop_step)
        SCOPE(x->net, NEXT)
            x = block(x, (Block){ .out = s.out, .layer_scale = s.layer_scale, .drop_p = s.drop_p });
    return x;
}

static Tensor *encoder(Tensor *x, Config c)
{
    SCOPE(x->net, "stem") {
        x = conv2d(x, .out = c.stem, .kernel = 4, .stride = 4);
        x = layer_norm(x, .eps = 1e-6f);
    }
    SCOPE(x->net, "stages")
        for (int i = 0; i < 4; i++)
            SCOPE(x->net, NEXT) {
                Stage s = {
                    .out = c.widths[i],
                    .depth = c.depths[i],
                    .stride = i == 0 ? 1 : 2,
                    .layer_scale = c.layer_scale,
                    .drop_p = linspace(0, c.drop_p, sum(c.depths), blocks_before(c.depths, i)),
                    .drop_step = linspace(0, c.drop_p, sum(c.depths), 1),
                };
                x = stage(x, s);
            }
    return x;
}

static Tensor *head(Tensor *x, Config c)
{
    x = global_avg_pool(x);
    x = flatten(x);
    x = layer_norm(x, .eps = 1e-6f);
    return linear(x, .out = c.classes);
}

int main(int argc, char **argv)
{
    Step step = {
        .title = "ConvNeXt as published",
        .trunk = NARROW,
        .published = true,
        .block = block,
        .stage = stage,
        .encoder = encoder,
        .head = head,
        .article = { .stem = 96, .depths = { 3, 3, 9, 3 }, .widths = { 96, 192, 384, 768 } },
        .article.layer_scale = 1e-6f,
    };
    return step_main(argc, argv, step);
}
