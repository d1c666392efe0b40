/* Counter-based random numbers: the i-th number of a stream is a pure function of seed, stream and
 * i, so it never depends on the order or the thread in which numbers are drawn.
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", 2011). */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

typedef struct {
    uint64_t seed, stream;
} Random;

/* Returns the stream named by a string, such as a parameter's key (its FNV-1a hash). */
uint64_t random_stream(const char *name);

void random_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

uint64_t random_bits(Random r, uint64_t i);              /* 64 random bits */
double random_uniform(Random r, uint64_t i);             /* in [0, 1) */
double random_normal(Random r, uint64_t i);              /* mean 0, standard deviation 1 */
uint64_t random_below(Random r, uint64_t i, uint64_t n); /* in 0 … n-1; n > 0 */

/* Fills order[0 … n-1] with 0 … n-1, shuffled. */
void random_permutation(Random r, uint32_t *order, uint32_t n);

#endif
