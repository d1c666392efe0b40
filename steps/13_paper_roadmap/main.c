#include "linspace.h"
#include "nn.h"

#define EXPANSION 4

/* The paper's Table 10. A row includes the changes of all rows before it, except for the kernels:
 * 5, 7, 9 and 11 are tried, and 7 is kept. */
enum {
    RESNET,
    STAGE_RATIO,
    PATCHIFY_STEM,
    DEPTHWISE_CONV,
    INCREASE_WIDTH,
    INVERT_DIMENSIONS,
    MOVE_UP_DEPTHWISE,
    KERNEL_5,
    KERNEL_7,
    KERNEL_9,
    KERNEL_11,
    RELU_TO_GELU,
    FEWER_ACTIVATIONS,
    FEWER_NORMS,
    BN_TO_LN,
    SEPARATE_DOWNSAMPLING,
    ROWS
};

/* As printed: accuracy on ImageNet-1k in %, mean and standard deviation over three seeds;
 * GFLOPs. */
static const Row road[ROWS] = {
    [RESNET] = { "ResNet-50, new recipe", 78.82, 0.07, 4.09 },
    [STAGE_RATIO] = { "stage ratio", 79.36, 0.07, 4.53 },
    [PATCHIFY_STEM] = { "patchify stem", 79.51, 0.18, 4.42 },
    [DEPTHWISE_CONV] = { "depthwise conv", 78.28, 0.08, 2.35 },
    [INCREASE_WIDTH] = { "increase width", 80.50, 0.02, 5.27 },
    [INVERT_DIMENSIONS] = { "inverting dimensions", 80.64, 0.03, 4.64 },
    [MOVE_UP_DEPTHWISE] = { "move up depthwise conv", 79.92, 0.08, 4.07 },
    [KERNEL_5] = { "kernel size 5", 80.35, 0.08, 4.10 },
    [KERNEL_7] = { "kernel size 7", 80.57, 0.14, 4.15 },
    [KERNEL_9] = { "kernel size 9", 80.57, 0.06, 4.21 },
    [KERNEL_11] = { "kernel size 11", 80.47, 0.11, 4.29 },
    [RELU_TO_GELU] = { "ReLU to GELU", 80.62, 0.14, 4.15 },
    [FEWER_ACTIVATIONS] = { "fewer activations", 81.27, 0.06, 4.15 },
    [FEWER_NORMS] = { "fewer norms", 81.41, 0.09, 4.15 },
    [BN_TO_LN] = { "BN to LN", 81.47, 0.09, 4.46 },
    [SEPARATE_DOWNSAMPLING] = { "separate downsampling (ConvNeXt-T)", 81.97, 0.06, 4.49 },
};

static Config config(int row)
{
    int base = row < INCREASE_WIDTH ? 64 : 96;
    int out = row < INVERT_DIMENSIONS ? base * EXPANSION : base;
    Config c = {
        .row = row,
        .stem = base,
        .depths = { 3, 3, 9, 3 },
        .widths = { out, 2 * out, 4 * out, 8 * out },
        .layer_scale = 1e-6f,
    };
    if (row < STAGE_RATIO) {
        c.depths[1] = 4;
        c.depths[2] = 6;
    }
    return c;
}

static Tensor *norm(Tensor *x, int row)
{
    return row < BN_TO_LN ? batch_norm(x) : layer_norm(x, .eps = 1e-6f);
}

static Tensor *act(Tensor *x, int row)
{
    return row < RELU_TO_GELU ? relu(x) : gelu(x);
}

/* Up to INCREASE_WIDTH: wide -> narrow -> narrow -> wide. */
static Tensor *bottleneck(Tensor *x, int row, Block b)
{
    int narrow = b.out / EXPANSION;
    x = conv2d(x, .out = narrow, .kernel = 1, .bias = false);
    x = act(norm(x, row), row);
    x = conv2d(x, .out = narrow, .kernel = 3, .stride = b.stride, .pad = 1,
               .groups = row < DEPTHWISE_CONV ? 1 : narrow, .bias = false);
    x = act(norm(x, row), row);
    x = conv2d(x, .out = b.out, .kernel = 1, .bias = false);
    return norm(x, row);
}

