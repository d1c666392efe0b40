/* Memory that is there or ends the program: no caller checks for NULL, no size overflows. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* a * b, or SIZE_MAX where that overflows: a size that no allocation grants. */
size_t size_mul(size_t a, size_t b);

/* count * size zeroed bytes, aligned for any vector (64). Free with free(). */
void *mem_alloc(size_t count, size_t size);

/* `old` (from mem_grow or NULL) with room for `count` items of `size` bytes; new bytes are not
 * zeroed. */
void *mem_grow(void *old, size_t count, size_t size);

/* A formatted string of its own memory. */
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
