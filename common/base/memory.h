/* Memory allocation that succeeds or ends the program: no caller checks for NULL, no size
 * overflows. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Returns a * b, or SIZE_MAX on overflow: a size that no allocation grants. */
size_t size_mul(size_t a, size_t b);

/* Returns count * size zeroed bytes, aligned to 64 for any vector. Free with free(). */
void *mem_alloc(size_t count, size_t size);

/* Resizes `old` (from mem_grow, or NULL) to `count` items of `size` bytes; new bytes are not
 * zeroed. */
void *mem_grow(void *old, size_t count, size_t size);

/* Returns a formatted string in memory of its own. Free with free(). */
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Puts more text behind *text, which str_format returned, or NULL for "". */
void str_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool str_ends_with(const char *text, const char *end);

/* Returns the number in as few digits as tell it from other floats, from the heap. */
char *str_float(float value);

#endif
