/* Convolution. Four ways to the same sum:
 *   1x1, stride 1         the picture's pixels are a matrix already: one product
 *   few channels a group  kernels/depthwise.h
 *   3x3 with a packed weight, as inference has it  kernels/winograd.h
 *   everything else       a product with the matrix of the picture's patches, one a group */
#include "base/memory.h"
#include "base/parallel.h"
#include "graph/op.h"
#include "kernels/depthwise.h"
#include "kernels/gemm.h"
#include "kernels/pointwise.h"
#include "kernels/winograd.h"
#include "ops/conv2d.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEW_CHANNELS = 16 };

/* --- shape ----------------------------------------------------------------------------------- */

static int window_count(int size, Conv2d p)
{
    return (size + 2 * p.pad - p.kernel) / p.stride + 1;
}

/* What would help where the input is smaller than the kernel. */
static _Noreturn void too_small(const Tensor *x, Conv2d p)
{
    char cure[64];
    if (p.kernel % 2 && p.stride == 1)
        snprintf(cure, sizeof cure, ".pad = %d would keep %dx%d", p.kernel / 2, x->h, x->w);
    else if (!x->op)
        snprintf(cure, sizeof cure, "an image has to be %dx%d at least", p.kernel - 2 * p.pad,
                 p.kernel - 2 * p.pad);
    else
        snprintf(cure, sizeof cure, "the image has to be larger");
    net_error(p.at, "conv2d: the input %dx%dx%d is too small for a kernel of %d with pad %d; %s",
              x->c, x->h, x->w, p.kernel, p.pad, cure);
}

static void check(const Tensor *x, Conv2d p)
{
    if (p.out < 1)
        net_error(p.at, "conv2d: .out is missing or less than 1 (%d)", p.out);
    if (p.kernel == 0)
        net_error(p.at, "conv2d: .kernel is missing");
    if (p.kernel < 1 || p.stride < 1 || p.pad < 0)
        net_error(p.at, "conv2d: .kernel = %d, .stride = %d, .pad = %d make no convolution",
                  p.kernel, p.stride, p.pad);
    if (p.groups < 1 || x->c % p.groups || p.out % p.groups)
        net_error(p.at, "conv2d: %d groups do not divide %d channels in and %d out%s", p.groups,
                  x->c, p.out,
                  p.groups > 1 && p.out % x->c == 0 ? "; .groups = x->c is one a channel" : "");
    if (x->h + 2 * p.pad < p.kernel || x->w + 2 * p.pad < p.kernel)
        too_small(x, p);
}

static bool few_channels(int channels, int groups)
{
    return groups > 1 && channels / groups <= FEW_CHANNELS;
}

Tensor *conv2d_(Tensor *x, Conv2d p)
{
    check(x, p);
    Attributes a = { .kernel = p.kernel, .stride = p.stride, .pad = p.pad, .groups = p.groups };
    Tensor *y = net_layer(&conv2d_op, x, NULL, p.at, NAME_INDEX, a, p.out, window_count(x->h, p),
                          window_count(x->w, p));
    int in = x->c / p.groups, fan_in = in * p.kernel * p.kernel;
    /* PyTorch's default: kaiming_uniform with a = √5 is uniform within ±1/√fan_in, the bias too. */
    Init init = { INIT_UNIFORM, 1 / sqrtf((float)fan_in) };
    net_add_param(y, "weight", (int[4]){ p.out, in, p.kernel, p.kernel },
                  few_channels(x->c, p.groups) ? LAYOUT_HWIO : LAYOUT_OHWI, init, true);
    if (p.bias)
        net_add_param(y, "bias", (int[4]){ p.out }, LAYOUT_PLAIN, init, true);
    net_add_macs(y, (uint64_t)fan_in);
    return y;
}

/* --- definition ------------------------------------------------------------------------------ */

/* Where the weight of output channel o, tap (ky, kx) and the group's input channel i lies. */
static size_t weight_at(const Tensor *t, int o, int ky, int kx, int i)
{
    int k = t->a.kernel, in = t->in[0]->c / t->a.groups;
    if (few_channels(t->in[0]->c, t->a.groups))
        return ((size_t)(ky * k + kx) * in + i) * t->c + o;
    return (((size_t)o * k + ky) * k + kx) * in + i;
}

