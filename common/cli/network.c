#include "cli/network.h"

#include "base/error.h"
#include "graph/schemes.h"
#include "ops/ops.h"

#include <string.h>

/* --- presets --------------------------------------------------------------------------------- */

/* Converts the article's depths to the paper's: ResNet-50 and ConvNeXt-T have the first stage's
 * depth in the last; the article prints ResNet-50's 3,4,6,3 as 3,4,6,4. */
static void paper_depths(const int article[4], int depths[4])
{
    memcpy(depths, article, 4 * sizeof *depths);
    depths[3] = depths[0];
}

/* The paper's widths: a narrow residual stream is 1.5 times as wide as a wide one's bottleneck,
 * which keeps the multiply-accumulates equal when the bottleneck is inverted. */
static const Config paper_sizes[] = {
    [WIDE] = { .stem = 64, .widths = { 256, 512, 1024, 2048 } },
    [NARROW] = { .stem = 96, .widths = { 96, 192, 384, 768 } },
};
static const Config small_sizes[] = {
    [WIDE] = { .stem = 16, .widths = { 64, 128, 256, 512 } },
    [NARROW] = { .stem = 24, .widths = { 24, 48, 96, 192 } },
};

/* Ends the program for a preset that the step lacks: a published one has a variant's or row's sizes
 * instead of the presets article and paper. */
static void check_preset(const Step *step, const Options *o)
{
    bool given = option_given(o, "--preset"), small = given && o->preset == PRESET_SMALL;
    bool rows = step->rows, row_given = option_given(o, "--row");
    if (o->variant && (!step->published || rows))
        error_die(EXIT_USAGE, "--variant", "this step has %s, no variants",
                  rows ? "rows" : "presets");
    if (row_given && !rows)
        error_die(EXIT_USAGE, "--row", "this step is one network, it has no rows");
    if (row_given && o->row >= step->row_count)
        error_die(EXIT_USAGE, "--row", "'%d' is not a row from 0 to %d", o->row,
                  step->row_count - 1);
    if (o->variant && small)
        error_die(EXIT_USAGE, "--variant", "'%s' or --preset small, not both", o->variant);
    if (given && step->published && !small)
        error_die(EXIT_USAGE, "--preset", "'%s': this step has %s or --preset small",
                  option_text(o, "--preset"),
                  rows ? "--row N" : "--variant tiny|small|base|large|xlarge");
}

/* Returns the shape for ImageNet's images and classes. */
static Shape imagenet_shape(Config config)
{
    config.classes = 1000;
    return (Shape){ .config = config, .n = 1, .c = 3, .h = 224, .w = 224 };
}

static Shape variant_shape(const Step *step, const char *name)
{
    const PublishedSize *v = scheme_published_size(name);
    Shape shape = imagenet_shape(step->article);
    memcpy(shape.config.depths, v->depths, sizeof v->depths);
    memcpy(shape.config.widths, v->widths, sizeof v->widths);
    shape.config.stem = v->widths[0];
    return shape;
}

/* Shrinks the shape to grey 64x64 images, ten classes, a third of the blocks, rounded up. */
static void shrink(Shape *shape)
{
    shape->c = 1;
    shape->h = shape->w = 64;
    shape->config.classes = 10;
    for (int i = 0; i < 4; i++)
        shape->config.depths[i] = (shape->config.depths[i] + 2) / 3;
}

static Shape preset_shape(const Step *step, Preset preset)
{
    Shape shape = imagenet_shape(step->article);
    if (preset == PRESET_ARTICLE)
        return shape;
    bool small = preset == PRESET_SMALL;
    Config sizes = small ? small_sizes[step->trunk] : paper_sizes[step->trunk];
    shape.config.stem = sizes.stem;
    memcpy(shape.config.widths, sizes.widths, sizeof sizes.widths);
    paper_depths(step->article.depths, shape.config.depths);
    if (small)
        shrink(&shape);
    return shape;
}

/* Returns a row's own sizes; the preset small has a quarter of its widths. */
static Shape row_shape(const Step *step, int row, bool small)
{
    Shape shape = imagenet_shape(step->config(row));
    if (small) {
        shrink(&shape);
        shape.config.stem /= 4;
        for (int i = 0; i < 4; i++)
            shape.config.widths[i] /= 4;
    }
    return shape;
}

int network_row(const Step *step, const Options *o)
{
    return option_given(o, "--row") ? o->row : step->row_count - 1;
}

static Shape base_shape(const Step *step, const Options *o, Preset preset)
{
    if (option_given(o, "--preset") || !preset)
        preset = o->preset;
    if (o->variant)
        return variant_shape(step, o->variant);
    if (!step->rows)
        return preset_shape(step, preset);
    return row_shape(step, network_row(step, o), preset == PRESET_SMALL);
}

