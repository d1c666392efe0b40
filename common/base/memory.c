#include "base/memory.h"

#include "base/error.h"
#include "base/system.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

size_t size_mul(size_t a, size_t b)
{
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

static _Noreturn void no_memory(size_t bytes)
{
    if (bytes == SIZE_MAX)
        error_die(EXIT_FAILED, "memory", "more needed than can be addressed");
    error_die(EXIT_FAILED, "memory", "cannot allocate %.1f MiB", (double)bytes / (1 << 20));
}

/* Checks free memory first, because Linux promises more memory than it has and kills the process
 * that uses it. */
static void check_memory_free(size_t bytes)
{
    enum { CHECKED_FROM = 16 << 20 };
    size_t available = bytes < CHECKED_FROM ? SIZE_MAX : system_memory_free();
    if (bytes > available)
        error_die(EXIT_FAILED, "memory", "%.1f MiB needed at once, %.1f MiB are free",
                  (double)bytes / (1 << 20), (double)available / (1 << 20));
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes = size_mul(count, size);
    if (bytes > SIZE_MAX - ALIGNMENT)
        no_memory(bytes);
    check_memory_free(bytes);
    /* At least one byte, so that malloc returns memory. */
    size_t rounded = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory = system_alloc(rounded);
    if (!memory)
        no_memory(bytes);
    return memset(memory, 0, rounded);
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes = size_mul(count, size), old_bytes = old ? system_usable_size(old) : 0;
    if (bytes != SIZE_MAX && bytes > old_bytes)
        check_memory_free(bytes - old_bytes);
    void *memory = bytes == SIZE_MAX ? NULL : realloc(old, bytes ? bytes : 1);
    if (!memory)
        no_memory(bytes);
    return memory;
}

static char *formatted(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0)
        error_die(EXIT_FAILED, "text", "cannot format '%s'", format);
    char *text = mem_alloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *str_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = formatted(format, args);
    va_end(args);
    return text;
}

void str_append(char **text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *before = *text, *more = formatted(format, args);
    va_end(args);
    *text = str_format("%s%s", before ? before : "", more);
    free(before);
    free(more);
}

bool str_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

char *str_float(float value)
{
    char text[32];
    int digits = 0;
    do
        snprintf(text, sizeof text, "%.*g", ++digits, (double)value);
    while (digits < 9 && strtof(text, NULL) != value);
    return str_format("%s", text);
}
