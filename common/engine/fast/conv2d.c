/* The fast ways of convolutions and of linear layers, which are 1x1 convolutions of 1x1 images.
 * They compute the same sum in four ways:
 *   1x1, stride 1           one product with the pixels, which form a matrix as they are
 *   few channels per group  kernels/depthwise.h
 *   3x3, packed weight      kernels/winograd.h, in inference
 *   others                  one product per group with the matrix of the image's patches */
#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/depthwise.h"
#include "engine/fast/kernels/gemm.h"
#include "engine/fast/kernels/pointwise.h"
#include "engine/fast/kernels/winograd.h"
#include "engine/fast/ways.h"
#include "ops/ops.h"

#include <string.h>

/* --- the kernels' arguments ------------------------------------------------------------------ */

static ConvShape shape_of(const Tensor *t)
{
    const Tensor *x = t->in[0];
    return (ConvShape){ .n = x->n,
                        .h = x->h,
                        .w = x->w,
                        .in = x->c,
                        .out_h = t->h,
                        .out_w = t->w,
                        .out = t->c,
                        .groups = t->a.groups,
                        .kernel = t->a.kernel,
                        .stride = t->a.stride,
                        .pad = t->a.pad };
}

/* Tests for few channels per group: the op then uses the layout for the depthwise kernels. */
static bool is_grouped(const Tensor *t)
{
    return net_param(t->net, t->first_param)->layout == LAYOUT_HWIO;
}

static bool is_pointwise(const Tensor *t)
{
    return t->a.kernel == 1 && t->a.stride == 1 && t->a.pad == 0;
}

static bool is_matrix(const Tensor *t)
{
    return is_pointwise(t) && !is_grouped(t);
}

static size_t pixel_stride(const Tensor *writer, const Tensor *reader)
{
    return is_matrix(writer) && is_matrix(reader) ? gemm_row(writer->c) : 0;
}

/* Sizes of one group's product: [rows, depth] · [depth, out] -> [rows, out]. */
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

/* Returns the input's patches for group g, or its pixels if these are the same. */
static Matrix input_matrix(const Tensor *t, const float *x, int g, Patches *patches)
{
    const Tensor *in = t->in[0];
    x += (size_t)g * group_in(t);
    if (is_pointwise(t))
        return (Matrix){ .data = x, .row = (size_t)in->c, .col = 1 };
    *patches = (Patches){ .s = shape_of(t), .x = x, .channels = group_in(t) };
    return (Matrix){ .patches = patches };
}

/* Returns group g's weight [out, depth] as the right factor of the forward product: [depth,
 * out]. */
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

static size_t packed(const Tensor *t)
{
    ConvShape s = shape_of(t);
    if (is_grouped(t))
        return grouped_packed(&s);
    if (winograd_fits(&s))
        return winograd_packed(&s);
    return size_mul((size_t)t->a.groups, packed_group(t));
}

static void pack(const Tensor *t, const float *weight, float *packed)
{
    ConvShape s = shape_of(t);
    if (is_grouped(t)) {
        grouped_pack(&s, weight, packed);
        return;
    }
    if (winograd_fits(&s)) {
        winograd_pack(&s, weight, packed);
        return;
    }
    for (int g = 0; g < t->a.groups; g++)
        gemm_pack(weight_matrix(t, weight, g), depth(t), group_out(t),
                  packed + (size_t)g * packed_group(t));
}

static void multiply(const Tensor *t, const FastCall *c, const Conv *conv)
{
    for (int g = 0; g < t->a.groups; g++) {
        Patches patches;
        size_t first = (size_t)g * group_out(t);
        Matrix a = input_matrix(t, conv->x, g, &patches);
        if (c->x_stride)
            a.row = c->x_stride;
        gemm_run(&(Gemm){ .m = (int)tensor_rows(t),
                          .n = group_out(t),
                          .k = depth(t),
                          .a = a,
                          .b = c->packed ? (Matrix){ 0 } : weight_matrix(t, conv->weight, g),
                          .packed_b = c->packed ? c->packed + (size_t)g * packed_group(t) : NULL,
                          .whole_b = c->packed ? NULL : c->work + gemm_work(),
                          .c = conv->y + first,
                          .c_row = c->y_stride ? c->y_stride : (size_t)t->c,
                          .bias = conv->bias ? conv->bias + first : NULL,
                          .residual = c->residual ? c->residual + first : NULL,
                          .act = c->act,
                          .work = c->work });
    }
}

