#include "cli/network.h"

#include "ops/ops.h"

#include <string.h>

/* --- presets --------------------------------------------------------------------------------- */

/* ResNet-50 and ConvNeXt-T give the last stage the depth of the first; the article prints
 * ResNet-50's 3,4,6,3 as 3,4,6,4. */
static void paper_depths(const int article[4], int depths[4])
{
    memcpy(depths, article, 4 * sizeof *depths);
    depths[3] = depths[0];
}

/* A narrow trunk is one and a half times the width that a wide one's bottleneck has, as in the
 * paper: that keeps the multiply-accumulates level when the bottleneck turns over. */
static const Config paper_sizes[] = {
    [WIDE] = { .stem = 64, .widths = { 256, 512, 1024, 2048 } },
    [NARROW] = { .stem = 96, .widths = { 96, 192, 384, 768 } },
};
static const Config small_sizes[] = {
    [WIDE] = { .stem = 16, .widths = { 64, 128, 256, 512 } },
    [NARROW] = { .stem = 24, .widths = { 24, 48, 96, 192 } },
};

static Shape preset_shape(const Step *step, const char *preset)
{
    Shape shape = { .config = step->article, .n = 1, .c = 3, .h = 224, .w = 224, .classes = 1000 };
    if (strcmp(preset, "article") == 0)
        return shape;
    bool small = strcmp(preset, "small") == 0;
    Config sizes = small ? small_sizes[step->trunk] : paper_sizes[step->trunk];
    shape.config.stem = sizes.stem;
    memcpy(shape.config.widths, sizes.widths, sizeof sizes.widths);
    paper_depths(step->article.depths, shape.config.depths);
    if (small) {
        shape.c = 1;
        shape.h = shape.w = 64;
        shape.classes = 10;
        for (int i = 0; i < 4; i++) /* a third of the blocks, rounded up */
            shape.config.depths[i] = (shape.config.depths[i] + 2) / 3;
    }
    return shape;
}

Shape shape_of(const Step *step, const Options *options, const char *preset)
{
    Shape shape = preset_shape(step, options->preset ? options->preset : preset);
    Config *c = &shape.config;
    if (option_given(options, "--stem"))
        c->stem = options->stem;
    if (option_given(options, "--widths"))
        memcpy(c->widths, options->widths, sizeof c->widths);
    if (option_given(options, "--depths"))
        memcpy(c->depths, options->depths, sizeof c->depths);
    if (option_given(options, "--classes"))
        shape.classes = options->classes;
    if (option_given(options, "--drop-path"))
        c->drop_p = (float)options->drop_path;
    if (option_given(options, "--layer-scale"))
        c->layer_scale = (float)options->layer_scale;
    if (option_given(options, "--batch-size"))
        shape.n = options->batch_size;
    if (option_given(options, "--input")) {
        shape.c = options->input[0];
        shape.h = options->input[1];
        shape.w = options->input[2];
    }
    shape.head = !options->part || strcmp(options->part, "classifier") == 0;
    return shape;
}

/* --- building -------------------------------------------------------------------------------- */

/* The article's ClassificationHead. */
static Tensor *head(Tensor *x, int classes)
{
    SCOPE(x->net, "head") {
        x = global_avg_pool(x);
        x = flatten(x);
        x = layer_norm(x);
        x = linear(x, .out = classes);
    }
    return x;
}

Net *build_network(const Step *step, const Shape *shape)
{
    Net *net = net_new();
    Tensor *x = net_input(net, shape->n, shape->c, shape->h, shape->w);
    if (!shape->head) {
        step->encoder(x, shape->config);
        return net;
    }
    SCOPE(net, "encoder")
        x = step->encoder(x, shape->config);
    head(x, shape->classes);
    return net;
}

bool downsamples_separately(const Step *step)
{
    /* Such a stage changes its input even where it has no block. */
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 32, 8, 8);
    bool changes = step->stage(x, (Stage){ .out = 64, .depth = 0, .stride = 2 }) != x;
    net_free(net);
    return changes;
}