/* One output: y[n,oy,ox,o] = bias[o] + Σ over ky, kx, i of x[n, oy·stride - pad + ky,
 * ox·stride - pad + kx, group·in + i]·weight[o,ky,kx,i]; x is 0 outside the picture. */
static float one_output(const Tensor *t, const Call *c, int n, int oy, int ox, int o)
{
    const Tensor *x = t->in[0];
    int in = x->c / t->a.groups, group = o / (t->c / t->a.groups);
    double sum = t->params > 1 ? c->param[1][o] : 0;
    for (int ky = 0; ky < t->a.kernel; ky++)
        for (int kx = 0; kx < t->a.kernel; kx++) {
            int iy = oy * t->a.stride - t->a.pad + ky, ix = ox * t->a.stride - t->a.pad + kx;
            if (iy < 0 || iy >= x->h || ix < 0 || ix >= x->w)
                continue;
            const float *pixel = c->x[0] + (((size_t)n * x->h + iy) * x->w + ix) * x->c;
            for (int i = 0; i < in; i++)
                sum += (double)pixel[group * in + i] * c->param[0][weight_at(t, o, ky, kx, i)];
        }
    return (float)sum;
}

static void define(const Tensor *t, const Call *c)
{
    float *y = c->y;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int o = 0; o < t->c; o++)
                    *y++ = one_output(t, c, n, oy, ox, o);
}

/* The same sum read backwards. In each of its products x·weight, x moves y by weight and weight
 * moves y by x: dx gets dy·weight, dweight dy·x, and dbias dy itself. A pixel's gradient so comes
 * from every output that reads it, a weight's from every place where it is used. */
static void derive_output(const Tensor *t, const Call *c, int n, int oy, int ox, int o, float dy)
{
    const Tensor *x = t->in[0];
    int in = x->c / t->a.groups, group = o / (t->c / t->a.groups);
    if (t->params > 1)
        c->grad[1][o] += dy;
    for (int ky = 0; ky < t->a.kernel; ky++)
        for (int kx = 0; kx < t->a.kernel; kx++) {
            int iy = oy * t->a.stride - t->a.pad + ky, ix = ox * t->a.stride - t->a.pad + kx;
            if (iy < 0 || iy >= x->h || ix < 0 || ix >= x->w)
                continue;
            size_t pixel = (((size_t)n * x->h + iy) * x->w + ix) * x->c + group * in;
            for (int i = 0; i < in; i++) {
                size_t weight = weight_at(t, o, ky, kx, i);
                c->dx[0][pixel + i] += dy * c->param[0][weight];
                c->grad[0][weight] += dy * c->x[0][pixel + i];
            }
        }
}

static void derive(const Tensor *t, const Call *c)
{
    const float *dy = c->dy;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int o = 0; o < t->c; o++)
                    derive_output(t, c, n, oy, ox, o, *dy++);
}

/* --- what the kernels see -------------------------------------------------------------------- */

static Grouped grouped_of(const Tensor *t)
{
    const Tensor *x = t->in[0];
    return (Grouped){ .n = x->n,
                      .h = x->h,
                      .w = x->w,
                      .groups = t->a.groups,
                      .group_in = x->c / t->a.groups,
                      .group_out = t->c / t->a.groups,
                      .kernel = t->a.kernel,
                      .stride = t->a.stride,
                      .pad = t->a.pad,
                      .out_h = t->h,
                      .out_w = t->w };
}

static bool is_grouped(const Tensor *t)
{
    return few_channels(t->in[0]->c, t->a.groups);
}

static bool is_pointwise(const Tensor *t)
{
    return t->a.kernel == 1 && t->a.stride == 1 && t->a.pad == 0;
}

static bool is_matrix(const Tensor *t)
{
    return is_pointwise(t) && !is_grouped(t);
}

size_t conv2d_row(const Tensor *writer, const Tensor *reader)
{
    return is_matrix(writer) && is_matrix(reader) ? gemm_row(writer->c) : 0;
}

/* Sizes of the product of one group: [rows, depth] · [depth, out] -> [rows, out]. */
static int group_out(const Tensor *t)
{
    return t->c / t->a.groups;
}