static void forward(const Tensor *t, const FastCall *c)
{
    Conv conv = { .shape = shape_of(t),
                  .x = c->call.x[0],
                  .packed = c->packed,
                  .weight = c->call.param[0],
                  .bias = c->packed       ? c->bias
                          : t->params > 1 ? c->call.param[1]
                                          : NULL,
                  .residual = c->residual,
                  .act = c->act,
                  .y = c->call.y,
                  .work = c->work };
    if (is_grouped(t))
        grouped_forward(&conv);
    else if (c->packed && winograd_fits(&conv.shape))
        winograd_forward(&conv);
    else
        multiply(t, c, &conv);
}

/* --- backward -------------------------------------------------------------------------------- */

/* Splits a weight's gradient, a sum over all pixels. For a small weight and many pixels, the images
 * are divided into pieces that are summed in parallel and then added in order. The number of pieces
 * depends only on the shapes, so the bits do not depend on the threads. */
enum { MAX_PIECES = 8, ROWS_PER_PIECE = 1024, SMALL_WEIGHT = 1 << 18, ADDED_PER_ITEM = 1 << 12 };

static int weight_pieces(const Tensor *t)
{
    size_t pieces = tensor_rows(t) / ROWS_PER_PIECE;
    pieces = pieces < (size_t)t->n ? pieces : (size_t)t->n;
    if (pieces < 2 || net_param(t->net, t->first_param)->count > SMALL_WEIGHT)
        return 1;
    return pieces < MAX_PIECES ? (int)pieces : MAX_PIECES;
}

typedef struct {
    const Tensor *t;
    const FastCall *call;
    int pieces;
    size_t count; /* of the weight's elements */
    float *sums;  /* [pieces,count] */
} WeightSum;

/* Computes dweight [out, depth] = dyᵀ [out, rows] · patches [rows, depth] for one piece of the
 * images. */
