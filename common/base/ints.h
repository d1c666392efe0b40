/* Minimum and maximum of two ints, and a quotient rounded up. */
#ifndef BASE_INTS_H
#define BASE_INTS_H

static inline int int_min(int a, int b)
{
    return a < b ? a : b;
}

static inline int int_max(int a, int b)
{
    return a > b ? a : b;
}

/* Returns a / b rounded up, for a >= 0 and b > 0, without the overflow of a + b - 1. */
static inline int ceil_div(int a, int b)
{
    return a / b + (a % b != 0);
}

#endif
