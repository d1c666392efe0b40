/* The article's Python for the rates of drop path: torch.linspace and sum. A header of its own:
 * a step that does without it may use these names for itself. */
#ifndef LINSPACE_H
#define LINSPACE_H

/* The i-th of `count` evenly spaced numbers from first to last: torch.linspace(first, last,
 * count)[i]. */
static inline float linspace(float first, float last, int count, int i)
{
    return count > 1 ? first + (last - first) / (float)(count - 1) * (float)i : first;
}

/* How many blocks come before stage i. */
static inline int blocks_before(const int depths[4], int i)
{
    int blocks = 0;
    for (int k = 0; k < i; k++)
        blocks += depths[k];
    return blocks;
}

static inline int sum(const int depths[4])
{
    return blocks_before(depths, 4);
}

#endif
