#include "base/random.h"

#include <math.h>

uint64_t random_stream(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

void random_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        uint32_t next0 = (uint32_t)(b >> 32) ^ c1 ^ k0, next2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c0 = next0;
        c1 = (uint32_t)b;
        c2 = next2;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

static void draw(Random r, uint64_t i, uint64_t out[2])
{
    uint32_t counter[4] = { (uint32_t)i, (uint32_t)(i >> 32), (uint32_t)r.stream,
                            (uint32_t)(r.stream >> 32) };
    uint32_t key[2] = { (uint32_t)r.seed, (uint32_t)(r.seed >> 32) };
    uint32_t words[4];
    random_philox(counter, key, words);
    out[0] = words[0] | (uint64_t)words[1] << 32;
    out[1] = words[2] | (uint64_t)words[3] << 32;
}

uint64_t random_bits(Random r, uint64_t i)
{
    uint64_t bits[2];
    draw(r, i, bits);
    return bits[0];
}

double random_uniform(Random r, uint64_t i)
{
    return (double)(random_bits(r, i) >> 11) * 0x1p-53;
}

double random_normal(Random r, uint64_t i)
{
    uint64_t bits[2];
    draw(r, i, bits);
    /* Box-Muller transform; 1 - u is never 0, so the logarithm is finite. */
    double u = (double)(bits[0] >> 11) * 0x1p-53, v = (double)(bits[1] >> 11) * 0x1p-53;
    return sqrt(-2 * log(1 - u)) * cos(2 * M_PI * v);
}

/* Returns the upper half of a 128-bit product, computed from halves of the factors: not every
 * machine has a 128-bit type. */
static uint64_t high_word(uint64_t a, uint64_t b)
{
    uint64_t low = UINT32_MAX, a1 = a >> 32, b1 = b >> 32;
    uint64_t middle = (a & low) * b1 + ((a & low) * (b & low) >> 32);
    return a1 * b1 + (middle >> 32) + ((a1 * (b & low) + (middle & low)) >> 32);
}

uint64_t random_below(Random r, uint64_t i, uint64_t n)
{
    return high_word(random_bits(r, i), n); /* uniform to within n / 2^64 */
}

void random_permutation(Random r, uint32_t *order, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = (uint32_t)random_below(r, i, i), last = order[i - 1];
        order[i - 1] = order[j];
        order[j] = last;
    }
}
