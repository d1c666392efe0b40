#include "base/text.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void text_open(Text *text)
{
    text->out = open_memstream(&text->bytes, &text->size);
    if (!text->out)
        error_die(EXIT_FAILED, "text", "no memory for it");
}

void text_close(Text *text)
{
    bool lost = ferror(text->out);
    /* glibc says nothing where it could not shrink the memory to the text. */
    if (fclose(text->out) != 0 || lost || !text->bytes)
        error_die(EXIT_FAILED, "text", "no memory for it");
}

/* --- reading --------------------------------------------------------------------------------- */

/* Finds the buffer size for the first read, a regular file's size, one byte more, whose absence
 * marks the end, and one for the terminating 0, and how much to read at most: devices such as
 * /dev/zero have no end. */
static void find_bounds(int from, size_t *first, size_t *most)
{
    enum { LEAST = 1 << 16, DEVICE = 64 << 20 };
    struct stat status;
    bool known = fstat(from, &status) == 0;
    bool large = known && S_ISREG(status.st_mode) && (uintmax_t)status.st_size > LEAST;
    *first = (large ? (size_t)status.st_size : LEAST) + 2;
    *most = known && S_ISCHR(status.st_mode) ? DEVICE : SIZE_MAX;
}

static bool fail_read(char *bytes, int saved_errno)
{
    free(bytes);
    errno = saved_errno;
    return false;
}

bool text_read(int from, char **bytes, size_t *size)
{
    size_t limit, capacity, used = 0;
    find_bounds(from, &capacity, &limit);
    char *all = mem_grow(NULL, capacity, 1);
    ssize_t count;
    while ((count = read(from, all + used, capacity - used - 1)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_read(all, errno);
        used += (size_t)count;
        if (used > limit)
            return fail_read(all, EFBIG);
        if (capacity - used < 2) {
            capacity = size_mul(capacity, 2);
            all = mem_grow(all, capacity, 1);
        }
    }
    all[used] = 0;
    *bytes = all;
    *size = used;
    return true;
}