static int group_in(const Tensor *t)
{
    return t->in[0]->c / t->a.groups;
}

static int depth(const Tensor *t)
{
    return group_in(t) * t->a.kernel * t->a.kernel;
}

/* The input's patches for group g, or its pixels where these are the same. */
static Matrix input_matrix(const Tensor *t, const float *x, int g, Patches *patches)
{
    const Tensor *in = t->in[0];
    x += (size_t)g * group_in(t);
    if (is_pointwise(t))
        return (Matrix){ .data = x, .row = (size_t)in->c, .col = 1 };
    *patches = (Patches){ .x = x,
                          .n = in->n,
                          .h = in->h,
                          .w = in->w,
                          .channels = group_in(t),
                          .pixel = (size_t)in->c,
                          .kernel = t->a.kernel,
                          .stride = t->a.stride,
                          .pad = t->a.pad,
                          .out_h = t->h,
                          .out_w = t->w };
    return (Matrix){ .patches = patches };
}

static Winograd winograd_of(const Tensor *t)
{
    const Tensor *x = t->in[0];
    return (Winograd){ .n = x->n,
                       .h = x->h,
                       .w = x->w,
                       .in = x->c,
                       .out = t->c,
                       .pad = t->a.pad,
                       .out_h = t->h,
                       .out_w = t->w };
}

static bool is_winograd(const Tensor *t)
{
    Winograd w = winograd_of(t);
    return t->a.kernel == 3 && t->a.stride == 1 && t->a.groups == 1 && winograd_fits(&w);
}

/* Group g's weight [out, depth] as the right factor of the forward product: [depth, out]. */
static Matrix weight_matrix(const Tensor *t, const float *weight, int g)
{
    size_t k = (size_t)depth(t);
    return (Matrix){ .data = weight + (size_t)g * group_out(t) * k, .row = 1, .col = k };
}

/* --- forward --------------------------------------------------------------------------------- */

static size_t packed_group(const Tensor *t)
{
    return gemm_packed(depth(t), group_out(t));
}

size_t conv2d_packed(const Tensor *t)
{
    if (is_grouped(t)) {
        Grouped g = grouped_of(t);
        return grouped_packed(&g);
    }
    if (is_winograd(t)) {
        Winograd w = winograd_of(t);
        return winograd_packed(&w);
    }
    return size_mul((size_t)t->a.groups, packed_group(t));
}

void conv2d_pack(const Tensor *t, const float *weight, float *packed)
{
    if (is_grouped(t)) {
        Grouped g = grouped_of(t);
        grouped_pack(&g, weight, packed);
        return;
    }
    if (is_winograd(t)) {
        Winograd w = winograd_of(t);
        winograd_pack(&w, weight, packed);
        return;
    }
    for (int g = 0; g < t->a.groups; g++)
        gemm_pack(weight_matrix(t, weight, g), depth(t), group_out(t),
                  packed + (size_t)g * packed_group(t));
}

void conv2d_forward(const Tensor *t, const Call *c)
{
    const float *bias = c->packed ? c->bias : t->params > 1 ? c->param[1] : NULL;
    if (is_grouped(t)) {
        Grouped g = grouped_of(t);
        grouped_forward(&g, c->x[0], c->param[0], c->packed, bias, c->residual, c->act, c->y,
                        c->work);
        return;
    }
    if (c->packed && is_winograd(t)) {
        Winograd w = winograd_of(t);
        winograd_forward(&w, c->x[0], c->packed, bias, c->residual, c->act, c->y, c->work);
        return;
    }
    for (int g = 0; g < t->a.groups; g++) {
        Patches patches;
        size_t first = (size_t)g * group_out(t);
        Matrix a = input_matrix(t, c->x[0], g, &patches);
        if (c->x_row)
            a.row = c->x_row;
        gemm_run(&(Gemm){ .m = (int)tensor_rows(t),
                          .n = group_out(t),
                          .k = depth(t),
                          .a = a,
                          .b = c->packed ? (Matrix){ 0 } : weight_matrix(t, c->param[0], g),
                          .packed_b = c->packed ? c->packed + (size_t)g * packed_group(t) : NULL,
                          .whole_b = c->packed ? NULL : c->work + gemm_work(),
                          .c = c->y + first,
                          .c_row = c->y_row ? c->y_row : (size_t)t->c,
                          .bias = bias ? bias + first : NULL,
                          .residual = c->residual ? c->residual + first : NULL,
                          .act = c->act,
                          .work = c->work });
    }
}