/* Refuses options that have no effect on this network. */
static void check_has_effect(const Step *step, const Options *o, const Shape *shape)
{
    static const struct {
        const char *option, *layers;
        const Op *op;
    } needs[] = { { "--drop-path", "drop path", &drop_path_op },
                  { "--layer-scale", "layer scale", &layer_scale_op } };
    if (!shape->head && option_given(o, "--classes"))
        error_die(EXIT_USAGE, "--classes", "the encoder has none: they are the head's");
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (option_given(o, needs[i].option) && !network_has(step, shape, needs[i].op))
            error_die(EXIT_USAGE, needs[i].option, "this network has no %s", needs[i].layers);
}

Shape network_shape(const Step *step, const Options *options, Preset preset)
{
    check_preset(step, options);
    return network_shape_over(step, options, base_shape(step, options, preset));
}

Shape network_shape_over(const Step *step, const Options *options, Shape shape)
{
    Config *c = &shape.config;
    if (option_given(options, "--widths")) {
        memcpy(c->widths, options->widths, sizeof c->widths);
        if (step->published && !step->rows) /* the stem has the width of the first stage */
            c->stem = c->widths[0];
    }
    if (option_given(options, "--stem"))
        c->stem = options->stem;
    if (option_given(options, "--depths"))
        memcpy(c->depths, options->depths, sizeof c->depths);
    if (option_given(options, "--classes"))
        c->classes = options->classes;
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
        if (shape.w <= 4 && shape.c > 4)
            error_context("--input is channels x height x width: 3x224x224");
    }
    shape.head = options->part != PART_ENCODER;
    check_has_effect(step, options, &shape);
    return shape;
}

/* --- building -------------------------------------------------------------------------------- */

/* Checks the tensor returned by a step's function. */
static Tensor *check_returned(const char *function, Tensor *x)
{
    if (!x)
        error_die(EXIT_USAGE, function, "it returns no tensor: is a 'return x' missing?");
    return x;
}

/* Checks that the output are logits, which all that follows assumes. */
static void check_logits(const Tensor *x, int classes)
{
    char shape[SHAPE_TEXT];
    if (!x->flat || x->c != classes)
        error_die(EXIT_USAGE, ".head",
                  "it returns %s, not %d logits per image, as linear(x, .out = c.classes) does",
                  tensor_shape_text(x, shape), classes);
}

/* Sets the authors' initial weights: normal with standard deviation 0.02, biases 0. They truncate
 * at ±2, which is a hundred standard deviations and has no effect. */
static void init_as_published(Net *net)
{
    for (int i = 0; i < net_params(net); i++) {
        Param *p = net_param_to_change(net, i);
        if (p->init.kind == INIT_UNIFORM)
            p->init = p->rank > 1 ? (Init){ INIT_NORMAL, 0.02f } : (Init){ INIT_CONSTANT, 0 };
    }
}

/* Says of sizes what errors of the graph don't: where two stages have one width, a block that
 * halves the image may have no projection on its shortcut. */
static void explain(const Shape *shape)
{
    const int *widths = shape->config.widths;
    for (int i = 1; i < 4; i++)
        if (widths[i] == widths[i - 1])
            error_context("two stages have one width (--widths), so the shortcut between them is "
                          "the input itself, of the old size: other widths are wanted");
}

Net *network_build(const Step *step, const Shape *shape)
{
    explain(shape);
    Net *net = net_new();
    Tensor *x = net_input(net, shape->n, shape->c, shape->h, shape->w);
    /* The article's encoder alone has no name; the authors' names do not depend on it. */
    SCOPE(net, shape->head || step->published ? "encoder" : "")
        x = check_returned(".encoder", step->encoder(x, shape->config));
    if (shape->head) {
        SCOPE(net, "head")
            x = check_returned(".head", step->head(x, shape->config));
        check_logits(x, shape->config.classes);
    }
    if (step->published) {
        init_as_published(net);
        scheme_name_officially(net);
    }
    error_context("");
    return net;
}

bool network_has(const Step *step, const Shape *shape, const Op *op)
{
    Net *net = network_build(step, shape);
    bool found = net_has(net, op);
    net_free(net);
    return found;
}

bool network_has_paper_sizes(const Step *step, const Options *options)
{
    return step->published && !option_given(options, "--preset");
}

bool network_downsamples_separately(const Step *step)
{
    if (!step->stage)
        return false;
    /* A separate downsampling layer changes a stage's input even without blocks. */
    Net *net = net_new();
    Tensor *x = net_input(net, 1, 32, 8, 8);
    bool changes = step->stage(x, (Stage){ .out = 64, .depth = 0, .stride = 2 }) != x;
    net_free(net);
    return changes;
}
