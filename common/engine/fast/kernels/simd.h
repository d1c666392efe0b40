/* Vectors by the compilers' vector extensions: one source for SSE, AVX2, AVX-512 and NEON.
 *
 * Arithmetic and comparisons are the language's own operators; a comparison gives a VecInt of 0 and
 * -1. Memory needs no alignment. A kernel's tail goes through the partial loads and stores, with
 * the same arithmetic on padded lanes, so that its bits never depend on where an array ends. */
#ifndef ENGINE_FAST_KERNELS_SIMD_H
#define ENGINE_FAST_KERNELS_SIMD_H

#include <stdint.h>
#include <string.h>

#if defined(PORTABLE) /* sums by lanes are then the same everywhere, too */
#define VEC 4
#elif defined(__AVX512F__)
#define VEC 16
#elif defined(__AVX__)
#define VEC 8
#else
#define VEC 4
#endif

typedef float Vec __attribute__((vector_size(4 * VEC)));
typedef int32_t VecInt __attribute__((vector_size(4 * VEC)));
typedef uint32_t VecBits __attribute__((vector_size(4 * VEC)));

#define ALWAYS_INLINE static inline __attribute__((always_inline, unused))

/* A loop over registers, i = 0 … count-1 with a constant count: unrolled, as their array must not
 * stay in memory. */
#ifdef __clang__
#define UNROLL(i, count) _Pragma("clang loop unroll(full)") for (int i = 0; i < (count); i++)
#else
#define UNROLL(i, count) _Pragma("GCC unroll 32") for (int i = 0; i < (count); i++)
#endif

/* --- memory ---------------------------------------------------------------------------------- */

typedef float VecInMemory __attribute__((vector_size(4 * VEC), aligned(4), may_alias));

ALWAYS_INLINE Vec vec_load(const float *from)
{
    return *(const VecInMemory *)from;
}

ALWAYS_INLINE void vec_store(float *to, Vec v)
{
    *(VecInMemory *)to = v;
}

/* Copies 0 <= count < VEC floats by halves of a known size: each is one instruction. */
ALWAYS_INLINE void copy_part(float *to, const float *from, int count)
{
    int at = 0;
#if VEC > 8
    if (count & 8) {
        memcpy(to, from, 32);
        at = 8;
    }
#endif
#if VEC > 4
    if (count & 4) {
        memcpy(to + at, from + at, 16);
        at += 4;
    }
#endif
    if (count & 2) {
        memcpy(to + at, from + at, 8);
        at += 2;
    }
    if (count & 1)
        to[at] = from[at];
}

/* Floats in a cache line. */
enum { LINE = 64 / sizeof(float) };

/* The first cache line of scratch memory that has LINE floats more than are wanted. */
static inline float *at_line(float *work)
{
    return (float *)(((uintptr_t)work + 63) & ~(uintptr_t)63);
}

/* Loads the first `count` lanes (0 <= count < VEC), 0 in the others. */
ALWAYS_INLINE Vec vec_load_part(const float *from, int count)
{
    float lanes[VEC] __attribute__((aligned(4 * VEC))) = { 0 };
    copy_part(lanes, from, count);
    return vec_load(lanes);
}

/* Stores the first `count` lanes (0 <= count < VEC). */
ALWAYS_INLINE void vec_store_part(float *to, Vec v, int count)
{
    float lanes[VEC] __attribute__((aligned(4 * VEC)));
    vec_store(lanes, v);
    copy_part(to, lanes, count);
}

/* Load and store for 0 <= count, all lanes where it is VEC or more. */
ALWAYS_INLINE Vec vec_load_upto(const float *from, int count)
{
    return count >= VEC ? vec_load(from) : vec_load_part(from, count);
}

ALWAYS_INLINE void vec_store_upto(float *to, Vec v, int count)
{
    if (count >= VEC)
        vec_store(to, v);
    else
        vec_store_part(to, v, count);
}

/* The lanes of the vector at i that are still in the array. */
ALWAYS_INLINE int lanes_left(size_t i, size_t count)
{
    return count - i < VEC ? (int)(count - i) : VEC;
}

/* --- lanes ----------------------------------------------------------------------------------- */

/* x in every lane (x - 0 is x for -0 too, x + 0 is not). */
ALWAYS_INLINE Vec vec_set(float x)
{
    return x - (Vec){ 0 };
}

/* a where the mask's lane is -1, b where it is 0. */
ALWAYS_INLINE Vec vec_select(VecInt mask, Vec a, Vec b)
{
    return (Vec)((mask & (VecInt)a) | (~mask & (VecInt)b));
}

/* 0 where x < 0, else x: a NaN stays a NaN, -0 stays -0. */
ALWAYS_INLINE Vec vec_relu(Vec x)
{
    return (Vec)((VecInt)x & ~(x < 0));
}

ALWAYS_INLINE Vec vec_abs(Vec x)
{
    return (Vec)((VecInt)x & 0x7fffffff);
}

/* Lanes of a and b picked by constant numbers, a's counted first. gcc has this builtin from 12 on;
 * before it takes the numbers as a vector, of type Ints: as many integers, as wide as a lane. */
#if defined(__clang__) || __GNUC__ >= 12
#define VEC_SHUFFLE(Ints, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define VEC_SHUFFLE(Ints, a, b, ...) __builtin_shuffle(a, b, (Ints){ __VA_ARGS__ })
#endif

/* The sum of all lanes, by halves. */
ALWAYS_INLINE float vec_sum(Vec x)
{
    float lanes[VEC];
    vec_store(lanes, x);
    for (int half = VEC / 2; half; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
}

#endif
