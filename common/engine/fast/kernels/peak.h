/* The speed at which this machine can multiply and add at all. */
#ifndef ENGINE_FAST_KERNELS_PEAK_H
#define ENGINE_FAST_KERNELS_PEAK_H

/* GFLOP/s of thread_count() threads together in a loop of vector multiply-adds that touches no
 * memory, the best of several measurements: some 20 ms in all. A multiply-add is 2 FLOPs. */
double peak_fma(void);

#endif
