/* The functions do what the ops' definitions do for one image, [h,w,c] in memory, and add in the
 * same order. What sums over input channels goes through the output channels innermost: each of
 * these sums keeps its order, and the compiler computes several at once. */
#include "export/c_layers.h"

#include "base/memory.h"
#include "graph/op.h"
#include "ops/ops.h"

const char c_channels_last[] =
    "static void channels_last(const float *image, int pixels, int c, float *y)\n"
    "{\n"
    "    for (int p = 0; p < pixels; p++)\n"
    "        for (int i = 0; i < c; i++)\n"
    "            *y++ = image[(size_t)i * pixels + p];\n"
    "}\n";

/* --- convolution and pooling ----------------------------------------------------------------- */

static const char conv2d_text[] =
    "/* weight: [ky][kx][in / groups][out] */\n"
    "static void conv2d(const float *x, int h, int w, int in, const float *weight, const float "
    "*bias,\n"
    "                   int kernel, int stride, int pad, int groups, int oh, int ow, int out, "
    "float "
    "*y)\n"
    "{\n"
    "    static double sum[MOST_CHANNELS];\n"
    "    int from = in / groups, to = out / groups;\n"
    "    for (int at = 0; at < oh * ow; at++) {\n"
    "        for (int o = 0; o < out; o++)\n"
    "            sum[o] = bias ? bias[o] : 0;\n"
    "        for (int tap = 0; tap < kernel * kernel; tap++) {\n"
    "            int iy = at / ow * stride - pad + tap / kernel;\n"
    "            int ix = at % ow * stride - pad + tap % kernel;\n"
    "            if (iy < 0 || iy >= h || ix < 0 || ix >= w)\n"
    "                continue;\n"
    "            const float *pixel = x + ((size_t)iy * w + ix) * in;\n"
    "            const float *factor = weight + (size_t)tap * from * out;\n"
    "            if (from == 1 && to == 1)\n"
    "                for (int o = 0; o < out; o++)\n"
    "                    sum[o] += (double)pixel[o] * factor[o];\n"
    "            else\n"
    "                for (int g = 0; g < groups; g++)\n"
    "                    for (int i = 0; i < from; i++)\n"
    "                        for (int o = g * to; o < (g + 1) * to; o++)\n"
    "                            sum[o] += (double)pixel[g * from + i] * factor[(size_t)i * out + "
    "o];\n"
    "        }\n"
    "        for (int o = 0; o < out; o++)\n"
    "            *y++ = (float)sum[o];\n"
    "    }\n"
    "}\n";

static const char *bias_of(const Tensor *t, const CArrays *a)
{
    return t->params > 1 ? a->param[1] : "NULL";
}

static char *conv2d_call(const Tensor *t, const CArrays *a)
{
    const Tensor *x = t->in[0];
    return str_format("conv2d(%s, %d, %d, %d, %s, %s, %d, %d, %d, %d, %d, %d, %d, %s)", a->x[0],
                      x->h, x->w, x->c, a->param[0], bias_of(t, a), t->a.kernel, t->a.stride,
                      t->a.pad, t->a.groups, t->h, t->w, t->c, a->y);
}

static const char max_pool_text[] =
    "/* A NaN counts as larger than any number. */\n"
    "static void max_pool(const float *x, int h, int w, int c, int kernel, int stride, int pad, "
    "int oh,\n"
    "                     int ow, float *y)\n"
    "{\n"
    "    for (int at = 0; at < oh * ow; at++)\n"
    "        for (int i = 0; i < c; i++) {\n"
    "            const float *found = NULL;\n"
    "            for (int tap = 0; tap < kernel * kernel; tap++) {\n"
    "                int iy = at / ow * stride - pad + tap / kernel;\n"
    "                int ix = at % ow * stride - pad + tap % kernel;\n"
    "                if (iy < 0 || iy >= h || ix < 0 || ix >= w)\n"
    "                    continue;\n"
    "                const float *value = x + ((size_t)iy * w + ix) * c + i;\n"
    "                if (!found || (!(*value <= *found) && !isnan(*found)))\n"
    "                    found = value;\n"
    "            }\n"
    "            *y++ = *found;\n"
    "        }\n"
    "}\n";