/* --- backward -------------------------------------------------------------------------------- */

/* The gradient of a weight is a sum over all pixels. Where the weight is small and the pixels are
 * many, the pictures are cut into pieces that are summed side by side, then added in order: how
 * many follows from the shapes alone, so the bits do not depend on the threads. */
enum { MOST_PIECES = 8, ROWS_A_PIECE = 1024, SMALL_WEIGHT = 1 << 18, ADDED_AT_ONCE = 1 << 12 };

static int weight_pieces(const Tensor *t)
{
    size_t pieces = tensor_rows(t) / ROWS_A_PIECE;
    pieces = pieces < (size_t)t->n ? pieces : (size_t)t->n;
    if (pieces < 2 || net_param(t->net, t->first_param)->count > SMALL_WEIGHT)
        return 1;
    return pieces < MOST_PIECES ? (int)pieces : MOST_PIECES;
}

typedef struct {
    const Tensor *t;
    const Call *call;
    int pieces;
    size_t count; /* of the weight */
    float *sums;  /* [pieces,count] */
} WeightSum;

/* dweight [out, depth] = dyᵀ [out, rows] · patches [rows, depth], for one piece of the pictures. */
static void sum_piece(void *context, int piece, int worker)
{
    (void)worker;
    const WeightSum *s = context;
    const Tensor *t = s->t, *x = t->in[0];
    int from = piece * t->n / s->pieces, to = (piece + 1) * t->n / s->pieces;
    const float *dy = s->call->dy + tensor_elements(t) / (size_t)t->n * (size_t)from;
    const float *first_x = s->call->x[0] + tensor_elements(x) / (size_t)x->n * (size_t)from;
    for (int g = 0; g < t->a.groups; g++) {
        Patches patches;
        size_t first = (size_t)g * group_out(t);
        Matrix b = input_matrix(t, first_x, g, &patches);
        patches.n = to - from;
        gemm_run(&(Gemm){ .m = group_out(t),
                          .n = depth(t),
                          .k = (to - from) * t->h * t->w,
                          .a = { .data = dy + first, .row = 1, .col = (size_t)t->c },
                          .b = b,
                          .c = s->sums + (size_t)piece * s->count + first * (size_t)depth(t),
                          .c_row = (size_t)depth(t),
                          .work = s->call->work,
                          .whole_b = s->pieces == 1 ? s->call->work + gemm_work() : NULL });
    }
}

static void add_pieces(void *context, int item, int worker)
{
    (void)worker;
    const WeightSum *s = context;
    size_t first = (size_t)item * ADDED_AT_ONCE, end = first + ADDED_AT_ONCE;
    float *to = s->call->grad[0];
    for (size_t i = first; i < end && i < s->count; i++) {
        float sum = s->sums[i];
        for (int piece = 1; piece < s->pieces; piece++)
            sum += s->sums[(size_t)piece * s->count + i];
        to[i] = sum;
    }
}

static void backward_weight(const Tensor *t, const Call *c)
{
    size_t count = net_param(t->net, t->first_param)->count;
    WeightSum s = { t, c, weight_pieces(t), count, c->grad[0] };
    if (s.pieces == 1) {
        sum_piece(&s, 0, 0);
        return;
    }
    s.sums = c->work + gemm_work();
    parallel_for(s.pieces, sum_piece, &s);
    parallel_for((int)((count + ADDED_AT_ONCE - 1) / ADDED_AT_ONCE), add_pieces, &s);
}

static bool is_dense(const Tensor *t)
{
    return t->a.stride == 1 && t->a.pad < t->a.kernel;
}

/* The room that the products below want for their right factors. */
static size_t whole_input(const Tensor *t)
{
    if (is_dense(t))
        return gemm_whole((int)tensor_rows(t->in[0]), group_out(t) * t->a.kernel * t->a.kernel,
                          group_in(t));
    return gemm_whole((int)tensor_rows(t), group_out(t), depth(t));
}