static void sum_piece(void *context, int piece, int worker)
{
    (void)worker;
    const WeightSum *s = context;
    const Tensor *t = s->t, *x = t->in[0];
    int from = piece * t->n / s->pieces, to = (piece + 1) * t->n / s->pieces;
    const float *dy = s->call->call.dy + tensor_elements(t) / (size_t)t->n * (size_t)from;
    const float *first_x = s->call->call.x[0] + tensor_elements(x) / (size_t)x->n * (size_t)from;
    for (int g = 0; g < t->a.groups; g++) {
        Patches patches;
        size_t first = (size_t)g * group_out(t);
        Matrix b = input_matrix(t, first_x, g, &patches);
        patches.s.n = to - from;
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
    size_t first = (size_t)item * ADDED_PER_ITEM, end = first + ADDED_PER_ITEM;
    float *to = s->call->call.grad[0];
    for (size_t i = first; i < end && i < s->count; i++) {
        float sum = s->sums[i];
        for (int piece = 1; piece < s->pieces; piece++)
            sum += s->sums[(size_t)piece * s->count + i];
        to[i] = sum;
    }
}

static void backward_weight(const Tensor *t, const FastCall *c)
{
    size_t count = net_param(t->net, t->first_param)->count;
    WeightSum s = { t, c, weight_pieces(t), count, c->call.grad[0] };
    if (s.pieces == 1) {
        sum_piece(&s, 0, 0);
        return;
    }
    s.sums = c->work + gemm_work();
    parallel_for(s.pieces, sum_piece, &s);
    parallel_for((int)((count + ADDED_PER_ITEM - 1) / ADDED_PER_ITEM), add_pieces, &s);
}

static bool is_dense(const Tensor *t)
{
    return t->a.stride == 1 && t->a.pad < t->a.kernel;
}

/* Returns the workspace, in floats, for the packed right factors of the products below. */
static size_t whole_input(const Tensor *t)
{
    if (is_dense(t))
        return gemm_whole((int)tensor_rows(t->in[0]), group_out(t) * t->a.kernel * t->a.kernel,
                          group_in(t));
    return gemm_whole((int)tensor_rows(t), group_out(t), depth(t));
}

/* Computes dx of pixels: dx [rows, in] = dy [rows, out] · weight [out, in]. */
static void backward_input_pointwise(const Tensor *t, const FastCall *c)
{
    for (int g = 0; g < t->a.groups; g++) {
        size_t first = (size_t)g * group_out(t), k = (size_t)depth(t);
        gemm_run(&(Gemm){ .m = (int)tensor_rows(t),
                          .n = group_in(t),
                          .k = group_out(t),
                          .a = { .data = c->call.dy + first, .row = (size_t)t->c, .col = 1 },
                          .b = { .data = c->call.param[0] + first * k, .row = k, .col = 1 },
                          .c = c->call.dx[0] + (size_t)g * group_in(t),
                          .c_row = (size_t)t->in[0]->c,
                          .accumulate = c->accumulate[0],
                          .work = c->work,
                          .whole_b = c->work + gemm_work() });
    }
}

/* Reorders a group's weight to [tap, out, in], the order of dy's patches. */
typedef struct {
    const float *weight; /* [out, tap, in] */
    int out, taps, in;
    float *to;
} TapOrder;

static void reorder_output(void *context, int o, int worker)
{
    (void)worker;
    const TapOrder *t = context;
    for (int tap = 0; tap < t->taps; tap++)
        memcpy(t->to + ((size_t)tap * t->out + o) * t->in,
               t->weight + ((size_t)o * t->taps + tap) * t->in, t->in * sizeof *t->to);
}

static void reorder_taps(const Tensor *t, const float *weight, int g, float *to)
{
    int taps = t->a.kernel * t->a.kernel, in = group_in(t), out = group_out(t);
    weight += (size_t)g * out * taps * in;
    parallel_for(out, reorder_output, &(TapOrder){ weight, out, taps, in, to });
}

/* Computes dx for stride 1: a convolution of dy with the taps in reverse order. */
static void backward_input_dense(const Tensor *t, const FastCall *c)
{
    const Tensor *x = t->in[0];
    ConvShape shape = shape_of(t);
    float *whole_b = c->work + gemm_work(), *reordered = whole_b + whole_input(t);
    for (int g = 0; g < t->a.groups; g++) {
        reorder_taps(t, c->call.param[0], g, reordered);
        Patches patches = { .s = conv_transposed(&shape),
                            .x = c->call.dy + (size_t)g * group_out(t),
                            .channels = group_out(t),
                            .flipped = true };
        gemm_run(&(Gemm){ .m = (int)tensor_rows(x),
                          .n = group_in(t),
                          .k = group_out(t) * t->a.kernel * t->a.kernel,
                          .a = { .patches = &patches },
                          .b = { .data = reordered, .row = (size_t)group_in(t), .col = 1 },
                          .c = c->call.dx[0] + (size_t)g * group_in(t),
                          .c_row = (size_t)x->c,
                          .accumulate = c->accumulate[0],
                          .work = c->work,
                          .whole_b = whole_b });
    }
}

/* Sums, for one row of input pixels, the gradients of all patches that cover each pixel. */
typedef struct {
    const Tensor *t;
    const float *patches; /* [rows, depth]: the gradient of group g's patches */
    float *dx;
    bool accumulate;
    int g;
} Col2im;

static void col2im_pixel(const Col2im *k, int n, int iy, int ix, float *dx)
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

static void col2im_row(void *context, int item, int worker)
{
    (void)worker;
    const Col2im *k = context;
    const Tensor *x = k->t->in[0];
    int in = group_in(k->t), n = item / x->h, iy = item % x->h;
    for (int ix = 0; ix < x->w; ix++) {
        float *dx = k->dx + (((size_t)n * x->h + iy) * x->w + ix) * x->c + (size_t)k->g * in;
        for (int i = 0; i < in && !k->accumulate; i++)
            dx[i] = 0;
        col2im_pixel(k, n, iy, ix, dx);
    }
}

/* Computes dx for other strides: first the gradient of every patch; then each pixel sums those that
 * cover it. */
static void backward_input_strided(const Tensor *t, const FastCall *c)
{
    float *whole_b = c->work + gemm_work(), *patches = whole_b + whole_input(t);
    for (int g = 0; g < t->a.groups; g++) {
        size_t first = (size_t)g * group_out(t), k = (size_t)depth(t);
        gemm_run(&(Gemm){ .m = (int)tensor_rows(t),
                          .n = depth(t),
                          .k = group_out(t),
                          .a = { .data = c->call.dy + first, .row = (size_t)t->c, .col = 1 },
                          .b = { .data = c->call.param[0] + first * k, .row = k, .col = 1 },
                          .c = patches,
                          .c_row = k,
                          .work = c->work,
                          .whole_b = whole_b });
        Col2im col2im = { t, patches, c->call.dx[0], c->accumulate[0], g };
        parallel_for(t->in[0]->n * t->in[0]->h, col2im_row, &col2im);
    }
}

static void backward_params(const Tensor *t, const FastCall *c)
{
    if (t->params > 1)
        channel_sum(c->call.dy, NULL, tensor_rows(t), t->c, c->call.grad[1], c->work);
    ConvShape s = shape_of(t);
    if (is_grouped(t))
        grouped_backward_weight(&s, c->call.x[0], c->call.dy, c->call.grad[0], c->work);
    else
        backward_weight(t, c);
}

static void backward_input(const Tensor *t, const FastCall *c)
{
    ConvShape s = shape_of(t);
    if (is_grouped(t))
        grouped_backward_input(&s, c->call.dy, c->call.param[0], c->accumulate[0], c->call.dx[0],
                               c->work);
    else if (is_pointwise(t))
        backward_input_pointwise(t, c);
    else if (is_dense(t))
        backward_input_dense(t, c);
    else
        backward_input_strided(t, c);
}

static void backward(const Tensor *t, const FastCall *c)
{
    backward_params(t, c);
    if (c->call.dx[0])
        backward_input(t, c);
}

static size_t larger_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t work(const Tensor *t)
{
    size_t sum = channel_sum_work(tensor_rows(t), t->c);
    ConvShape s = shape_of(t);
    if (is_grouped(t))
        return larger_of(sum, grouped_work(&s));
    if (winograd_fits(&s))
        return larger_of(sum, winograd_work(&s));
    return larger_of(sum, gemm_work());
}

/* Returns gemm's workspace plus the larger of: the weight packed for forward, the weight's partial
 * sums, the memory for the input's gradient. */
static size_t work_backward(const Tensor *t, bool dx)
{
    if (is_grouped(t))
        return work(t);
    size_t count = net_param(t->net, t->first_param)->count, k = (size_t)depth(t);
    size_t forward = gemm_whole((int)tensor_rows(t), depth(t), group_out(t)), input = 0;
    size_t sums = weight_pieces(t) > 1 ? size_mul((size_t)weight_pieces(t), count)
                                       : gemm_whole(group_out(t), (int)tensor_rows(t), depth(t));
    if (dx)
        input = whole_input(t);
    if (dx && !is_pointwise(t))
        input += is_dense(t) ? size_mul(k, (size_t)group_out(t)) : size_mul(tensor_rows(t), k);
    return larger_of(work(t), gemm_work() + larger_of(forward, larger_of(sums, input)));
}

/* The same functions of either op. */
#define CONV_WAYS                                                                                  \
    .flags = READS_X, .forward = forward, .backward = backward, .work = work,                      \
    .work_backward = work_backward, .packed = packed, .pack = pack, .pixel_stride = pixel_stride

const Fast conv2d_fast = { .op = &conv2d_op, CONV_WAYS };
const Fast linear_fast = { .op = &linear_op, CONV_WAYS };
