/* Recognition of common files of the wrong kind, given where safetensors or a data set's files are
 * expected. */
#ifndef IO_KIND_H
#define IO_KIND_H

#include <stdbool.h>
#include <stddef.h>

/* Returns the kind of file according to its first bytes, and after a semicolon the way to convert
 * it to safetensors: "is …; …". NULL if unknown. */
const char *file_kind(const char *bytes, size_t size);

/* Tells whether a file begins like text. */
bool file_is_text(const char *bytes, size_t size);

#endif
