/* PyTorch's functions and modules: https://docs.pytorch.org/docs/stable/nn.html. */
#include "export/pytorch_ops.h"

#include "base/memory.h"
#include "ops/ops.h"

#include <stdlib.h>
#include <string.h>

enum { SHAPE_COLUMN = 88 };

/* --- text ------------------------------------------------------------------------------------ */

void pytorch_put_string(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 127)
            fprintf(out, "\\x%02x", *c);
        else
            fprintf(out, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    putc('"', out);
}

void pytorch_put_shape(FILE *out, long start, const Tensor *t)
{
    char shape[SHAPE_TEXT];
    long used = ftell(out) - start;
    fprintf(out, "%*s  # %s\n", used < SHAPE_COLUMN ? (int)(SHAPE_COLUMN - used) : 0, "",
            tensor_shape_text(t, shape));
}

void pytorch_put_float(FILE *out, float value)
{
    char *text = str_float(value);
    fputs(text, out);
    free(text);
}

/* Writes ", name=value" where the value is not PyTorch's own. */
static void put_int(FILE *out, const char *name, int value, int usual)
{
    if (value != usual)
        fprintf(out, ", %s=%d", name, value);
}

static void put_eps(FILE *out, const Tensor *t)
{
    if (t->a.eps != 1e-5f) {
        fputs(", eps=", out);
        pytorch_put_float(out, t->a.eps);
    }
}

static void put_bias(FILE *out, const Tensor *t)
{
    fputs(t->params > 1 ? ")" : ", bias=False)", out);
}

/* --- layers ---------------------------------------------------------------------------------- */

/* Writes "function(x, p, "layer"". */
static void put_call(FILE *out, const char *function, const Tensor *t, const char *x)
{
    fprintf(out, "%s(%s, p, ", function, x);
    pytorch_put_string(out, t->name);
}

/* Tests for a 1x1 convolution whose weight is a linear layer's, [out,in]. */
static bool is_pointwise(const Tensor *t)
{
    return net_param(t->net, t->first_param)->rank == 2;
}

static void put_window(FILE *out, const Tensor *t)
{
    put_int(out, "stride", t->a.stride, 1);
    put_int(out, "padding", t->a.pad, 0);
    put_int(out, "groups", t->a.groups, 1);
}

static void conv2d_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    put_call(out, is_pointwise(t) ? "pointwise" : "conv2d", t, x);
    put_window(out, t);
    put_bias(out, t);
}

static void conv2d_module(FILE *out, const Tensor *t)
{
    fprintf(out, is_pointwise(t) ? "Pointwise(%d, %d" : "nn.Conv2d(%d, %d", t->in[0]->c, t->c);
    if (!is_pointwise(t))
        fprintf(out, ", %d", t->a.kernel);
    put_window(out, t);
    put_bias(out, t);
}

static void linear_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    put_call(out, "linear", t, x);
    put_bias(out, t);
}

static void linear_module(FILE *out, const Tensor *t)
{
    fprintf(out, "nn.Linear(%d, %d", t->in[0]->c, t->c);
    put_bias(out, t);
}

static void max_pool_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    fprintf(out, "F.max_pool2d(%s, %d, stride=%d", x, t->a.kernel, t->a.stride);
    put_int(out, "padding", t->a.pad, 0);
    putc(')', out);
}

static void max_pool_module(FILE *out, const Tensor *t)
{
    fprintf(out, "nn.MaxPool2d(%d, stride=%d", t->a.kernel, t->a.stride);
    put_int(out, "padding", t->a.pad, 0);
    putc(')', out);
}

static void batch_norm_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    put_call(out, "batch_norm", t, x);
    fputs(", training", out);
    put_eps(out, t);
    putc(')', out);
}

static void batch_norm_module(FILE *out, const Tensor *t)
{
    fprintf(out, "nn.BatchNorm%dd(%d", t->flat ? 1 : 2, t->c);
    put_eps(out, t);
    putc(')', out);
}

