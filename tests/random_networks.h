/* Random networks: layers of every kind on any tensor there is, sums of anything with anything,
 * paths that are dropped, views, tensors that nobody reads. */
#ifndef TESTS_RANDOM_NETWORKS_H
#define TESTS_RANDOM_NETWORKS_H

#include "graph/net.h"

/* Network number `round`; large: of as many channels and pixels as Winograd's kernels want. To be
 * freed by net_free. */
Net *random_network(uint64_t round, bool large);

#endif
