/* A tile of a product, summed in registers: an instance for each number of rows and vectors. */
#include "engine/fast/kernels/gemm_tile.h"

/* Fetches what the sums will meet, while they are made. */
ALWAYS_INLINE void fetch_tile(int rows, int vecs, const Ends *ends)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < vecs * VEC; j += LINE)
            if (ends->plus)
                __builtin_prefetch(ends->plus + i * ends->plus_row + j);
            else
                __builtin_prefetch(ends->to + i * ends->to_row + j, 1);
}

/* to[rows][vecs·VEC] = Σ over k of a[row·lane + k·step]·b[k][column] + plus + bias;
 * b: [k][vecs·VEC]. The sums must stay in registers, hence constant rows and vecs in every
 * instance. */
ALWAYS_INLINE void sum_tile(int rows, int vecs, int k, const float *a, size_t lane, size_t step,
                            const float *b, const Ends *ends)
{
    Vec sum[MR][2];
    const float *plus = ends->plus, *ahead = ends->ahead;
    float *to = ends->to;
    /* An address takes a pointer and 1, 2, 4 or 8 times a number: five rows share a pointer, as one
     * for all would need more numbers than stay in registers. */
    const float *row5 = rows > 5 ? a + 5 * lane : a, *row10 = rows > 10 ? a + 10 * lane : a;
    UNROLL(i, rows)
        UNROLL(j, vecs)
            sum[i][j] = (Vec){ 0 };
    fetch_tile(rows, vecs, ends);
    for (; k > 0; k--, a += step, row5 += step, row10 += step) {
        Vec right[2];
        __builtin_prefetch(ahead);
        UNROLL(j, vecs)
            right[j] = vec_load(b + j * VEC);
        UNROLL(i, rows) {
            float left = (i < 5 ? a : i < 10 ? row5 : row10)[i % 5 * lane];
            UNROLL(j, vecs)
                sum[i][j] += left * right[j];
        }
        b += vecs * VEC;
        ahead += LINE;
    }
    if (plus)
        UNROLL(i, rows)
            UNROLL(j, vecs)
                sum[i][j] += vec_load(plus + i * ends->plus_row + j * VEC);
    if (ends->bias)
        UNROLL(i, rows)
            UNROLL(j, vecs)
                sum[i][j] += vec_load(ends->bias + j * VEC);
    if (ends->relu)
        UNROLL(i, rows)
            UNROLL(j, vecs)
                sum[i][j] = vec_relu(sum[i][j]);
    UNROLL(i, rows)
        UNROLL(j, vecs)
            vec_store(to + i * ends->to_row + j * VEC, sum[i][j]);
}

#define SUM_TILE(rows, vecs)                                                                       \
    static void packed_##rows##_##vecs(int k, const float *a, const float *b, const Ends *ends)    \
    {                                                                                              \
        sum_tile(rows, vecs, k, a, 1, AR, b, ends);                                                \
    }                                                                                              \
    static void in_place_##rows##_##vecs(int k, const float *a, const float *b, const Ends *ends)  \
    {                                                                                              \
        sum_tile(rows, vecs, k, a, ends->a_row, 1, b, ends);                                       \
    }
#define SUM_TILES(rows) SUM_TILE(rows, 1) SUM_TILE(rows, 2)
#define ALL(rows)                                                                                  \
    {                                                                                              \
        { packed_##rows##_1, packed_##rows##_2 },                                                  \
        {                                                                                          \
            in_place_##rows##_1, in_place_##rows##_2                                               \
        }                                                                                          \
    }

SUM_TILES(1)
SUM_TILES(2)
SUM_TILES(3)
SUM_TILES(4)
SUM_TILES(5)
SUM_TILES(6)
#if VEC == 16
SUM_TILES(7)
SUM_TILES(8)
SUM_TILES(9)
SUM_TILES(10)
SUM_TILES(11)
SUM_TILES(12)
SUM_TILES(13)
SUM_TILES(14)
#endif

SumTile *const gemm_tiles[MR][2][2] = {
    ALL(1), ALL(2), ALL(3), ALL(4),  ALL(5),  ALL(6),
#if VEC == 16
    ALL(7), ALL(8), ALL(9), ALL(10), ALL(11), ALL(12), ALL(13), ALL(14),
#endif
};
