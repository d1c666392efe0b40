/* A tile of a product C = A·B. */
#ifndef ENGINE_FAST_KERNELS_GEMM_TILE_H
#define ENGINE_FAST_KERNELS_GEMM_TILE_H

#include "engine/fast/kernels/pack.h"

#include <stdbool.h>
#include <stddef.h>

/* The ends of a tile's sums: what joins them, and where they go. */
typedef struct {
    const float *plus; /* a tile to add, row stride plus_row; NULL: none */
    size_t plus_row;
    const float *bias; /* to add to every row; or NULL */
    float *to;
    size_t to_row;
    bool relu;          /* of the sums, at last */
    size_t a_row;       /* from one row of A to the next, where A is read in place */
    const float *ahead; /* what will be read soon: a cache line is fetched every step of k */
} Ends;

/* Sums k steps; to: whole vectors. a: a packed panel, or rows that lie a_row apart. */
typedef void SumTile(int k, const float *a, const float *b, const Ends *ends);

/* The sums by rows - 1, whether A is read in place, and vectors per row - 1. */
extern SumTile *const gemm_tiles[MR][2][2];

#endif
