/* Random networks: layers of every kind on any tensor there is, sums of anything with anything,
 * paths that are dropped, views, tensors that nobody reads. */
#ifndef TESTS_RANDOM_NETWORKS_H
#define TESTS_RANDOM_NETWORKS_H

#include "graph/net.h"

#include <stdbool.h>
#include <stdint.h>

/* Network number `round`; large: of as many channels and pixels as Winograd's kernels want. To be
 * freed by net_free. */
Net *random_network(uint64_t round, bool large);

/* Do the plans give what the plain engine gives for network `round`: the output, the gradient of
 * every parameter and of the input, the running statistics? Whatever they share, fold, skip or
 * compute again. Prints the network where they do not. large: as in random_network. */
bool random_network_agrees(uint64_t round, bool large);

#endif
