/* Linux's control groups, versions 1 and 2: what a container or a job of a cluster may use. */
#ifndef BASE_CGROUP_H
#define BASE_CGROUP_H

#include <stddef.h>

/* Limits according to the files below `root` ("" except in tests): /proc/self/cgroup,
 * /proc/self/mountinfo and the groups' own, from the process's group up to the top mounted one. */
size_t cgroup_memory_free(const char *root, size_t swap); /* swap: the system's free bytes */
int cgroup_processors(const char *root);                  /* INT_MAX if there is no quota */

#endif
