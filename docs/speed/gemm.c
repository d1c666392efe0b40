/* The matrix product, version after version. This file is compiled without automatic vectorisation,
 * so that a loop does what it says. */
#include "speed.h"

#include "base/ints.h"
#include "base/parallel.h"
#include "engine/fast/kernels/gemm.h"
#include "engine/fast/kernels/pack.h"

/* What the registers hold: TILE_ROWS rows by 2 vectors of sums, 2 vectors of b and one of a. */
enum { TILE_ROWS = MR, TILE_COLUMNS = NR, BLOCK_ROWS = 14 * MR };

void add_bias_and_relu(const Product *p, int first, int end)
{
    for (int i = first; i < end; i++)
        for (int j = 0; j < p->n; j += VEC) {
            float *c = p->c + (size_t)i * p->n + j;
            int count = int_min(p->n - j, VEC);
            Vec v = vec_load_upto(c, count) + vec_load_upto(p->bias + j, count);
            vec_store_upto(c, vec_relu(v), count);
        }
}

/* --- 1: the definition ----------------------------------------------------------------------- */

static void plain(const Product *p)
{
    for (int i = 0; i < p->m; i++)
        for (int j = 0; j < p->n; j++) {
            float sum = 0;
            for (int k = 0; k < p->k; k++)
                sum += p->a[(size_t)i * p->k + k] * p->b[(size_t)k * p->n + j];
            p->c[(size_t)i * p->n + j] = sum;
        }
    add_bias_and_relu(p, 0, p->m);
}

/* --- 2: the inner loop runs along rows ------------------------------------------------------- */

static void order(const Product *p)
{
    for (int i = 0; i < p->m; i++) {
        float *c = p->c + (size_t)i * p->n;
        memset(c, 0, (size_t)p->n * sizeof *c);
        for (int k = 0; k < p->k; k++) {
            float a = p->a[(size_t)i * p->k + k];
            const float *b = p->b + (size_t)k * p->n;
            for (int j = 0; j < p->n; j++)
                c[j] += a * b[j];
        }
    }
    add_bias_and_relu(p, 0, p->m);
}

/* --- 3: VEC columns at a time ---------------------------------------------------------------- */

static void vectors(const Product *p)
{
    for (int i = 0; i < p->m; i++) {
        float *c = p->c + (size_t)i * p->n;
        memset(c, 0, (size_t)p->n * sizeof *c);
        for (int k = 0; k < p->k; k++) {
            float a = p->a[(size_t)i * p->k + k];
            const float *b = p->b + (size_t)k * p->n;
            int j = 0;
            for (; j + VEC <= p->n; j += VEC)
                vec_store(c + j, vec_load(c + j) + a * vec_load(b + j));
            for (; j < p->n; j++)
                c[j] += a * b[j];
        }
    }
    add_bias_and_relu(p, 0, p->m);
}

/* --- 4: a tile of c stays in registers ------------------------------------------------------- */

/* c's tile at row i, column j. Element (row, k) of a is a[row·a_row + k·a_step], row k of b begins
 * at b + k·b_row. With bias, what follows the product is done before the tile is written. */
ALWAYS_INLINE void sum_tile(const Product *p, int i, int j, const float *a, size_t a_row,
                            size_t a_step, const float *b, size_t b_row, const float *bias)
{
    Vec sum[TILE_ROWS][2] = { 0 };
    for (int k = 0; k < p->k; k++, a += a_step, b += b_row) {
        Vec left = vec_load(b), right = vec_load(b + VEC);
        UNROLL(r, TILE_ROWS) {
            sum[r][0] += a[r * a_row] * left;
            sum[r][1] += a[r * a_row] * right;
        }
    }
    UNROLL(r, TILE_ROWS) {
        float *c = p->c + (size_t)(i + r) * p->n + j;
        vec_store(c, bias ? vec_relu(sum[r][0] + vec_load(bias)) : sum[r][0]);
        vec_store(c + VEC, bias ? vec_relu(sum[r][1] + vec_load(bias + VEC)) : sum[r][1]);
    }
}

/* The last tile of an uneven size lies over the one before it. */
static int tile_start(int at, int end, int size)
{
    return int_min(at, end - size);
}

static void tile(const Product *p)
{
    for (int at = 0; at < p->m; at += TILE_ROWS) {
        int i = tile_start(at, p->m, TILE_ROWS);
        for (int column = 0; column < p->n; column += TILE_COLUMNS) {
            int j = tile_start(column, p->n, TILE_COLUMNS);
            sum_tile(p, i, j, p->a + (size_t)i * p->k, p->k, 1, p->b + j, p->n, NULL);
        }
    }
    add_bias_and_relu(p, 0, p->m);
}

/* --- 5: a and b lie in memory as the tile reads them ----------------------------------------- */

