#include "base/cgroup.h"

#include "base/ints.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A control group's folder; the first `mounted` bytes of `path` are its hierarchy's mount point. */
typedef struct {
    char path[4096];
    size_t mounted;
    bool second; /* cgroup version 2 */
} Cgroup;

static FILE *open_below(const char *root, const char *path)
{
    char name[4608];
    int length = snprintf(name, sizeof name, "%s%s", root, path);
    return length > 0 && (size_t)length < sizeof name ? fopen(name, "re") : NULL;
}

/* Tests for `word` in a comma-separated list. */
static bool list_contains(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strncmp(list, word, length) == 0 && (!list[length] || list[length] == ','))
            return true;
    return false;
}

/* Finds the mount point of the controller's hierarchy (mountinfo's lines are "id parent device root
 * mount options … - type source options") and below it the process's own `path`: a container sees
 * its own group as the mount's root. */
static bool find_folder(Cgroup *g, const char *root, const char *controller, const char *path)
{
    char line[8192], top[2048], mount[2048], type[16], options[2048];
    bool found = false;
    FILE *mounts = open_below(root, "/proc/self/mountinfo");
    while (mounts && !found && fgets(line, sizeof line, mounts)) {
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %2047s %2047s", top, mount) != 2 ||
            sscanf(rest, " - %15s %*s %2047s", type, options) != 2)
            continue;
        found = g->second ? strcmp(type, "cgroup2") == 0
                          : strcmp(type, "cgroup") == 0 && list_contains(options, controller);
    }
    if (mounts)
        fclose(mounts);
    if (!found)
        return false;
    size_t above = strcmp(top, "/") == 0 ? 0 : strlen(top);
    if (strncmp(path, top, above) == 0 && (!path[above] || path[above] == '/'))
        path += above;
    int length = snprintf(g->path, sizeof g->path, "%s%s%s", root, mount, path);
    g->mounted = strlen(root) + strlen(mount);
    return length > 0 && (size_t)length < sizeof g->path;
}

/* Finds the process's i-th group (0, 1, …) with the controller: with both versions mounted it has
 * two. */
static bool find_group(Cgroup *g, const char *root, const char *controller, int i)
{
    char line[4096];
    bool found = false;
    FILE *groups = open_below(root, "/proc/self/cgroup"); /* "number:controllers:path" */
    while (groups && !found && fgets(line, sizeof line, groups)) {
        char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = 0;
        path[strcspn(path, "\n")] = 0;
        g->second = !*++list;
        found = (g->second || list_contains(list, controller)) &&
                find_folder(g, root, controller, path) && i-- == 0;
    }
    if (groups)
        fclose(groups);
    return found;
}

/* Goes up to the group's parent, unless it is the top one. */
static bool to_parent(Cgroup *g)
{
    char *slash = strrchr(g->path, '/');
    if (strlen(g->path) <= g->mounted || !slash)
        return false;
    *slash = 0;
    return true;
}

/* Reads the value in one of a group's files, after `key` in files with several lines. */
static bool read_value(const Cgroup *g, const char *file, const char *key, char value[256])
{
    size_t length = strlen(key);
    bool found = false;
    FILE *from = open_below(g->path, file);
    while (from && !found && fgets(value, 256, from))
        found = strncmp(value, key, length) == 0;
    if (from)
        fclose(from);
    if (found)
        memmove(value, value + length, strlen(value + length) + 1);
    return found;
}

/* Returns UINTMAX_MAX for a missing value or "max". */
static uintmax_t read_number(const Cgroup *g, const char *file, const char *key)
{
    char value[256];
    uintmax_t number;
    bool found = read_value(g, file, key, value) && sscanf(value, "%" SCNuMAX, &number) == 1;
    return found ? number : UINTMAX_MAX;
}

static uintmax_t smaller_of(uintmax_t a, uintmax_t b)
{
    return a < b ? a : b;
}

/* Returns the bytes left below a limit; `cached` bytes of the usage could be reclaimed. */
static uintmax_t margin_below(const Cgroup *g, const char *limit, const char *usage,
                              uintmax_t cached)
{
    uintmax_t most = read_number(g, limit, ""), used = read_number(g, usage, "");
    if (most == UINTMAX_MAX || used == UINTMAX_MAX)
        return UINTMAX_MAX;
    used -= smaller_of(cached, used);
    return most > used ? most - used : 0;
}

static uintmax_t with_swap(uintmax_t left, uintmax_t swap)
{
    return left > UINTMAX_MAX - swap ? UINTMAX_MAX : left + swap;
}

static uintmax_t memory_margin(const Cgroup *g, uintmax_t swap)
{
    static const char *const keys[2][2] = { { "total_inactive_file ", "total_active_file " },
                                            { "inactive_file ", "active_file " } };
    uintmax_t cached = 0;
    for (int i = 0; i < 2; i++) {
        uintmax_t files = read_number(g, "/memory.stat", keys[g->second][i]);
        cached += files == UINTMAX_MAX ? 0 : files;
    }
    if (g->second) {
        swap = smaller_of(swap, margin_below(g, "/memory.swap.max", "/memory.swap.current", 0));
        return with_swap(margin_below(g, "/memory.max", "/memory.current", cached), swap);
    }
    /* Version 1's second limit is on memory plus swap. */
    return smaller_of(
        with_swap(margin_below(g, "/memory.limit_in_bytes", "/memory.usage_in_bytes", cached),
                  swap),
        margin_below(g, "/memory.memsw.limit_in_bytes", "/memory.memsw.usage_in_bytes", cached));
}

size_t cgroup_memory_free(const char *root, size_t swap)
{
    Cgroup g;
    uintmax_t left = SIZE_MAX;
    for (int i = 0; find_group(&g, root, "memory", i); i++)
        do
            left = smaller_of(left, memory_margin(&g, swap));
        while (to_parent(&g));
    return (size_t)left;
}

/* Returns the quota of processor time per period, both in microseconds, as "quota period" or in a
 * file each. */
static int processors_in(const Cgroup *g)
{
    char value[256];
    long long quota, period;
    bool found;
    if (g->second)
        found = read_value(g, "/cpu.max", "", value) &&
                sscanf(value, "%lld %lld", &quota, &period) == 2;
    else
        found =
            read_value(g, "/cpu.cfs_quota_us", "", value) && sscanf(value, "%lld", &quota) == 1 &&
            read_value(g, "/cpu.cfs_period_us", "", value) && sscanf(value, "%lld", &period) == 1;
    if (!found || quota < 0 || period <= 0 || quota / period >= INT_MAX)
        return INT_MAX;
    return quota < period ? 1 : (int)(quota / period);
}

int cgroup_processors(const char *root)
{
    Cgroup g;
    int least = INT_MAX;
    for (int i = 0; find_group(&g, root, "cpu", i); i++)
        do
            least = int_min(least, processors_in(&g));
        while (to_parent(&g));
    return least;
}
