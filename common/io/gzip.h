/* Files that may be compressed with gzip, whatever their names. */
#ifndef IO_GZIP_H
#define IO_GZIP_H

#include "base/error.h"

#include <stddef.h>

/* Reads a file like file_read (io/file.h), and decompresses gzip data with gzip(1). */
bool gzip_read(const char *path, char **bytes, size_t *size, Error *error);

#endif