/* Pixels: dx [rows, in] = dy [rows, out] · weight [out, in]. */
static void backward_input_pointwise(const Tensor *t, const Call *c)
{
    for (int g = 0; g < t->a.groups; g++) {
        size_t first = (size_t)g * group_out(t), k = (size_t)depth(t);
        gemm_run(&(Gemm){ .m = (int)tensor_rows(t),
                          .n = group_in(t),
                          .k = group_out(t),
                          .a = { .data = c->dy + first, .row = (size_t)t->c, .col = 1 },
                          .b = { .data = c->param[0] + first * k, .row = k, .col = 1 },
                          .c = c->dx[0] + (size_t)g * group_in(t),
                          .c_row = (size_t)t->in[0]->c,
                          .accumulate = c->accumulate[0],
                          .work = c->work,
                          .whole_b = c->work + gemm_work() });
    }
}

/* The weight of a group as [tap, out, in]: the order in which the patches of dy meet it. */
typedef struct {
    const float *weight; /* [out, tap, in] */
    int out, taps, in;
    float *to;
} TapsFirst;

static void taps_of_output(void *context, int o, int worker)
{
    (void)worker;
    const TapsFirst *t = context;
    for (int tap = 0; tap < t->taps; tap++)
        memcpy(t->to + ((size_t)tap * t->out + o) * t->in,
               t->weight + ((size_t)o * t->taps + tap) * t->in, t->in * sizeof *t->to);
}

static void taps_first(const Tensor *t, const float *weight, int g, float *to)
{
    int taps = t->a.kernel * t->a.kernel, in = group_in(t), out = group_out(t);
    weight += (size_t)g * out * taps * in;
    parallel_for(out, taps_of_output, &(TapsFirst){ weight, out, taps, in, to });
}

/* Stride 1: dx is a convolution of dy with the taps in reverse order. */
static void backward_input_dense(const Tensor *t, const Call *c)
{
    const Tensor *x = t->in[0];
    float *whole_b = c->work + gemm_work(), *turned = whole_b + whole_input(t);
    for (int g = 0; g < t->a.groups; g++) {
        taps_first(t, c->param[0], g, turned);
        Patches patches = { .x = c->dy + (size_t)g * group_out(t),
                            .n = t->n,
                            .h = t->h,
                            .w = t->w,
                            .channels = group_out(t),
                            .pixel = (size_t)t->c,
                            .kernel = t->a.kernel,
                            .stride = 1,
                            .pad = t->a.kernel - 1 - t->a.pad,
                            .out_h = x->h,
                            .out_w = x->w,
                            .flipped = true };
        gemm_run(&(Gemm){ .m = (int)tensor_rows(x),
                          .n = group_in(t),
                          .k = group_out(t) * t->a.kernel * t->a.kernel,
                          .a = { .patches = &patches },
                          .b = { .data = turned, .row = (size_t)group_in(t), .col = 1 },
                          .c = c->dx[0] + (size_t)g * group_in(t),
                          .c_row = (size_t)x->c,
                          .accumulate = c->accumulate[0],
                          .work = c->work,
                          .whole_b = whole_b });
    }
}

/* One row of input pixels collects what each patch that covers it has for it. */
typedef struct {
    const Tensor *t;
    const float *patches; /* [rows, depth]: the gradient of group g's patches */
    float *dx;
    bool accumulate;
    int g;
} Collect;

static void collect_pixel(const Collect *k, int n, int iy, int ix, float *dx)
{
    const Tensor *t = k->t;
    int s = t->a.stride, size = t->a.kernel, in = group_in(t);
    for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++) {
            int y = iy + t->a.pad - ky, x = ix + t->a.pad - kx;
            if (y < 0 || y % s || y / s >= t->h || x < 0 || x % s || x / s >= t->w)
                continue;
            size_t row = ((size_t)n * t->h + y / s) * t->w + x / s;
            const float *from = k->patches + row * (size_t)depth(t) + (size_t)(ky * size + kx) * in;
            for (int i = 0; i < in; i++)
                dx[i] += from[i];
        }
}