static char *max_pool_call(const Tensor *t, const CArrays *a)
{
    const Tensor *x = t->in[0];
    return str_format("max_pool(%s, %d, %d, %d, %d, %d, %d, %d, %d, %s)", a->x[0], x->h, x->w, x->c,
                      t->a.kernel, t->a.stride, t->a.pad, t->h, t->w, a->y);
}

static const char global_avg_pool_text[] =
    "static void global_avg_pool(const float *x, int pixels, int c, float *y)\n"
    "{\n"
    "    for (int i = 0; i < c; i++) {\n"
    "        double sum = 0;\n"
    "        for (int p = 0; p < pixels; p++)\n"
    "            sum += x[(size_t)p * c + i];\n"
    "        y[i] = (float)(sum / pixels);\n"
    "    }\n"
    "}\n";

static char *global_avg_pool_call(const Tensor *t, const CArrays *a)
{
    return str_format("global_avg_pool(%s, %d, %d, %s)", a->x[0], t->in[0]->h * t->in[0]->w, t->c,
                      a->y);
}

/* --- norms ----------------------------------------------------------------------------------- */

static const char batch_norm_text[] =
    "static void batch_norm(const float *x, int pixels, int c, float eps, const float *weight,\n"
    "                       const float *bias, const float *mean, const float *var, float *y)\n"
    "{\n"
    "    for (int i = 0; i < c; i++) {\n"
    "        double rstd = 1 / sqrt(var[i] + (double)eps);\n"
    "        for (size_t at = i; at < (size_t)pixels * c; at += c)\n"
    "            y[at] = (float)((x[at] - (double)mean[i]) * rstd * weight[i] + bias[i]);\n"
    "    }\n"
    "}\n";

static char *batch_norm_call(const Tensor *t, const CArrays *a)
{
    return str_format("batch_norm(%s, %d, %d, %.9ef, %s, %s, %s, %s, %s)", a->x[0], t->h * t->w,
                      t->c, (double)t->a.eps, a->param[0], a->param[1], a->param[2], a->param[3],
                      a->y);
}

static const char group_norm_text[] =
    "static void group_norm(const float *x, int pixels, int c, int groups, float eps,\n"
    "                       const float *weight, const float *bias, float *y)\n"
    "{\n"
    "    for (int first = 0; first < c; first += c / groups) {\n"
    "        int end = first + c / groups;\n"
    "        double count = (double)pixels * (end - first), mean = 0, var = 0;\n"
    "        for (int p = 0; p < pixels; p++)\n"
    "            for (int i = first; i < end; i++)\n"
    "                mean += x[(size_t)p * c + i] / count;\n"
    "        for (int p = 0; p < pixels; p++)\n"
    "            for (int i = first; i < end; i++) {\n"
    "                double d = x[(size_t)p * c + i] - mean;\n"
    "                var += d * d / count;\n"
    "            }\n"
    "        double rstd = 1 / sqrt(var + (double)eps);\n"
    "        for (int p = 0; p < pixels; p++)\n"
    "            for (int i = first; i < end; i++) {\n"
    "                size_t at = (size_t)p * c + i;\n"
    "                y[at] = (float)((x[at] - mean) * rstd * weight[i] + bias[i]);\n"
    "            }\n"
    "    }\n"
    "}\n";

static char *group_norm_call(const Tensor *t, const CArrays *a)
{
    return str_format("group_norm(%s, %d, %d, %d, %.9ef, %s, %s, %s)", a->x[0], t->h * t->w, t->c,
                      t->a.groups, (double)t->a.eps, a->param[0], a->param[1], a->y);
}

