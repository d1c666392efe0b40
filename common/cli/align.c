#include "cli/align.h"

#include "base/memory.h"

#include <stdlib.h>

/* Fills gain[a][b] with the largest gain of the items from a and from b on. */
static int *fill_gains(int n, int m, Likeness *likeness, const void *context)
{
    size_t row = (size_t)m + 1;
    int *gain = mem_alloc(size_mul((size_t)n + 1, row), sizeof *gain);
    for (int a = n - 1; a >= 0; a--)
        for (int b = m - 1; b >= 0; b--) {
            int *cell = &gain[(size_t)a * row + (size_t)b];
            int like = likeness(context, a, b), without_a = cell[row], without_b = cell[1];
            int best = without_a > without_b ? without_a : without_b;
            int with = like > 0 ? like + cell[row + 1] : 0;
            *cell = with > best ? with : best;
        }
    return gain;
}

int align_pairs(int n, int m, Likeness *likeness, const void *context, Pair *pairs)
{
    int *gain = fill_gains(n, m, likeness, context), count = 0;
    size_t row = (size_t)m + 1;
    for (int a = 0, b = 0; a < n || b < m;) {
        const int *cell = &gain[(size_t)a * row + (size_t)b];
        int like = a < n && b < m ? likeness(context, a, b) : 0;
        if (like > 0 && *cell == like + cell[row + 1])
            pairs[count++] = (Pair){ a++, b++ };
        else if (a < n && *cell == cell[row])
            pairs[count++] = (Pair){ a++, -1 };
        else
            pairs[count++] = (Pair){ -1, b++ };
    }
    free(gain);
    return count;
}

int align_gain(int n, int m, Likeness *likeness, const void *context)
{
    int *gain = fill_gains(n, m, likeness, context), largest = *gain;
    free(gain);
    return largest;
}