static void collect_row(void *context, int item, int worker)
{
    (void)worker;
    const Collect *k = context;
    const Tensor *x = k->t->in[0];
    int in = group_in(k->t), n = item / x->h, iy = item % x->h;
    for (int ix = 0; ix < x->w; ix++) {
        float *dx = k->dx + (((size_t)n * x->h + iy) * x->w + ix) * x->c + (size_t)k->g * in;
        for (int i = 0; i < in && !k->accumulate; i++)
            dx[i] = 0;
        collect_pixel(k, n, iy, ix, dx);
    }
}

/* Other strides: the gradient of every patch, then each pixel sums those that cover it. */
static void backward_input_strided(const Tensor *t, const Call *c)
{
    float *whole_b = c->work + gemm_work(), *patches = whole_b + whole_input(t);
    for (int g = 0; g < t->a.groups; g++) {
        size_t first = (size_t)g * group_out(t), k = (size_t)depth(t);
        gemm_run(&(Gemm){ .m = (int)tensor_rows(t),
                          .n = depth(t),
                          .k = group_out(t),
                          .a = { .data = c->dy + first, .row = (size_t)t->c, .col = 1 },
                          .b = { .data = c->param[0] + first * k, .row = k, .col = 1 },
                          .c = patches,
                          .c_row = k,
                          .work = c->work,
                          .whole_b = whole_b });
        Collect collect = { t, patches, c->dx[0], c->accumulate[0], g };
        parallel_for(t->in[0]->n * t->in[0]->h, collect_row, &collect);
    }
}

static void backward_params(const Tensor *t, const Call *c)
{
    if (t->params > 1)
        channel_sum(c->dy, NULL, tensor_rows(t), t->c, c->grad[1], c->work);
    if (is_grouped(t)) {
        Grouped g = grouped_of(t);
        grouped_backward_weight(&g, c->x[0], c->dy, c->grad[0], c->work);
    } else {
        backward_weight(t, c);
    }
}

static void backward_input(const Tensor *t, const Call *c)
{
    if (is_grouped(t)) {
        Grouped g = grouped_of(t);
        grouped_backward_input(&g, c->dy, c->param[0], c->accumulate[0], c->dx[0], c->work);
    } else if (is_pointwise(t))
        backward_input_pointwise(t, c);
    else if (is_dense(t))
        backward_input_dense(t, c);
    else
        backward_input_strided(t, c);
}

void conv2d_backward(const Tensor *t, const Call *c)
{
    backward_params(t, c);
    if (c->dx[0])
        backward_input(t, c);
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t conv2d_work(const Tensor *t)
{
    size_t sum = channel_sum_work(tensor_rows(t), t->c);
    if (is_grouped(t)) {
        Grouped g = grouped_of(t);
        return most(sum, grouped_work(&g));
    }
    if (is_winograd(t)) {
        Winograd w = winograd_of(t);
        return most(sum, winograd_work(&w));
    }
    return most(sum, gemm_work());
}

/* Behind gemm's own: the weight packed for forward; or the weight's sums, and after them what the
 * input's gradient needs. */
size_t conv2d_work_backward(const Tensor *t, bool dx)
{
    if (is_grouped(t))
        return conv2d_work(t);
    size_t count = net_param(t->net, t->first_param)->count, k = (size_t)depth(t);
    size_t forward = gemm_whole((int)tensor_rows(t), depth(t), group_out(t)), input = 0;
    size_t sums = weight_pieces(t) > 1 ? size_mul((size_t)weight_pieces(t), count)
                                       : gemm_whole(group_out(t), (int)tensor_rows(t), depth(t));
    if (dx)
        input = whole_input(t);
    if (dx && !is_pointwise(t))
        input += is_dense(t) ? size_mul(k, (size_t)group_out(t)) : size_mul(tensor_rows(t), k);
    return most(conv2d_work(t), gemm_work() + most(forward, most(sums, input)));
}

const Op conv2d_op = {
    .name = "conv2d",
    .flags = BACKWARD_READS_X0,
    .define = define,
    .derive = derive,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .work = conv2d_work,
    .work_backward = conv2d_work_backward,
};