static void group_norm_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    put_call(out, "group_norm", t, x);
    fprintf(out, ", groups=%d", t->a.groups);
    put_eps(out, t);
    putc(')', out);
}

static void group_norm_module(FILE *out, const Tensor *t)
{
    fprintf(out, "nn.GroupNorm(%d, %d", t->a.groups, t->c);
    put_eps(out, t);
    putc(')', out);
}

static void layer_norm_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    put_call(out, "layer_norm", t, x);
    put_eps(out, t);
    putc(')', out);
}

static void layer_norm_module(FILE *out, const Tensor *t)
{
    fprintf(out, "%s(%d", t->flat ? "nn.LayerNorm" : "LayerNorm2d", t->c);
    put_eps(out, t);
    putc(')', out);
}

static void layer_scale_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    fprintf(out, "%s * p[", x);
    pytorch_put_string(out, net_param(t->net, t->first_param)->key);
    fputs(t->flat ? "]" : "][:, None, None]", out);
}

static void layer_scale_module(FILE *out, const Tensor *t)
{
    fprintf(out, "LayerScale(%d, ", t->c);
    pytorch_put_float(out, t->a.init);
    putc(')', out);
}

static void put_drop_path(FILE *out, const char *before, const Tensor *t, const char *after)
{
    fputs(before, out);
    pytorch_put_float(out, t->a.p);
    fprintf(out, "%s%s)", t->a.per_sample ? ", per_sample=True" : "", after);
}

static void drop_path_call(FILE *out, const Tensor *t, const char *x, const char *y)
{
    (void)y;
    fprintf(out, "drop_path(%s, ", x);
    put_drop_path(out, "", t, ", training=training and drop");
}

static void drop_path_module(FILE *out, const Tensor *t)
{
    put_drop_path(out, "DropPath(", t, "");
}

#define CALL(name, format, ...)                                                                    \
    static void name##_call(FILE *out, const Tensor *t, const char *x, const char *y)              \
    {                                                                                              \
        (void)t;                                                                                   \
        (void)y;                                                                                   \
        fprintf(out, format, __VA_ARGS__);                                                         \
    }
CALL(global_avg_pool, "F.adaptive_avg_pool2d(%s, 1)", x)
CALL(flatten, "%s.flatten(1)", x)
CALL(relu, "F.relu(%s)", x)
CALL(gelu, "F.gelu(%s)", x)
CALL(add, "%s + %s", x, y)

#define MODULE(name, text)                                                                         \
    static void name##_module(FILE *out, const Tensor *t)                                          \
    {                                                                                              \
        (void)t;                                                                                   \
        fputs(text, out);                                                                          \
    }
MODULE(global_avg_pool, "nn.AdaptiveAvgPool2d(1)")
MODULE(flatten, "nn.Flatten(1)")
MODULE(relu, "nn.ReLU()")
MODULE(gelu, "nn.GELU()")

static const PytorchOp ops[] = {
    { &conv2d_op, conv2d_call, conv2d_module, false },
    { &max_pool_op, max_pool_call, max_pool_module, true },
    { &global_avg_pool_op, global_avg_pool_call, global_avg_pool_module, true },
    { &flatten_op, flatten_call, flatten_module, true },
    { &linear_op, linear_call, linear_module, false },
    { &batch_norm_op, batch_norm_call, batch_norm_module, false },
    { &group_norm_op, group_norm_call, group_norm_module, false },
    { &layer_norm_op, layer_norm_call, layer_norm_module, false },
    { &relu_op, relu_call, relu_module, true },
    { &gelu_op, gelu_call, gelu_module, true },
    { &add_op, add_call, NULL, true },
    { &layer_scale_op, layer_scale_call, layer_scale_module, false },
    { &drop_path_op, drop_path_call, drop_path_module, false },
};