/* INVERT_DIMENSIONS: narrow -> wide -> wide -> narrow. */
static Tensor *inverted(Tensor *x, int row, Block b)
{
    int wide = b.out * EXPANSION;
    x = conv2d(x, .out = wide, .kernel = 1, .bias = false);
    x = act(norm(x, row), row);
    x = conv2d(x, .out = wide, .kernel = 3, .stride = b.stride, .pad = 1, .groups = wide,
               .bias = false);
    x = act(norm(x, row), row);
    x = conv2d(x, .out = b.out, .kernel = 1, .bias = false);
    return norm(x, row);
}

static int kernel(int row)
{
    if (row < KERNEL_5)
        return 3;
    return row <= KERNEL_11 ? 5 + 2 * (row - KERNEL_5) : 7;
}

/* From MOVE_UP_DEPTHWISE on: narrow -> narrow -> wide -> narrow. */
static Tensor *moved_up(Tensor *x, int row, Block b)
{
    int in = x->c, size = kernel(row);
    bool bias = row >= BN_TO_LN;
    x = conv2d(x, .out = in, .kernel = size, .stride = b.stride, .pad = size / 2, .groups = in,
               .bias = bias);
    x = norm(x, row);
    if (row < FEWER_ACTIVATIONS)
        x = act(x, row);
    x = conv2d(x, .out = b.out * EXPANSION, .kernel = 1, .bias = bias);
    if (row < FEWER_NORMS)
        x = norm(x, row);
    x = act(x, row);
    x = conv2d(x, .out = b.out, .kernel = 1, .bias = bias);
    return row < FEWER_NORMS ? norm(x, row) : x;
}

static Tensor *block(Tensor *x, int row, Block b)
{
    Tensor *res = x;

    SCOPE(x->net, "block")
        x = row < INVERT_DIMENSIONS   ? bottleneck(x, row, b)
            : row < MOVE_UP_DEPTHWISE ? inverted(x, row, b)
                                      : moved_up(x, row, b);
    if (b.stride > 1 || res->c != b.out)
        SCOPE(x->net, "shortcut") {
            res = conv2d(res, .out = b.out, .kernel = 1, .stride = b.stride, .bias = false);
            res = norm(res, row);
        }
    if (row == SEPARATE_DOWNSAMPLING)
        SCOPE(x->net, "layer_scaler")
            x = layer_scale(x, b.layer_scale);
    x = add(drop_path(x, b.drop_p, .per_sample = true), res);
    return row < FEWER_ACTIVATIONS ? act(x, row) : x;
}

static Tensor *stage(Tensor *x, int row, Stage s)
{
    if (row == SEPARATE_DOWNSAMPLING)
        SCOPE(x->net, NEXT) {
            if (s.stride == 1)
                break;
            x = norm(x, row);
            x = conv2d(x, .out = s.out, .kernel = 2, .stride = s.stride);
            s.stride = 1;
        }
    for (int i = 0; i < s.depth; i++, s.stride = 1, s.drop_p += s.drop_step)
        SCOPE(x->net, NEXT)
            x = block(x, row,
                      (Block){ .out = s.out,
                               .stride = s.stride,
                               .layer_scale = s.layer_scale,
                               .drop_p = s.drop_p });
    return x;
}

static Tensor *stem(Tensor *x, int row, int out)
{
    if (row < PATCHIFY_STEM) {
        x = conv2d(x, .out = out, .kernel = 7, .stride = 2, .pad = 3, .bias = false);
        x = act(norm(x, row), row);
        return max_pool(x, .kernel = 3, .stride = 2, .pad = 1);
    }
    x = conv2d(x, .out = out, .kernel = 4, .stride = 4);
    return row < SEPARATE_DOWNSAMPLING ? x : norm(x, row);
}

static Tensor *encoder(Tensor *x, Config c)
{
    SCOPE(x->net, "stem")
        x = stem(x, c.row, c.stem);
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
                x = stage(x, c.row, s);
            }
    return x;
}

static Tensor *head(Tensor *x, Config c)
{
    x = global_avg_pool(x);
    x = flatten(x);
    if (c.row == SEPARATE_DOWNSAMPLING)
        x = norm(x, c.row);
    return linear(x, .out = c.classes);
}

int main(int argc, char **argv)
{
    Step step = {
        .title = "The paper's roadmap, row by row",
        .trunk = NARROW,
        .published = true,
        .rows = road,
        .row_count = ROWS,
        .config = config,
        .encoder = encoder,
        .head = head,
    };
    return step_main(argc, argv, step);
}
