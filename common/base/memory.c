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

/* Linux promises more memory than there is and kills whoever uses it. */
static void check_free(size_t bytes)
{
    enum { WORTH_ASKING = 16 << 20 };
    size_t left = bytes < WORTH_ASKING ? SIZE_MAX : system_memory_free();
    if (bytes > left)
        error_die(EXIT_FAILED, "memory", "%.1f MiB needed at once, %.1f MiB are free",
                  (double)bytes / (1 << 20), (double)left / (1 << 20));
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes = size_mul(count, size);
    if (bytes > SIZE_MAX - ALIGNMENT)
        no_memory(bytes);
    check_free(bytes);
    /* One byte at least, to get memory. */
    size_t rounded = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory = system_alloc(rounded);
    if (!memory)
        no_memory(bytes);
    return memset(memory, 0, rounded);
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes = size_mul(count, size), had = old ? system_usable_size(old) : 0;
    if (bytes != SIZE_MAX && bytes > had)
        check_free(bytes - had);
    void *memory = bytes == SIZE_MAX ? NULL : realloc(old, bytes ? bytes : 1);
    if (!memory)
        no_memory(bytes);
    return memory;
}

char *str_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        error_die(EXIT_FAILED, "text", "cannot format '%s'", format);
    char *text = mem_alloc((size_t)length + 1, 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}
