/* Alignment of two sequences. */
#ifndef CLI_ALIGN_H
#define CLI_ALIGN_H

/* Aligned items a and b of the two sequences; -1: no counterpart. */
typedef struct {
    int a, b;
} Pair;

/* Returns the gain from aligning item a with item b; 0: they may not be aligned. */
typedef int Likeness(const void *context, int a, int b);

/* Aligns two sequences of n and m items, keeping their order, so that the sum of the pairs' gains
 * is as large as possible (Needleman and Wunsch 1970, without gap costs). pairs: space for n + m.
 * Returns the number of pairs. */
int align_pairs(int n, int m, Likeness *likeness, const void *context, Pair *pairs);

/* Returns only that largest gain. */
int align_gain(int n, int m, Likeness *likeness, const void *context);

#endif
