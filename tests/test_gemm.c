/* The matrix product against three loops in double precision, over an explicit im2col. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/fast/kernels/gemm.h"
#include "engine/fast/kernels/pack.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- random cases ---------------------------------------------------------------------------- */

static uint64_t draws;

static int below(int n)
{
    return (int)random_below((Random){ 1, 2 }, draws++, (uint64_t)n);
}

static float *random_floats(size_t count)
{
    float *x = mem_alloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)random_uniform((Random){ 3, 4 }, draws++) * 2 - 1;
    return x;
}

/* Sizes where edges lie: 1, and on both sides of the multiples of a tile or block. */
static int size_near(int multiple, int most)
{
    int size = below(3) ? below(most) + 1 : below(most / multiple + 1) * multiple + below(3) - 1;
    return size < 1 ? 1 : size;
}

/* A factor [rows, cols] by strides and the same as a plain matrix of doubles. */
typedef struct {
    Matrix matrix;
    Patches patches;
    float *memory;
    double *plain;
    int rows, cols;
} Factor;

static void factor_free(Factor *f)
{
    free(f->memory);
    free(f->plain);
}

enum { ROW_MAJOR, COLUMN_MAJOR, GENERAL, STRIDE_KINDS };

static void strided_factor(Factor *f, int rows, int cols, int kind)
{
    size_t extra = (size_t)below(4), row = 1, col = 1;
    if (kind == ROW_MAJOR) /* the product packs rows that are a power of two apart */
        row = below(2) ? (size_t)cols + extra : ((size_t)cols / 1024 + 1) * 1024;
    else if (kind == COLUMN_MAJOR)
        col = (size_t)rows + extra;
    else
        row = 3, col = (size_t)rows * 3 + extra;
    size_t count = (size_t)(rows - 1) * row + (size_t)(cols - 1) * col + 1;
    f->memory = random_floats(count);
    f->matrix = (Matrix){ .data = f->memory, .row = row, .col = col };
    f->rows = rows, f->cols = cols;
    f->plain = mem_alloc((size_t)rows * cols, sizeof(double));
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            f->plain[(size_t)i * cols + j] = f->memory[i * row + j * col];
}

static double patch_element(const Patches *p, int row, int column)
{
    const ConvShape *s = &p->s;
    int ox = row % s->out_w, oy = row / s->out_w % s->out_h, n = row / s->out_w / s->out_h;
    int c = column % p->channels, tap = column / p->channels;
    int ky = tap / s->kernel, kx = tap % s->kernel;
    if (p->flipped)
        ky = s->kernel - 1 - ky, kx = s->kernel - 1 - kx;
    int y = oy * s->stride - s->pad + ky, x = ox * s->stride - s->pad + kx;
    if (y < 0 || y >= s->h || x < 0 || x >= s->w)
        return 0;
    return p->x[(((size_t)n * s->h + y) * s->w + x) * s->in + c];
}

static void patch_factor(Factor *f)
{
    Patches *p = &f->patches;
    *p = (Patches){ .s = { .n = below(3) + 1 }, .channels = below(20) + 1 };
    ConvShape *s = &p->s;
    s->stride = below(3) + 1, s->kernel = below(5) + 1;
    s->pad = below(s->kernel), p->flipped = below(2);
    s->h = below(9) + s->kernel, s->w = below(9) + s->kernel;
    s->out_h = (s->h + 2 * s->pad - s->kernel) / s->stride + 1;
    s->out_w = (s->w + 2 * s->pad - s->kernel) / s->stride + 1;
    s->in = p->channels + (below(2) ? 0 : below(5));
    /* Exactly as long as the last pixel's channels: reading further is an error. */
    size_t pixels = (size_t)s->n * s->h * s->w;
    f->memory = random_floats((pixels - 1) * s->in + (size_t)p->channels);
    p->x = f->memory;
    f->matrix = (Matrix){ .patches = p };
    f->rows = s->n * s->out_h * s->out_w, f->cols = s->kernel * s->kernel * p->channels;
    f->plain = mem_alloc((size_t)f->rows * f->cols, sizeof(double));
    for (int i = 0; i < f->rows; i++)
        for (int j = 0; j < f->cols; j++)
            f->plain[(size_t)i * f->cols + j] = patch_element(p, i, j);
}

/* --- one product checked --------------------------------------------------------------------- */

typedef struct {
    Factor a, b;
    int m, n, k;
    size_t c_row, c_count;
    float *c, *bias, *residual, *packed;
    bool accumulate, in_place;
    Act act;
} Case;

static void case_epilogue(Case *t)
{
    t->m = t->a.rows, t->k = t->a.cols, t->n = t->b.cols;
    t->c_row = (size_t)t->n + (size_t)below(3);
    t->c_count = (size_t)t->m * t->c_row;
    t->c = random_floats(t->c_count);
    t->accumulate = below(4) == 0;
    if (!t->accumulate) {
        t->act = (Act)below(3);
        t->bias = below(2) ? random_floats((size_t)t->n) : NULL;
        t->in_place = below(3) == 0;
        t->residual = !t->in_place && below(2) ? random_floats(t->c_count) : NULL;
    }
    if (below(2)) {
        t->packed = mem_alloc(gemm_packed(t->k, t->n), sizeof(float));
        gemm_pack(t->b.matrix, t->k, t->n, t->packed);
    }
}

