/* Files that may be packed by gzip, whatever their names. */
#ifndef IO_GZIP_H
#define IO_GZIP_H

#include "base/error.h"

#include <stddef.h>

/* Like file_read (io/file.h), but what gzip packed is unpacked, by gzip(1). */
bool gzip_read(const char *path, char **bytes, size_t *size, Error *error);

#endif
