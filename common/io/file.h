/* Whole files: read at once, replaced at once. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/error.h"

#include <stddef.h>

/* All bytes of a file ("-": standard input), malloc'd, a 0 byte after the last. */
bool file_read(const char *path, char **bytes, size_t *size, Error *error);

/* Writing beside a file's place, under a name that nobody else has, and renaming it over the old
 * one, so that whatever happens either the old file or the whole new one is there. Something that
 * is not a regular file (/dev/stdout) is written straight. */
typedef struct FileWriter FileWriter;

FileWriter *file_create(const char *path, Error *error);           /* NULL on failure */
bool file_put(FileWriter *writer, const void *bytes, size_t size); /* errors are remembered */
bool file_commit(FileWriter *writer, Error *error); /* flush, fsync, rename; frees the writer */
void file_discard(FileWriter *writer);              /* removes what was written; frees the writer */

/* To be called at a program's beginning: if exit, SIGINT, SIGTERM or SIGHUP ends it, what it is
 * writing is removed. */
void file_clean_at_end(void);

/* Removes what killed programs left beside `path`. Nobody may be writing that file. */
void file_sweep(const char *path);

#endif
