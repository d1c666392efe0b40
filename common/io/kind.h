/* Files of a kind that people have where safetensors, or a data set's files, are wanted. */
#ifndef IO_KIND_H
#define IO_KIND_H

#include <stddef.h>

/* What the file is, by its first bytes, and behind a semicolon how to get safetensors from there:
 * "is …; …". NULL where they say nothing. */
const char *file_kind(const char *bytes, size_t size);

#endif
