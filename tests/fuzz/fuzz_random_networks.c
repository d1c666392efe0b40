/* Any bytes are the number of a random network, by which the plans must compute what the plain
 * engine does: one of fifty is large. */
#include "../random_networks.h"

#include "base/random.h"

#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint64_t round = size;
    for (size_t i = 0; i < size; i++)
        round = random_bits((Random){ round, bytes[i] }, i);
    if (!random_network_agrees(round, round % 50 == 0))
        abort();
    return 0;
}
