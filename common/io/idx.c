#include "io/idx.h"

#include "base/memory.h"
#include "io/gzip.h"
#include "io/kind.h"

#include <stdlib.h>
#include <string.h>

enum { UNSIGNED_BYTES = 0x08 }; /* the magic number's third byte; the fourth is the rank */

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool check_magic(const char *name, const uint8_t *bytes, size_t size, int rank, Error *error)
{
    uint32_t wanted = UNSIGNED_BYTES << 8 | (uint32_t)rank;
    const char *kind = file_kind((const char *)bytes, size);
    if (kind)
        return error_set(error, name, "%.*s", (int)strcspn(kind, ";"), kind);
    if (size < 4)
        return error_set(error, name, "%zu byte%s, too short for an IDX file", size,
                         size == 1 ? "" : "s");
    if (big_endian(bytes) != wanted)
        return error_set(error, name, "the magic number is 0x%08x, not 0x%08x (IDX, %s)",
                         big_endian(bytes), wanted, rank == 1 ? "labels" : "images");
    return true;
}

/* Reads the sizes that follow the magic number; none may be 0. */
static bool read_sizes(const char *name, const uint8_t *bytes, size_t size, Idx *idx, Error *error)
{
    size_t sizes[3] = { 1, 1, 1 };
    if (size < 4 + 4 * (size_t)idx->rank)
        return error_set(error, name, "cut short: the file ends within the sizes");
    for (int i = 0; i < idx->rank; i++) {
        sizes[i] = big_endian(bytes + 4 + 4 * i);
        if (sizes[i] == 0)
            return error_set(error, name, "dimension %d is 0: there is nothing in it", i);
    }
    idx->count = sizes[0];
    idx->rows = sizes[1];
    idx->columns = sizes[2];
    return true;
}

bool idx_parse(const char *name, const void *bytes, size_t size, int rank, Idx *idx, Error *error)
{
    *idx = (Idx){ .rank = rank };
    Idx read = { .rank = rank };
    if (!check_magic(name, bytes, size, rank, error) ||
        !read_sizes(name, bytes, size, &read, error))
        return false;
    size_t start = 4 + 4 * (size_t)rank, available = size - start;
    size_t needed = size_mul(size_mul(read.count, read.rows), read.columns);
    if (available < needed)
        return error_set(error, name, "cut short: %zux%zux%zu bytes are needed, there are %zu",
                         read.count, read.rows, read.columns, available);
    if (available > needed)
        return error_set(error, name, "%zu byte%s after the last item", available - needed,
                         available - needed == 1 ? "" : "s");
    read.items = mem_alloc(needed, 1);
    memcpy(read.items, (const uint8_t *)bytes + start, needed);
    *idx = read;
    return true;
}

bool idx_read(const char *path, int rank, Idx *idx, Error *error)
{
    char *bytes;
    size_t size;
    *idx = (Idx){ .rank = rank };
    if (!gzip_read(path, &bytes, &size, error))
        return false;
    bool good = idx_parse(path, bytes, size, rank, idx, error);
    free(bytes);
    return good;
}

void idx_free(Idx *idx)
{
    free(idx->items);
    *idx = (Idx){ 0 };
}
