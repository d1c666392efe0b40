/* Rows of a plane and the taps that meet them: what the kernels in registers read. */
#ifndef ENGINE_FAST_KERNELS_STRIP_H
#define ENGINE_FAST_KERNELS_STRIP_H

#include "engine/fast/kernels/simd.h"

#include <stddef.h>

/* Rows of the plane, one after the other, and the taps of each. */
typedef struct {
    const float *x, *weight;
    size_t x_step; /* floats from one row to the next */
    int rows, taps, stride, spread;
} Strip;

#define LANE(l, group, j) ((l) / (group) * (group) + (j))
#define LANES_4(l, group, j)                                                                       \
    LANE(l, group, j), LANE(l + 1, group, j), LANE(l + 2, group, j), LANE(l + 3, group, j)
#define LANES_8(l, group, j) LANES_4(l, group, j), LANES_4(l + 4, group, j)
#if VEC == 16
#define LANES(group, j) LANES_8(0, group, j), LANES_8(8, group, j)
#elif VEC == 8
#define LANES(group, j) LANES_8(0, group, j)
#else
#define LANES(group, j) LANES_4(0, group, j)
#endif
#define SPREAD(group, j) VEC_SHUFFLE(VecInt, v, v, LANES(group, j))

/* Lane l of the result is lane l / 4 · 4 + j of v: each group's channel j. j a constant. */
ALWAYS_INLINE Vec spread_4(Vec v, int j)
{
    return j == 0 ? SPREAD(4, 0) : j == 1 ? SPREAD(4, 1) : j == 2 ? SPREAD(4, 2) : SPREAD(4, 3);
}

ALWAYS_INLINE Vec spread_8(Vec v, int j)
{
    return j == 0   ? SPREAD(8, 0)
           : j == 1 ? SPREAD(8, 1)
           : j == 2 ? SPREAD(8, 2)
           : j == 3 ? SPREAD(8, 3)
           : j == 4 ? SPREAD(8, 4)
           : j == 5 ? SPREAD(8, 5)
           : j == 6 ? SPREAD(8, 6)
                    : SPREAD(8, 7);
}

/* Loads what the output channels read of their group's input channel j. group 1: all lanes, as they
 * are; VEC: one lane for all. */
ALWAYS_INLINE Vec load_spread(const float *x, int group, int j)
{
    if (group == VEC)
        return vec_set(x[j]);
    Vec v = vec_load(x);
    return group == 4 ? spread_4(v, j) : group == 8 ? spread_8(v, j) : v;
}

/* Calls function(j, …) for the channels of a group, j a constant where lanes must be picked. (Of an
 * unrolled loop the compiler would keep sums in memory.) */
#define FOR_GROUP(group, function, ...)                                                            \
    do {                                                                                           \
        if ((group) == VEC) {                                                                      \
            for (int j = 0; j < VEC; j++)                                                          \
                function(j, __VA_ARGS__);                                                          \
            break;                                                                                 \
        }                                                                                          \
        function(0, __VA_ARGS__);                                                                  \
        if ((group) >= 4) {                                                                        \
            function(1, __VA_ARGS__);                                                              \
            function(2, __VA_ARGS__);                                                              \
            function(3, __VA_ARGS__);                                                              \
        }                                                                                          \
        if ((group) >= 8) {                                                                        \
            function(4, __VA_ARGS__);                                                              \
            function(5, __VA_ARGS__);                                                              \
            function(6, __VA_ARGS__);                                                              \
            function(7, __VA_ARGS__);                                                              \
        }                                                                                          \
    } while (0)

#endif
