#include "io/idx.h"

#include "base/memory.h"
#include "base/process.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

enum { UNSIGNED_BYTES = 0x08 }; /* the magic number's third byte; its fourth is the rank */

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool check_magic(const char *name, const uint8_t *bytes, size_t size, int rank, Error *error)
{
    uint32_t wanted = UNSIGNED_BYTES << 8 | (uint32_t)rank;
    if (size < 4)
        return error_set(error, name, "%zu bytes, too short for an IDX file", size);
    if (big_endian(bytes) != wanted)
        return error_set(error, name, "the magic number is 0x%08x, not 0x%08x (IDX, %s)",
                         big_endian(bytes), wanted, rank == 1 ? "labels" : "pictures");
    return true;
}

/* The sizes that follow the magic number, none of them 0. */
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
    size_t start = 4 + 4 * (size_t)rank, there = size - start;
    size_t needed = size_mul(size_mul(read.count, read.rows), read.columns);
    if (there < needed)
        return error_set(error, name, "cut short: %zux%zux%zu items need %zu bytes, there are %zu",
                         read.count, read.rows, read.columns, needed, there);
    if (there > needed)
        return error_set(error, name, "%zu bytes after the last item", there - needed);
    read.items = mem_alloc(needed, 1);
    memcpy(read.items, (const uint8_t *)bytes + start, needed);
    *idx = read;
    return true;
}

/* Reading the packed file first gives the usual messages for one that is not there. */
static bool unpack(const char *path, char **bytes, size_t *size, Error *error)
{
    char *packed;
    if (!file_read(path, &packed, size, error))
        return false;
    bool gzip = *size >= 2 && memcmp(packed, "\x1f\x8b", 2) == 0;
    free(packed);
    if (!gzip)
        return error_set(error, path, "not a gzip file, though its name ends in .gz");
    Error why;
    char *const command[] = { "gzip", "-dc", "--", (char *)path, NULL };
    if (!process_read(command, false, bytes, size, &why)) /* gzip says what is wrong */
        return error_set(error, path, "cannot unpack it (%.200s)", why.text);
    return true;
}

bool idx_read(const char *path, int rank, Idx *idx, Error *error)
{
    char *bytes;
    size_t size, length = strlen(path);
    bool packed = length > 3 && strcmp(path + length - 3, ".gz") == 0;
    *idx = (Idx){ .rank = rank };
    bool good = packed ? unpack(path, &bytes, &size, error) : file_read(path, &bytes, &size, error);
    if (!good)
        return false;
    good = idx_parse(path, bytes, size, rank, idx, error);
    free(bytes);
    return good;
}

void idx_free(Idx *idx)
{
    free(idx->items);
    *idx = (Idx){ 0 };
}
