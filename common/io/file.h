/* Whole files: read at once, replaced atomically. */
#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/error.h"

#include <stddef.h>

/* Reads all bytes of a file ("-": standard input) into malloc'd memory, with a 0 byte after the
 * last. */
bool file_read(const char *path, char **bytes, size_t *size, Error *error);

/* A writer of a file: it writes to a temporary of a unique name in the same folder and renames that
 * over the old file, so that whatever happens either the old file or the whole new one exists. What
 * is not a regular file (/dev/stdout) is written directly. */
typedef struct FileWriter FileWriter;

FileWriter *file_create(const char *path, Error *error); /* NULL on failure */
bool file_put(FileWriter *writer, const void *bytes,
              size_t size);                         /* errors are reported by file_commit */
bool file_commit(FileWriter *writer, Error *error); /* flush, fsync, rename; frees the writer */
void file_discard(FileWriter *writer);              /* removes what was written; frees the writer */

/* Writes a whole file likewise. */
bool file_write(const char *path, const void *bytes, size_t size, Error *error);

/* Removes unfinished files when exit, SIGINT, SIGTERM or SIGHUP ends the program. To be called when
 * the program starts. */
void file_clean_at_end(void);

/* Removes temporaries that killed programs left beside `path`, which no program may be writing. */
void file_sweep(const char *path);

#endif
