/* The layers that describe a network; they read like PyTorch's modules. Keyword arguments are
 * designated initialisers: conv2d(x, .out = 64, .kernel = 3, .pad = 1).
 *
 * Each is a macro, so that errors name the file and line of the call. Each returns the new tensor;
 * an invalid call (no .out, groups that do not divide the channels, shapes that do not match) ends
 * the program with exit status 2. Each op's file begins with its definition, in plain loops. */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include "graph/net.h"
#include "graph/act.h"

/* Defaults come first and the caller's keywords override them, which is what this warning
 * reports. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define HERE_ CALL_(NULL, NULL)
/* The source position with the call itself: its name and the text of its arguments. */
#define CALL_(name, text) ((Site){ __FILE__, __LINE__, __func__, (name), (text) })

/* --- convolution and pooling ----------------------------------------------------------------- */

typedef struct {
    Site at;
    int out, kernel, stride, pad, groups;
    bool bias;
} Conv2d;

#define CONV2D_DEFAULTS_(site) .at = site, .stride = 1, .groups = 1, .bias = true

/* nn.Conv2d. x: [N,C,H,W] -> [N,out,(H + 2·pad - kernel)/stride + 1,…]. */
#define conv2d(x, ...)                                                                             \
    conv2d_((x), (Conv2d){ CONV2D_DEFAULTS_(CALL_("conv2d", #__VA_ARGS__)), __VA_ARGS__ })
Tensor *conv2d_(Tensor *x, Conv2d p);

typedef struct {
    Site at;
    int out, kernel, stride, groups;
    bool bias;
    Act act;
} ConvNormAct;

/* The article's ConvNormAct: conv2d with pad = kernel / 2, batch_norm, activation (.act, by default
 * ReLU), in an nn.Sequential of their own. */
#define conv_norm_act(x, ...)                                                                      \
    conv_norm_act_((x), (ConvNormAct){ CONV2D_DEFAULTS_(CALL_("conv_norm_act", #__VA_ARGS__)),     \
                                       .act = RELU, __VA_ARGS__ })
Tensor *conv_norm_act_(Tensor *x, ConvNormAct p);

typedef struct {
    Site at;
    int kernel, stride, pad;
} MaxPool;

/* nn.MaxPool2d. x: [N,C,H,W] -> [N,C,(H + 2·pad - kernel)/stride + 1,…]. */
#define max_pool(x, ...)                                                                           \
    max_pool_((x), (MaxPool){ .at = CALL_("max_pool", #__VA_ARGS__), .stride = 1, __VA_ARGS__ })
Tensor *max_pool_(Tensor *x, MaxPool p);

/* nn.AdaptiveAvgPool2d((1, 1)): [N,C,H,W] -> [N,C,1,1]; nn.Flatten(1): [N,C,1,1] -> [N,C]. */
#define global_avg_pool(x) global_avg_pool_((x), CALL_("global_avg_pool", ""))
#define flatten(x) flatten_((x), CALL_("flatten", ""))
Tensor *global_avg_pool_(Tensor *x, Site at);
Tensor *flatten_(Tensor *x, Site at);

typedef struct {
    Site at;
    int out;
    bool bias;
} Linear;

/* nn.Linear. x: [N,C] -> [N,out]. */
#define linear(x, ...)                                                                             \
    linear_((x), (Linear){ .at = CALL_("linear", #__VA_ARGS__), .bias = true, __VA_ARGS__ })
Tensor *linear_(Tensor *x, Linear p);

/* --- norms: keep the shape ------------------------------------------------------------------- */

typedef struct {
    Site at;
    float eps;
} Norm;

#define NORM_AT_(site, ...)                                                                        \
    (Norm)                                                                                         \
    {                                                                                              \
        .at = site, .eps = 1e-5f, __VA_ARGS__                                                      \
    }
#define NORM_(...) NORM_AT_(HERE_, __VA_ARGS__)

/* nn.BatchNorm2d: per channel over N, H, W, with running statistics (momentum 0.1). */
#define batch_norm(x, ...)                                                                         \
    batch_norm_((x), NORM_AT_(CALL_("batch_norm", #__VA_ARGS__), __VA_ARGS__))
/* nn.GroupNorm: per sample and group of channels, over the group's C, H, W. */
#define group_norm(x, groups, ...)                                                                 \
    group_norm_((x), (groups), NORM_AT_(CALL_("group_norm", #groups), __VA_ARGS__))
/* nn.LayerNorm over the channels of each pixel, or of a vector. */
#define layer_norm(x, ...)                                                                         \
    layer_norm_((x), NORM_AT_(CALL_("layer_norm", #__VA_ARGS__), __VA_ARGS__))
Tensor *batch_norm_(Tensor *x, Norm p);
Tensor *group_norm_(Tensor *x, int groups, Norm p);
Tensor *layer_norm_(Tensor *x, Norm p);

/* --- element-wise layers: keep the shape ----------------------------------------------------- */

#define relu(x) relu_((x), CALL_("relu", ""))
#define gelu(x) gelu_((x), CALL_("gelu", "")) /* x·Φ(x), exact */
Tensor *relu_(Tensor *x, Site at);
Tensor *gelu_(Tensor *x, Site at);

#define add(a, b) add_((a), (b), CALL_("add", ""))
Tensor *add_(Tensor *a, Tensor *b, Site at);

/* The article's LayerScaler: x·gamma per channel, with gamma initialised to `init`. Named after its
 * scope. */
#define layer_scale(x, init) layer_scale_((x), (init), CALL_("layer_scale", #init))
Tensor *layer_scale_(Tensor *x, float init, Site at);

/* torchvision's StochasticDepth in training: with probability p the whole batch's path becomes 0,
 * else it is divided by 1 - p. .per_sample = true: drawn for each sample separately. */
typedef struct {
    Site at;
    float p;
    bool per_sample;
} DropPath;
#define drop_path(x, ...)                                                                          \
    drop_path_((x), (DropPath){ .at = CALL_("drop_path", #__VA_ARGS__), .p = __VA_ARGS__ })
Tensor *drop_path_(Tensor *x, DropPath p);

/* --- for engines and training ---------------------------------------------------------------- */

extern const Op conv2d_op, max_pool_op, global_avg_pool_op, flatten_op, linear_op, batch_norm_op,
    group_norm_op, layer_norm_op, relu_op, gelu_op, add_op, layer_scale_op, drop_path_op;

/* Two labels per sample with the weight of the first (mixup, cutmix), or one label: b and lambda
 * NULL. */
typedef struct {
    const int *a, *b;
    const float *lambda;
} Targets;

/* nn.CrossEntropyLoss(label_smoothing), mean over n samples. logits: [n,classes]; dlogits (NULL or
 * the same shape): the loss's gradient. Targets are q = (1 - smoothing)·(λ·onehot(a) +
 * (1-λ)·onehot(b)) + smoothing / classes; the loss is -Σ q·log softmax(logits), in float64. */
double cross_entropy_loss(const float *logits, int n, int classes, Targets targets,
                          double smoothing, float *dlogits);

#endif
