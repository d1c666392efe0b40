#include "engine/fast/kernels/peak.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "engine/fast/kernels/simd.h"

#include <stdlib.h>

/* Sums that are independent of each other, enough to fill two units of a latency of 4 or 5, and few
 * enough for 16 registers. */
enum { SUMS = 12, LOOPS = 20000, MEASUREMENTS = 20 };

typedef struct {
    _Alignas(64) double seconds; /* the best so far */
    float sum;                   /* keeps the compiler from leaving the loop out */
} Measured;

/* Read at run time: 1 · 0.999 + 0.001 is 1 again, and a compiler leaves out the sum that it sees to
 * stay as it is. */
static volatile float given_factor = 0.999f, given_term = 0.001f;

static float multiply_add(void)
{
    Vec sum[SUMS], factor = vec_set(given_factor), term = vec_set(given_term);
    UNROLL(i, SUMS)
        sum[i] = vec_set((float)i);
    for (int loop = 0; loop < LOOPS; loop++)
        UNROLL(i, SUMS)
            sum[i] = sum[i] * factor + term;
    float total = 0;
    UNROLL(i, SUMS)
        total += vec_sum(sum[i]);
    return total;
}

static void measure(void *context, int item, int worker)
{
    (void)worker;
    Measured *m = (Measured *)context + item;
    for (int i = 0; i < MEASUREMENTS; i++) {
        double start = clock_seconds();
        m->sum += multiply_add();
        double seconds = clock_seconds() - start;
        if (m->seconds == 0 || seconds < m->seconds)
            m->seconds = seconds;
    }
}

double peak_fma(void)
{
    int threads = thread_count();
    Measured *measured = mem_alloc((size_t)threads, sizeof *measured);
    parallel_for(threads, measure, measured);
    double gflops = 0;
    for (int i = 0; i < threads; i++)
        gflops += 2.0 * VEC * SUMS * LOOPS / measured[i].seconds / 1e9;
    free(measured);
    return gflops;
}