static void case_free(Case *t)
{
    factor_free(&t->a);
    factor_free(&t->b);
    free(t->c);
    free(t->bias);
    free(t->residual);
    free(t->packed);
}

/* The product with `threads`, in memory of its own, with or without room for all of B. */
static float *product(const Case *t, int threads, bool room)
{
    thread_count_set(threads);
    float *c = mem_alloc(t->c_count, sizeof *c), *work = mem_alloc(gemm_work(), sizeof *work);
    float *whole = room ? mem_alloc(gemm_whole(t->m, t->k, t->n), sizeof *whole) : NULL;
    memcpy(c, t->c, t->c_count * sizeof *c);
    gemm_run(&(Gemm){ .m = t->m,
                      .n = t->n,
                      .k = t->k,
                      .a = t->a.matrix,
                      .b = t->packed ? (Matrix){ 0 } : t->b.matrix,
                      .packed_b = t->packed,
                      .whole_b = whole,
                      .c = c,
                      .c_row = t->c_row,
                      .accumulate = t->accumulate,
                      .bias = t->bias,
                      .residual = t->in_place ? c : t->residual,
                      .act = t->act,
                      .work = work });
    free(work);
    free(whole);
    return c;
}

static double wanted(const Case *t, int i, int j)
{
    size_t at = (size_t)i * t->c_row + (size_t)j;
    double sum = t->accumulate || t->in_place ? t->c[at] : 0;
    for (int p = 0; p < t->k; p++)
        sum += t->a.plain[(size_t)i * t->k + p] * t->b.plain[(size_t)p * t->n + j];
    sum += t->bias ? t->bias[j] : 0;
    sum += t->residual ? t->residual[at] : 0;
    if (t->act == GELU)
        return 0.5 * sum * erfc(-sum / sqrt(2));
    return t->act == RELU && sum < 0 ? 0 : sum;
}

/* Every element, and what lies between the rows is left as it was. */
static void check_product(const Case *t, const float *c)
{
    double most = 2e-6 * (1 + sqrt(t->k));
    for (int i = 0; i < t->m; i++)
        for (size_t j = 0; j < t->c_row; j++) {
            size_t at = (size_t)i * t->c_row + j;
            if (j >= (size_t)t->n) {
                cr_assert_eq(c[at], t->c[at], "column %zu of %d is written", j, t->n);
                continue;
            }
            double want = wanted(t, i, (int)j);
            cr_assert(fabs(c[at] - want) <= most, "[%d,%d]x[%d,%d] at %d,%zu: %g, not %g", t->m,
                      t->k, t->k, t->n, i, j, (double)c[at], want);
        }
}

static void check_case(Case *t)
{
    case_epilogue(t);
    float *one = product(t, 1, false);
    check_product(t, one);
    static const int threads[] = { 2, 3, 7 };
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        float *other = product(t, threads[i], i % 2 == 0);
        cr_assert(memcmp(one, other, t->c_count * sizeof *one) == 0,
                  "[%d,%d]x[%d,%d]: %d threads give other bits", t->m, t->k, t->k, t->n,
                  threads[i]);
        free(other);
    }
    free(one);
    case_free(t);
}

/* --- tests ----------------------------------------------------------------------------------- */

Test(gemm, strides_of_all_kinds)
{
    for (int round = 0; round < 300; round++) {
        Case t = { 0 };
        int m = size_near(MR, 70), n = size_near(NR, 140), k = size_near(VEC, 100);
        strided_factor(&t.a, m, k, round % STRIDE_KINDS);
        strided_factor(&t.b, k, n, round / STRIDE_KINDS % STRIDE_KINDS);
        check_case(&t);
    }
}

Test(gemm, several_blocks_of_k)
{
    for (int round = 0; round < 60; round++) {
        Case t = { 0 };
        int m = size_near(MR, 40), n = size_near(NR, 70), k = size_near(KC, 3 * KC);
        strided_factor(&t.a, m, k, round % STRIDE_KINDS);
        strided_factor(&t.b, k, n, round / STRIDE_KINDS % STRIDE_KINDS);
        check_case(&t);
    }
}

/* Large enough to be cut into tasks: tall, wide, long. */
Test(gemm, many_tasks)
{
    static const int sizes[][3] = { { 900, 70, 33 },  { 49, 700, 40 },  { 61, 67, 2100 },
                                    { 401, 403, 65 }, { 1, 2000, 300 }, { 3000, 1, 100 } };
    for (size_t round = 0; round < 12; round++) {
        Case t = { 0 };
        const int *s = sizes[round % 6];
        strided_factor(&t.a, s[0], s[2], below(2));
        strided_factor(&t.b, s[2], s[1], below(2));
        check_case(&t);
    }
}