const PytorchOp *pytorch_op(const Tensor *t, Error *error)
{
    bool images = t->op == &conv2d_op || t->op == &max_pool_op || t->op == &global_avg_pool_op;
    bool mixed = t->in[1] && t->in[0]->flat != t->in[1]->flat;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (ops[i].op != t->op)
            continue;
        if (!mixed && !(images && t->in[0]->flat))
            return &ops[i];
        error_set(error, t->name, "%s of %s has no counterpart in PyTorch", t->op->name,
                  mixed ? "an image and a vector" : "a vector");
        return NULL;
    }
    error_set(error, t->name, "%s has no counterpart in PyTorch that this program knows of",
              t->op->name);
    return NULL;
}

/* --- functions and classes of our own -------------------------------------------------------- */

static const struct {
    const char *name, *code;
} helpers[] = {
    { "conv2d", "def conv2d(x, p, layer, bias=True, **window):\n"
                "    b = p[layer + \".bias\"] if bias else None\n"
                "    return F.conv2d(x, p[layer + \".weight\"], b, **window)\n" },
    { "pointwise", "def pointwise(x, p, layer, bias=True, **window):  # a 1x1 convolution, its "
                   "weight [out, in]\n"
                   "    b = p[layer + \".bias\"] if bias else None\n"
                   "    return F.conv2d(x, p[layer + \".weight\"][:, :, None, None], b, "
                   "**window)\n" },
    { "linear", "def linear(x, p, layer, bias=True):\n"
                "    return F.linear(x, p[layer + \".weight\"], p[layer + \".bias\"] if bias else "
                "None)\n" },
    { "batch_norm", "def batch_norm(x, p, layer, training, eps=1e-5):\n"
                    "    names = \"running_mean\", \"running_var\", \"weight\", \"bias\"\n"
                    "    return F.batch_norm(x, *[p[layer + \".\" + n] for n in names], training, "
                    "0.1, eps)\n" },
    { "group_norm", "def group_norm(x, p, layer, groups, eps=1e-5):\n"
                    "    return F.group_norm(x, groups, p[layer + \".weight\"], p[layer + "
                    "\".bias\"], eps)\n" },
    { "layer_norm", "def layer_norm(x, p, layer, eps=1e-5):  # over the channels of each pixel\n"
                    "    x = x.movedim(1, -1)\n"
                    "    x = F.layer_norm(x, x.shape[-1:], p[layer + \".weight\"], p[layer + "
                    "\".bias\"], eps)\n"
                    "    return x.movedim(-1, 1)\n" },
    { "drop_path", "def drop_path(x, p, per_sample=False, training=False):\n"
                   "    if not training or p == 0:\n"
                   "        return x\n"
                   "    if p == 1:\n"
                   "        return x * 0\n"
                   "    factors = x.new_empty(x.shape[0] if per_sample else 1, *[1] * (x.dim() - "
                   "1))\n"
                   "    return x * factors.bernoulli_(1 - p) / (1 - p)\n" },
    { "Parts", "class Parts(nn.Module):  # modules and parameters by name\n"
               "    def __init__(self, **parts):\n"
               "        super().__init__()\n"
               "        for name, part in parts.items():\n"
               "            if hasattr(self, name):\n"
               "                raise NameError(f\"nn.Module has a '{name}' of its own\")\n"
               "            setattr(self, name, part)\n" },
    { "LayerNorm2d", "class LayerNorm2d(nn.LayerNorm):  # over the channels of each pixel\n"
                     "    def forward(self, x):\n"
                     "        return super().forward(x.movedim(1, -1)).movedim(-1, 1)\n" },
    { "Pointwise", "class Pointwise(nn.Linear):  # a 1x1 convolution, its weight [out, in]\n"
                   "    def forward(self, x):\n"
                   "        return F.conv2d(x, self.weight[:, :, None, None], self.bias)\n" },
    { "LayerScale", "class LayerScale(nn.Module):\n"
                    "    def __init__(self, channels, value):\n"
                    "        super().__init__()\n"
                    "        self.gamma = nn.Parameter(torch.full((channels,), float(value)))\n"
                    "\n"
                    "    def forward(self, x):\n"
                    "        return x * self.gamma.reshape(-1, *[1] * (x.dim() - 2))\n" },
    { "DropPath", "class DropPath(nn.Module):\n"
                  "    def __init__(self, p, per_sample=False):\n"
                  "        super().__init__()\n"
                  "        self.p, self.per_sample = p, per_sample\n"
                  "\n"
                  "    def forward(self, x):\n"
                  "        if not self.training or self.p == 0:\n"
                  "            return x\n"
                  "        if self.p == 1:\n"
                  "            return x * 0\n"
                  "        factors = x.new_empty(x.shape[0] if self.per_sample else 1, *[1] * "
                  "(x.dim() - 1))\n"
                  "        return x * factors.bernoulli_(1 - self.p) / (1 - self.p)\n" },
};
enum { HELPERS = sizeof helpers / sizeof *helpers };

