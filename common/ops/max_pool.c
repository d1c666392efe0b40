/* Max pool: the largest value of each window. Among equal values the first counts, row by row, as
 * in PyTorch; a NaN counts as larger than any number. */
#include "graph/op.h"
#include "ops/ops.h"

#include <math.h>

enum { LARGEST_KERNEL = 15 }; /* its 225 positions fit into a byte */

Tensor *max_pool_(Tensor *x, MaxPool p)
{
    if (p.kernel == 0)
        net_error(p.at, "max_pool: .kernel is missing");
    if (p.kernel < 1 || p.kernel > LARGEST_KERNEL || p.stride < 1 || p.pad < 0 ||
        p.pad > p.kernel / 2)
        net_error(p.at,
                  "max_pool: .kernel = %d (1 to %d), .stride = %d, .pad = %d (at most half the "
                  "kernel) make no pool",
                  p.kernel, LARGEST_KERNEL, p.stride, p.pad);
    if (x->h + 2 * p.pad < p.kernel || x->w + 2 * p.pad < p.kernel)
        net_error(p.at, "max_pool: the input %dx%dx%d is too small for a kernel of %d with pad %d",
                  x->c, x->h, x->w, p.kernel, p.pad);
    Attributes a = { .kernel = p.kernel, .stride = p.stride, .pad = p.pad };
    return net_layer(&max_pool_op, x, NULL, p.at, NAME_INDEX, a, x->c,
                     (x->h + 2 * p.pad - p.kernel) / p.stride + 1,
                     (x->w + 2 * p.pad - p.kernel) / p.stride + 1);
}

/* Returns the input pixel at position (ky, kx) of the window at (oy, ox), NULL outside the
 * image. */
static const float *window_pixel(const Tensor *t, const float *x, int n, int oy, int ox,
                                 int position)
{
    const Tensor *in = t->in[0];
    int y = oy * t->a.stride - t->a.pad + position / t->a.kernel;
    int ix = ox * t->a.stride - t->a.pad + position % t->a.kernel;
    if (y < 0 || y >= in->h || ix < 0 || ix >= in->w)
        return NULL;
    return x + (((size_t)n * in->h + y) * in->w + ix) * in->c;
}

/* Returns the index in x of the largest value of channel i in the window at (oy, ox). */
static size_t argmax(const Tensor *t, const float *x, int n, int oy, int ox, int i)
{
    const float *found = NULL;
    for (int position = 0; position < t->a.kernel * t->a.kernel; position++) {
        const float *pixel = window_pixel(t, x, n, oy, ox, position);
        if (pixel && (!found || (!(pixel[i] <= *found) && !isnan(*found))))
            found = pixel + i;
    }
    return (size_t)(found - x);
}

static void define(const Tensor *t, const Call *c)
{
    float *y = c->y;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int i = 0; i < t->c; i++)
                    *y++ = c->x[0][argmax(t, c->x[0], n, oy, ox, i)];
}

/* y follows the value that it equals, and no other of the window. */
static void derive(const Tensor *t, const Call *c)
{
    const float *dy = c->dy;
    for (int n = 0; n < t->n; n++)
        for (int oy = 0; oy < t->h; oy++)
            for (int ox = 0; ox < t->w; ox++)
                for (int i = 0; i < t->c; i++)
                    c->dx[0][argmax(t, c->x[0], n, oy, ox, i)] += *dy++;
}

const Op max_pool_op = {
    .name = "max_pool",
    .define = define,
    .derive = derive,
};
