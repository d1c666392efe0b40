/* Random networks: layers of all kinds on any tensor, sums of any two, dropped paths, views,
 * tensors that are never read. */
#ifndef TESTS_RANDOM_NETWORKS_H
#define TESTS_RANDOM_NETWORKS_H

#include "graph/net.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns network number `round`, freed by net_free; large: with as many channels and pixels as
 * Winograd's kernels need. */
Net *random_network(uint64_t round, bool large);

/* Compares the plans with the plain engine on network `round`: the output, the gradient of every
 * parameter and of the input, the running statistics, whatever is shared, folded, skipped or
 * recomputed. Prints the network if they differ. large: as in random_network. */
bool random_network_agrees(uint64_t round, bool large);

#endif