bool pytorch_is_helper(const char *name)
{
    for (int i = 0; i < HELPERS; i++)
        if (strcmp(helpers[i].name, name) == 0)
            return true;
    return false;
}

void pytorch_put_helpers(FILE *out, const char *code)
{
    for (int i = 0; i < HELPERS; i++) {
        char *called = str_format(" %s(", helpers[i].name);
        char *derived = str_format("(%s)", helpers[i].name);
        char *named = str_format("=%s(", helpers[i].name);
        if (strstr(code, called) || strstr(code, derived) || strstr(code, named))
            fprintf(out, "\n\n%s", helpers[i].code);
        free(called);
        free(derived);
        free(named);
    }
}

/* --- functions ------------------------------------------------------------------------------- */

typedef struct {
    int *last;  /* by tensor: the last line that reads it */
    int *name;  /* by tensor: the number of its name */
    bool *busy; /* by name */
} Names;

static void name_text(int i, char text[16])
{
    if (i < 3)
        snprintf(text, 16, "%c", "xyz"[i]);
    else
        snprintf(text, 16, "t%d", i);
}

static int first_free(const Names *n)
{
    int i = 0;
    while (n->busy[i])
        i++;
    return i;
}

static void put_line(FILE *out, const PytorchLine *line, int number, Names *n,
                     const PytorchStyle *style)
{
    char in[2][16] = { "", "" }, to[16];
    for (int k = 0; k < 2 && line->in[k]; k++) {
        int read = line->in[k]->index;
        name_text(n->name[read], in[k]);
        if (n->last[read] == number)
            n->busy[n->name[read]] = false;
    }
    int made = line->out->index;
    n->name[made] = first_free(n);
    n->busy[n->name[made]] = n->last[made] > number;
    name_text(n->name[made], to);
    long start = ftell(out);
    fprintf(out, "%s%s = ", style->indent, to);
    style->call(out, line, in[0], in[1]);
    if (style->shapes)
        pytorch_put_shape(out, start, line->out);
    else
        putc('\n', out);
}

void pytorch_put_lines(FILE *out, const PytorchLine *lines, int count, const Tensor *input,
                       const PytorchStyle *style)
{
    size_t tensors = (size_t)net_tensors(input->net);
    Names n = { mem_alloc(tensors, sizeof *n.last), mem_alloc(tensors, sizeof *n.name),
                mem_alloc((size_t)count + 2, sizeof *n.busy) };
    for (int i = 0; i < count; i++)
        for (int k = 0; k < 2 && lines[i].in[k]; k++)
            n.last[lines[i].in[k]->index] = i;
    const Tensor *output = count ? lines[count - 1].out : input;
    n.last[output->index] = count;
    n.busy[0] = true;
    for (int i = 0; i < count; i++)
        put_line(out, &lines[i], i, &n, style);
    char name[16];
    name_text(n.name[output->index], name);
    fprintf(out, "%sreturn %s\n", style->indent, name);
    free(n.last);
    free(n.name);
    free(n.busy);
}
