#define _GNU_SOURCE /* madvise, posix_memalign, the e of fopen */
#include "base/memory.h"

#include "base/error.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 1 << 21 };

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

/* What the system could still give, swap included; SIZE_MAX where it does not tell. */
static size_t bytes_free(void)
{
    FILE *info = fopen("/proc/meminfo", "re");
    char line[256];
    size_t kib, sum = 0;
    bool told = false;
    while (info && fgets(line, sizeof line, info))
        if (sscanf(line, "MemAvailable: %zu", &kib) == 1) {
            sum += kib;
            told = true;
        } else if (sscanf(line, "SwapFree: %zu", &kib) == 1)
            sum += kib;
    if (info)
        fclose(info);
    return told ? size_mul(sum, 1024) : SIZE_MAX;
}

/* Linux promises more memory than there is and kills whoever uses it. */
static void check_free(size_t bytes)
{
    enum { WORTH_ASKING = 256 << 20 };
    size_t left = bytes < WORTH_ASKING ? SIZE_MAX : bytes_free();
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
    bool large = bytes >= HUGE_PAGE;
    /* One byte at least, to get memory. Not by aligned_alloc, which wants a multiple of the
     * alignment: up to a huge page more. */
    size_t rounded = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *memory;
    /* From the system: what was freed before would keep its small pages. */
    if (large)
        mallopt(M_MMAP_THRESHOLD, HUGE_PAGE);
    if (posix_memalign(&memory, large ? HUGE_PAGE : ALIGNMENT, rounded) != 0)
        no_memory(bytes);
    if (large)
        madvise(memory, rounded, MADV_HUGEPAGE);
    return memset(memory, 0, rounded);
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes = size_mul(count, size), had = old ? malloc_usable_size(old) : 0;
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