/* Panels of TILE_ROWS rows of a, each [k][TILE_ROWS]. */
static void pack_a(const Product *p, int first, int end, float *to)
{
    for (int at = first; at < end; at += TILE_ROWS) {
        const float *a = p->a + (size_t)tile_start(at, end, TILE_ROWS) * p->k;
        for (int k = 0; k < p->k; k++)
            for (int r = 0; r < TILE_ROWS; r++)
                *to++ = a[(size_t)r * p->k + k];
    }
}

/* Panels of TILE_COLUMNS columns of b, each [k][TILE_COLUMNS]. */
static void pack_b(const Product *p, float *to)
{
    for (int column = 0; column < p->n; column += TILE_COLUMNS) {
        const float *b = p->b + tile_start(column, p->n, TILE_COLUMNS);
        for (int k = 0; k < p->k; k++, b += p->n, to += TILE_COLUMNS)
            memcpy(to, b, TILE_COLUMNS * sizeof *to);
    }
}

/* Tile by tile; at, column: where the tile would begin if sizes were even. */
ALWAYS_INLINE void sum_packed(const Product *p, int first, int end, int at, int column,
                              const float *a, const float *bias)
{
    int i = tile_start(at, end, TILE_ROWS), j = tile_start(column, p->n, TILE_COLUMNS);
    sum_tile(p, i, j, a + (size_t)(at - first) * p->k, 1, TILE_ROWS,
             p->packed_b + (size_t)column * p->k, TILE_COLUMNS, bias ? bias + j : NULL);
}

static void packed(const Product *p)
{
    pack_a(p, 0, p->m, p->packed_a);
    pack_b(p, p->packed_b);
    for (int at = 0; at < p->m; at += TILE_ROWS)
        for (int column = 0; column < p->n; column += TILE_COLUMNS)
            sum_packed(p, 0, p->m, at, column, p->packed_a, NULL);
    add_bias_and_relu(p, 0, p->m);
}

/* --- 6: what is read again is still in a cache ----------------------------------------------- */

/* Rows first … end-1 of c: their part of a stays in the second cache, a panel of b in the first. */
ALWAYS_INLINE void block(const Product *p, int first, int end, float *a, const float *bias)
{
    pack_a(p, first, end, a);
    for (int column = 0; column < p->n; column += TILE_COLUMNS)
        for (int at = first; at < end; at += TILE_ROWS)
            sum_packed(p, first, end, at, column, a, bias);
}

/* Blocks of rows, as even as can be, so that none has fewer than a tile. */
static int blocks(const Product *p)
{
    return (p->m + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

static int block_start(const Product *p, int i)
{
    return (int)((long)p->m * i / blocks(p));
}

static void blocked(const Product *p)
{
    pack_b(p, p->packed_b);
    for (int i = 0; i < blocks(p); i++)
        block(p, block_start(p, i), block_start(p, i + 1), p->packed_a, NULL);
    add_bias_and_relu(p, 0, p->m);
}

/* --- 7: bias and ReLU before the sums leave their registers ---------------------------------- */

static void fused(const Product *p)
{
    pack_b(p, p->packed_b);
    for (int i = 0; i < blocks(p); i++)
        block(p, block_start(p, i), block_start(p, i + 1), p->packed_a, p->bias);
}

/* --- 8: the blocks are shared among threads -------------------------------------------------- */

static void one_block(void *context, int item, int worker)
{
    const Product *p = context;
    size_t panels = (BLOCK_ROWS / TILE_ROWS + 1) * TILE_ROWS;
    block(p, block_start(p, item), block_start(p, item + 1), p->packed_a + worker * panels * p->k,
          p->bias);
}

static void threads(const Product *p)
{
    pack_b(p, p->packed_b);
    parallel_for(blocks(p), one_block, (void *)p);
}

/* --- 9: the library -------------------------------------------------------------------------- */

/* b is a layer's weight: packed once, before. */
static void library(const Product *p)
{
    gemm_run(&(Gemm){ .m = p->m,
                      .n = p->n,
                      .k = p->k,
                      .a = { .data = p->a, .row = (size_t)p->k, .col = 1 },
                      .packed_b = p->ready_b,
                      .c = p->c,
                      .c_row = (size_t)p->n,
                      .bias = p->bias,
                      .act = RELU,
                      .work = p->work });
}

const Version product_versions[] = {
    { "plain", "three loops: i, j, k", false, { .product = plain } },
    { "order", "i, k, j: the inner loop along rows", false, { .product = order } },
    { "vectors", "many columns at a time", false, { .product = vectors } },
    { "tile", "a tile of sums in registers", false, { .product = tile } },
    { "packed", "a and b packed in reading order", false, { .product = packed } },
    { "blocked", "blocks that stay in the caches", false, { .product = blocked } },
    { "fused", "bias and ReLU in registers", false, { .product = fused } },
    { "threads", "blocks of rows on all threads", true, { .product = threads } },
    { "library", "gemm_run(): b packed before, fetched early", true, { .product = library } },
    { 0 }
};
