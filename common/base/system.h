/* All that differs between systems: the rest of the library is C11 with GNU vectors and POSIX. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/* What the program was called, without its folder. */
const char *system_program_name(void);

/* The program's own file, with links followed. False where the system does not tell. */
bool system_own_path(char *path, size_t size);

/* How many processors this process may use: the smaller of those that it may run on and of its
 * control groups' quota, rounded down; 1 at least. */
int system_processors(void);

/* Bytes that could still be had: the smaller of what the system has available and of what the
 * process's control groups leave, swap included. SIZE_MAX where nothing tells. */
size_t system_memory_free(void);

/* The most memory that the process has had at a time, in bytes; 0 where nothing tells. */
size_t system_memory_peak(void);

/* Memory at an address that is a multiple of 64, not zeroed; from 2 MiB on from the system itself,
 * in huge pages where it has them. NULL where there is none. free() it. */
void *system_alloc(size_t bytes);

/* How many bytes a pointer from malloc() and the like has; at least those asked for. */
size_t system_usable_size(void *memory);

/* Locks an open file or folder for this process, until it ends. False where another one has it and
 * keeps it for a second: one that was killed may still be ending, and whoever looks into /proc at
 * the files of one that has ended (lsof, fuser) holds them, and the lock, for that moment. A file
 * system without locks does without. */
bool system_lock(int file);

/* How wide a terminal is, in columns; 0 where nothing tells. */
int system_columns(int file);

/* --- Linux's control groups, versions 1 and 2 ------------------------------------------------ */

/* What the files below `root` ("" but in tests) say: /proc/self/cgroup, /proc/self/mountinfo and
 * the groups' own, from the process's group up to the highest that is mounted. */
size_t cgroup_memory_free(const char *root, size_t swap); /* swap: bytes free of the system's */
int cgroup_processors(const char *root);                  /* INT_MAX without a quota */

#endif