Test(gemm, patches_as_a)
{
    for (int round = 0; round < 120; round++) {
        Case t = { 0 };
        patch_factor(&t.a);
        strided_factor(&t.b, t.a.cols, size_near(NR, 80), below(STRIDE_KINDS));
        t.a.matrix.patches = &t.a.patches;
        check_case(&t);
    }
}

Test(gemm, patches_as_b)
{
    for (int round = 0; round < 120; round++) {
        Case t = { 0 };
        patch_factor(&t.b);
        strided_factor(&t.a, size_near(MR, 40), t.b.rows, below(STRIDE_KINDS));
        t.b.matrix.patches = &t.b.patches;
        check_case(&t);
    }
}

Test(gemm, no_steps_give_the_epilogue_and_no_rows_nothing)
{
    float bias[2] = { 1, -2 }, c[2] = { 7, 7 }, none[1] = { 0 };
    float *work = mem_alloc(gemm_work(), sizeof *work);
    Gemm g = { .m = 1, .n = 2, .c = c, .c_row = 2, .bias = bias, .act = RELU, .work = work };
    g.a = (Matrix){ .data = none, .row = 1, .col = 1 };
    g.b = g.a;
    gemm_run(&g);
    cr_assert(c[0] == 1 && c[1] == 0);
    g.m = 0, g.bias = NULL;
    gemm_run(&g);
    g.m = 1, g.n = 0;
    gemm_run(&g);
    cr_assert(c[0] == 1 && c[1] == 0);
    cr_assert_eq(gemm_packed(0, 5), 0);
    free(work);
}

/* The activations keep NaN, also in lanes next to it nothing changes. */
Test(gemm, nan_stays_in_its_row)
{
    float a[2] = { NAN, 1 }, b[3] = { 1, -1, 2 }, c[6];
    float *work = mem_alloc(gemm_work(), sizeof *work);
    for (int act = IDENTITY; act <= GELU; act++) {
        gemm_run(&(Gemm){ .m = 2,
                          .n = 3,
                          .k = 1,
                          .a = { .data = a, .row = 1, .col = 1 },
                          .b = { .data = b, .row = 3, .col = 1 },
                          .c = c,
                          .c_row = 3,
                          .act = (Act)act,
                          .work = work });
        for (int j = 0; j < 3; j++)
            cr_assert(isnan(c[j]) && !isnan(c[3 + j]));
    }
    free(work);
}

/* Rows a power of two apart are packed, others read in place: the same bits. */
Test(gemm, bits_do_not_depend_on_packing_a)
{
    enum { M = 2 * MR + 5, N = 2 * NR + 3, K = KC + 9, ROW = 1024 };
    float *a = random_floats((size_t)M * K), *b = random_floats((size_t)K * N);
    float *apart = random_floats((size_t)M * ROW);
    for (int i = 0; i < M; i++)
        memcpy(apart + (size_t)i * ROW, a + (size_t)i * K, K * sizeof *a);
    float *in_place = mem_alloc((size_t)M * N, sizeof *in_place),
          *packed = mem_alloc((size_t)M * N, sizeof *packed);
    float *work = mem_alloc(gemm_work(), sizeof *work);
    Gemm g = { .m = M, .n = N, .k = K, .c_row = N, .act = RELU, .work = work };
    g.b = (Matrix){ .data = b, .row = N, .col = 1 };
    g.a = (Matrix){ .data = a, .row = K, .col = 1 }, g.c = in_place;
    gemm_run(&g);
    g.a = (Matrix){ .data = apart, .row = ROW, .col = 1 }, g.c = packed;
    gemm_run(&g);
    cr_assert(memcmp(in_place, packed, (size_t)M * N * sizeof *packed) == 0);
    free(a);
    free(b);
    free(apart);
    free(in_place);
    free(packed);
    free(work);
}

/* A row's bits don't depend on the rows and columns computed with it. */
Test(gemm, bits_do_not_depend_on_where_an_edge_falls)
{
    enum { M = 3 * MR, N = 3 * NR + 1, K = 2 * KC + 7 };
    float *a = random_floats((size_t)M * K), *b = random_floats((size_t)K * N);
    float *bias = random_floats(N), *all = mem_alloc((size_t)M * N, sizeof *all);
    float *part = mem_alloc((size_t)M * N, sizeof *part);
    float *work = mem_alloc(gemm_work(), sizeof *work);
    Gemm g = { .m = M, .n = N, .k = K, .c_row = N, .bias = bias, .act = GELU, .work = work };
    g.a = (Matrix){ .data = a, .row = K, .col = 1 };
    g.b = (Matrix){ .data = b, .row = N, .col = 1 };
    g.c = all;
    gemm_run(&g);
    for (int round = 0; round < 40; round++) {
        g.m = below(M) + 1, g.n = below(N) + 1, g.c = part;
        gemm_run(&g);
        for (int i = 0; i < g.m; i++)
            cr_assert(
                memcmp(part + (size_t)i * N, all + (size_t)i * N, (size_t)g.n * sizeof *all) == 0);
    }
    free(a);
    free(b);
    free(bias);
    free(all);
    free(part);
    free(work);
}
