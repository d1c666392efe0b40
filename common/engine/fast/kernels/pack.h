/* Packing: the factors of a product laid out as its inner loop reads them.
 *
 * A factor is cut into panels: `width` neighbouring rows of A or columns of B, its lanes. A packed
 * panel is [k][panel_step()], so that the inner loop reads it from front to back. */
#ifndef ENGINE_FAST_KERNELS_PACK_H
#define ENGINE_FAST_KERNELS_PACK_H

#include "engine/fast/kernels/gemm.h"
#include "engine/fast/kernels/simd.h"

/* An inner tile of C is MR rows by NR columns: MR·2 sums, 2 vectors of B and one element of A fill
 * the 32 or 16 registers. A's panels have whole vectors, AR floats per step, so that no store of
 * one reaches into the next step or across a cache line. With KC steps of k at a time B's panel is
 * about as large as the first cache. */
enum {
    MR = VEC == 16 ? 14 : 6,
    AR = (MR + VEC - 1) / VEC * VEC,
    NR = 2 * VEC,
    KC = VEC == 16 ? 512 : 384
};

/* A factor seen from its panels. */
typedef struct {
    const float *data;
    size_t lane, k;         /* floats from one lane to the next, from one step of k to the next */
    const Patches *patches; /* or this; then */
    bool taps_are_lanes;    /* the lanes are taps and channels and k is the pixels, or vice versa */
    int lanes;              /* how many there are: m or n */
    int width;              /* of a panel: MR or NR */
} Side;

Side panel_side_a(Matrix a, int m);
Side panel_side_b(Matrix b, int n);

/* Floats from one step to the next in the panel from lane `first` on: AR or NR; in the last one of
 * B VEC, where that is enough. And the space for `count` steps of a panel. */
int panel_step(const Side *s, int first);
size_t panel_space(const Side *s, int count);

/* Packs the panels of the lanes first … end-1, steps k … k+count-1 (count <= KC), one panel_space()
 * after the other. A last panel that reaches past `end` holds what is there, past the factor's last
 * lane 0. */
void panel_pack(const Side *s, int first, int end, int k, int count, float *to);

#endif
