/* Everything that differs between systems: the rest of the library is C11 with GNU vectors and
 * POSIX. */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the program's name as called, without its folder. */
const char *system_program_name(void);

/* Finds the program's own file, with links followed. Returns false if the system does not tell. */
bool system_own_path(char *path, size_t size);

/* Returns the number of processors available to this process: the smaller of its affinity mask and
 * its control groups' quota, rounded down; at least 1. */
int system_processors(void);

/* Returns the processor and its widest vectors, on which the order of sums and so the bits depend,
 * as results/cpu.sh says them: "AMD EPYC avx512f"; malloc'd. */
char *system_processor(void);

/* Returns the bytes that can still be allocated: the smaller of the system's available memory and
 * the margin of the process's control groups, including swap. SIZE_MAX if unknown. */
size_t system_memory_free(void);

/* Returns the process's peak memory in bytes; 0 if unknown. */
size_t system_memory_peak(void);

/* Returns memory aligned to 64 bytes, not zeroed; from 2 MiB on directly from the system, in huge
 * pages where supported. NULL if there is not enough. Free with free(). */
void *system_alloc(size_t bytes);

/* Zeroed memory that lies in a file without a name, on the disk of $TMPDIR or /var/tmp, so that
 * there may be more of it than the machine has otherwise; system_file_folder tells which. NULL, and
 * errno, where that has no room. */
void *system_file_alloc(size_t bytes);
void system_file_free(void *memory);
const char *system_file_folder(void);

/* When the file's bytes were last changed, in nanoseconds. */
struct stat;
int64_t system_file_time(const struct stat *status);

/* Returns the usable bytes behind a pointer from malloc() and the like; at least those asked
 * for. */
size_t system_usable_size(void *memory);

/* Locks an open file or folder for this process, until it ends. Returns false if another process
 * holds the lock for a whole second: a killed process may still be ending, and programs that look
 * into /proc at its files (lsof, fuser) briefly hold them and the lock. On file systems without
 * locks it succeeds. */
bool system_lock(int file);

/* Returns the width of a terminal in columns; 0 if unknown. */
int system_columns(int file);

#endif
