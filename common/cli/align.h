/* Two sequences put side by side. */
#ifndef CLI_ALIGN_H
#define CLI_ALIGN_H

/* Items a and b of the two, side by side; -1: the other one has no counterpart. */
typedef struct {
    int a, b;
} Pair;

/* How much is gained by having item a beside item b; 0: they are not put side by side. */
typedef int Likeness(const void *context, int a, int b);

/* All of both sequences (n and m items) in order, so that the pairs' gain is the largest possible
 * (Needleman and Wunsch 1970, gaps free). pairs: room for n + m. Returns how many there are. */
int align_pairs(int n, int m, Likeness *likeness, const void *context, Pair *pairs);

/* That largest gain alone. */
int align_gain(int n, int m, Likeness *likeness, const void *context);

#endif
