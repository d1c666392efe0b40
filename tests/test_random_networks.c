/* The plans against the plain engine, on networks that chance makes. */
#include "random_networks.h"

#include <criterion/criterion.h>

Test(random_networks, run_as_they_are_defined)
{
    for (uint64_t round = 0; round < 3000; round++)
        cr_assert(random_network_agrees(round, false));
}

Test(random_networks, of_many_channels_run_as_they_are_defined)
{
    for (uint64_t round = 0; round < 60; round++)
        cr_assert(random_network_agrees(round, true));
}
