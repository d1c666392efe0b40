/* What the kernels over many rows share: fixed pieces of work, float64 sums, the activations. */
#ifndef ENGINE_FAST_KERNELS_PIECES_H
#define ENGINE_FAST_KERNELS_PIECES_H

#include "base/memory.h"
#include "graph/act.h"
#include "engine/fast/kernels/vecmath.h"

#include <stddef.h>
#include <stdint.h>

/* --- pieces: how work is cut, from the sizes alone ------------------------------------------- */

enum { MOST_PIECES = 64, LEAST_FLOATS = 8192 };

/* The number of pieces that `rows` rows of `width` floats are worth: 1 … MOST_PIECES, no more than
 * rows. */
static inline int piece_count(size_t rows, size_t width)
{
    size_t rows_worth = LEAST_FLOATS / (width ? width : 1) + 1, pieces = rows / rows_worth;
    return pieces < 1 ? 1 : pieces > MOST_PIECES ? MOST_PIECES : (int)pieces;
}

/* The row at which piece `i` of `pieces` starts; piece `pieces` is the end. */
static inline size_t piece_start(size_t rows, int pieces, int i)
{
    return rows / pieces * i + rows % pieces * i / pieces;
}

/* Rows start … end-1 of a piece. */
typedef struct {
    size_t start, end;
} Rows;

static inline Rows rows_of(size_t rows, size_t width, int item)
{
    int pieces = piece_count(rows, width);
    return (Rows){ piece_start(rows, pieces, item), piece_start(rows, pieces, item + 1) };
}

/* --- float64 sums ---------------------------------------------------------------------------- */

/* Floats that become a whole vector of doubles: half a Vec. */
enum { HALF = VEC / 2 };

typedef double Doubles __attribute__((vector_size(4 * VEC)));
typedef int64_t Longs __attribute__((vector_size(4 * VEC)));
typedef double DoublesInMemory __attribute__((vector_size(4 * VEC), aligned(8), may_alias));
typedef float HalfVec __attribute__((vector_size(2 * VEC)));
typedef float HalfVecInMemory __attribute__((vector_size(2 * VEC), aligned(4), may_alias));

ALWAYS_INLINE HalfVec half_load(const float *from)
{
    return *(const HalfVecInMemory *)from;
}

ALWAYS_INLINE void half_store(float *to, HalfVec v)
{
    *(HalfVecInMemory *)to = v;
}

ALWAYS_INLINE Doubles to_doubles(HalfVec v)
{
    return __builtin_convertvector(v, Doubles);
}

ALWAYS_INLINE Doubles doubles_load(const double *from)
{
    return *(const DoublesInMemory *)from;
}

ALWAYS_INLINE void doubles_store(double *to, Doubles v)
{
    *(DoublesInMemory *)to = v;
}

/* The sum of all lanes, by halves, in registers: a row of a layer norm has two of these. */
ALWAYS_INLINE double doubles_sum(Doubles v)
{
#if VEC == 16
    v += VEC_SHUFFLE(Longs, v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    v += VEC_SHUFFLE(Longs, v, v, 2, 3, 0, 1, 6, 7, 4, 5);
    v += VEC_SHUFFLE(Longs, v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#elif VEC == 8
    v += VEC_SHUFFLE(Longs, v, v, 2, 3, 0, 1);
    v += VEC_SHUFFLE(Longs, v, v, 1, 0, 3, 2);
#else
    v += VEC_SHUFFLE(Longs, v, v, 1, 0);
#endif
    return v[0];
}

/* Scratch memory given in floats, as doubles: two floats each, and two to reach an even address. */
static inline size_t floats_for_doubles(size_t doubles)
{
    return doubles > (SIZE_MAX - 2) / 2 ? SIZE_MAX : 2 * doubles + 2;
}

static inline double *doubles_in(float *work)
{
    return (double *)(((uintptr_t)work + 7) & ~(uintptr_t)7);
}

/* Adds sums[1 …, c] to sums[0, c]: what the pieces came to, in their order; `stride` doubles per
 * piece.
 */
static inline void add_pieces(double *sums, int pieces, int channels, size_t stride)
{
    for (int p = 1; p < pieces; p++)
        for (int c = 0; c < channels; c++)
            sums[c] += sums[p * stride + c];
}

/* Rows at once between a read and a write of their sums by channel. */
enum { FEW_ROWS = 8 };

static inline int few_rows(size_t left)
{
    return left < FEW_ROWS ? (int)left : FEW_ROWS;
}

/* --- by channel, on rows taken as one flat array --------------------------------------------- */

/* [channels + VEC]: the values over and over, so that a vector may start at any channel. free() it.
 * Rows of any number of channels then take whole vectors but for the very last. */
static inline float *repeat_channels(const float *values, int channels)
{
    float *repeated = mem_alloc((size_t)channels + VEC, sizeof *repeated);
    for (int i = 0; i < channels + VEC; i++)
        repeated[i] = values[i % channels];
    return repeated;
}

/* The channel one vector further on. */
ALWAYS_INLINE int next_channel(int c, int channels)
{
    c += VEC;
    return c < channels ? c : c < 2 * channels ? c - channels : c % channels;
}

/* --- activations ----------------------------------------------------------------------------- */

/* `act` a constant: the switch is decided by the compiler. */
ALWAYS_INLINE Vec act_apply(Act act, Vec x)
{
    return act == RELU ? vec_relu(x) : act == GELU ? vec_gelu(x) : x;
}

/* Calls function(act, …) by an instance of its own for each activation. */
#define ACT_CALL(act, function, ...)                                                               \
    ((act) == RELU   ? function(RELU, __VA_ARGS__)                                                 \
     : (act) == GELU ? function(GELU, __VA_ARGS__)                                                 \
                     : function(IDENTITY, __VA_ARGS__))

/* dy·act'(x). ReLU lets dy through where x is NaN, as PyTorch does. */
ALWAYS_INLINE Vec act_gradient(Act act, Vec x, Vec dy)
{
    if (act == RELU)
        return (Vec)((VecInt)dy & ~(x <= 0));
    return act == GELU ? dy * vec_gelu_gradient(x) : dy;
}

#endif