static const char layer_norm_text[] =
    "static void layer_norm(const float *x, int pixels, int c, float eps, const float *weight,\n"
    "                       const float *bias, float *y)\n"
    "{\n"
    "    for (int p = 0; p < pixels; p++)\n"
    "        group_norm(x + (size_t)p * c, 1, c, 1, eps, weight, bias, y + (size_t)p * c);\n"
    "}\n";

static char *layer_norm_call(const Tensor *t, const CArrays *a)
{
    return str_format("layer_norm(%s, %d, %d, %.9ef, %s, %s, %s)", a->x[0], t->h * t->w, t->c,
                      (double)t->a.eps, a->param[0], a->param[1], a->y);
}

/* --- element-wise layers --------------------------------------------------------------------- */

static const char relu_text[] = "static void relu(const float *x, int count, float *y)\n"
                                "{\n"
                                "    for (int i = 0; i < count; i++)\n"
                                "        y[i] = x[i] < 0 ? 0 : x[i];\n"
                                "}\n";

static const char gelu_text[] = "static void gelu(const float *x, int count, float *y)\n"
                                "{\n"
                                "    for (int i = 0; i < count; i++)\n"
                                "        y[i] = (float)(x[i] * erfc(-x[i] / sqrt(2)) / 2);\n"
                                "}\n";

static char *activation_call(const Tensor *t, const CArrays *a)
{
    return str_format("%s(%s, %d, %s)", t->op->name, a->x[0], t->h * t->w * t->c, a->y);
}

static const char add_text[] =
    "static void add(const float *a, const float *b, int count, float *y)\n"
    "{\n"
    "    for (int i = 0; i < count; i++)\n"
    "        y[i] = a[i] + b[i];\n"
    "}\n";

static char *add_call(const Tensor *t, const CArrays *a)
{
    return str_format("add(%s, %s, %d, %s)", a->x[0], a->x[1], t->h * t->w * t->c, a->y);
}

static const char layer_scale_text[] =
    "static void layer_scale(const float *x, int pixels, int c, const float *gamma, float *y)\n"
    "{\n"
    "    for (int p = 0; p < pixels; p++)\n"
    "        for (int i = 0; i < c; i++)\n"
    "            y[(size_t)p * c + i] = x[(size_t)p * c + i] * gamma[i];\n"
    "}\n";

static char *layer_scale_call(const Tensor *t, const CArrays *a)
{
    return str_format("layer_scale(%s, %d, %d, %s, %s)", a->x[0], t->h * t->w, t->c, a->param[0],
                      a->y);
}

/* --- table ----------------------------------------------------------------------------------- */

/* A linear layer is a 1x1 convolution of a 1x1 image; flatten, and drop path outside training,
 * compute nothing (op->is_view). */
const CLayer c_layers[] = {
    { &conv2d_op, conv2d_text, NULL, conv2d_call, false },
    { &linear_op, conv2d_text, NULL, conv2d_call, false },
    { &max_pool_op, max_pool_text, NULL, max_pool_call, false },
    { &global_avg_pool_op, global_avg_pool_text, NULL, global_avg_pool_call, false },
    { &batch_norm_op, batch_norm_text, NULL, batch_norm_call, true },
    { &group_norm_op, group_norm_text, NULL, group_norm_call, true },
    { &layer_norm_op, layer_norm_text, group_norm_text, layer_norm_call, true },
    { &relu_op, relu_text, NULL, activation_call, true },
    { &gelu_op, gelu_text, NULL, activation_call, true },
    { &add_op, add_text, NULL, add_call, true },
    { &layer_scale_op, layer_scale_text, NULL, layer_scale_call, true },
};
const int c_layer_count = sizeof c_layers / sizeof *c_layers;

const CLayer *c_layer(const Op *op)
{
    for (int i = 0; i < c_layer_count; i++)
        if (c_layers[i].op == op)
            return &c_layers[i];
    return NULL;
}
