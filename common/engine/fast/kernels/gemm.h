/* Matrix products, the work horse of every convolution and linear layer.
 *
 * C = A·B with A [m,k], B [k,n] and C [m,n], all float32. A and B are described by strides, so one
 * function does A·B, A·Bᵀ and Aᵀ·B; or as the patches of an image, so that a convolution is a
 * product without its im2col matrix ever lying in memory. */
#ifndef ENGINE_FAST_KERNELS_GEMM_H
#define ENGINE_FAST_KERNELS_GEMM_H

#include "engine/fast/kernels/conv.h"

#include <stdbool.h>
#include <stddef.h>

/* The matrix of an image's patches, a row per output pixel (n, oy, ox), a column per tap and
 * channel (ky, kx, c). The image is x: [n,h,w,in] of which `channels` are used.
 * Element = x[n, oy·stride - pad + ky, ox·stride - pad + kx, c], 0 outside the image.
 * flipped: the same with the taps in reverse order (ky, kx counted from the end), which is what the
 * gradient with respect to the input of a stride-1 convolution sees of dy. */
typedef struct {
    ConvShape s;
    const float *x;
    int channels;
    bool flipped;
} Patches;

/* Element (i, j) is data[i·row + j·col], or that of `patches` where this is not NULL. */
typedef struct {
    const float *data;
    size_t row, col;
    const Patches *patches;
} Matrix;

typedef struct {
    int m, n, k;
    Matrix a, b;
    const float *packed_b; /* B as gemm_pack wrote it, or NULL: packed on the way */
    float *whole_b;        /* then gemm_whole(m, k, n) floats, or NULL */
    float *c;              /* element (i, j) is c[i·c_row + j] */
    size_t c_row;
    bool accumulate;       /* C += A·B (then bias, residual and act must be unset) */
    const float *bias;     /* [n] or NULL */
    const float *residual; /* [m,n], row stride c_row, or NULL; may be c itself */
    Act act;               /* C = act(A·B + bias + residual) */
    float *work;           /* gemm_work() floats */
} Gemm;

void gemm_run(const Gemm *g);

/* Scratch memory that gemm needs for thread_count() threads, in floats. */
size_t gemm_work(void);

/* The best distance between A's rows of k columns for whoever may choose it: k, or a little more.
 */
size_t gemm_row(int k);

/* Floats of room for all of B, so that many rows of A need not pack it block by block again and
 * again; 0 where they are too few for that. */
size_t gemm_whole(int m, int k, int n);

/* B [k,n] packed once for many products: how many floats, and the packing. */
size_t gemm_packed(int k, int n);
void gemm_pack(Matrix b, int k, int n, float *packed);

#endif
