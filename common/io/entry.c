#include "io/entry.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const Dtype dtypes[] = {
    { "BOOL", 8 },    { "F4", 4 },          { "F6_E2M3", 6 },     { "F6_E3M2", 6 },
    { "U8", 8 },      { "I8", 8 },          { "F8_E5M2", 8 },     { "F8_E4M3", 8 },
    { "F8_E8M0", 8 }, { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 }, { "I16", 16 },
    { "U16", 16 },    { "F16", 16 },        { "BF16", 16 },       { "I32", 32 },
    { "U32", 32 },    { "F32", 32 },        { "C64", 64 },        { "F64", 64 },
    { "I64", 64 },    { "U64", 64 },
};

const Dtype *entry_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(name, dtypes[i].name) == 0)
            return &dtypes[i];
    return NULL;
}

bool entry_bad(const char *path, const Entry *entry, const char *what, Error *error)
{
    return error_set(error, path, "'%s': %s", error_shown(entry->key).text, what);
}

size_t entry_elements(const Entry *entry)
{
    size_t elements = 1;
    for (int i = 0; i < entry->rank; i++)
        elements = size_mul(elements, entry->shape[i]);
    return elements;
}

bool entry_check(const char *path, const Entry *entry, Error *error)
{
    size_t elements = 1;
    for (int i = 0; i < entry->rank; i++) {
        elements = size_mul(elements, entry->shape[i]);
        if (elements == SIZE_MAX)
            return entry_bad(path, entry, "the shape is too large", error);
    }
    const Dtype *dtype = entry_dtype(entry->dtype);
    if (!dtype)
        return error_set(error, path, "'%s': unknown dtype '%s'", error_shown(entry->key).text,
                         error_shown(entry->dtype).text);
    size_t bits = size_mul(elements, dtype->bits);
    if (bits == SIZE_MAX)
        return entry_bad(path, entry, "the shape is too large", error);
    if (bits % 8)
        return entry_bad(path, entry, "the elements do not fill whole bytes", error);
    if (bits / 8 != entry->bytes)
        return error_set(error, path, "'%s': %zu byte%s of data, but shape and dtype make %zu",
                         error_shown(entry->key).text, entry->bytes, entry->bytes == 1 ? "" : "s",
                         bits / 8);
    return true;
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const Entry *const *)a)->key, (*(const Entry *const *)b)->key);
}

const Entry **entries_by_key(const char *path, const Entry *entries, size_t count, Error *error)
{
    const Entry **sorted = mem_alloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, count, sizeof *sorted, by_key);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
            entry_bad(path, sorted[i], "the key comes twice", error);
            free(sorted);
            return NULL;
        }
    return sorted;
}

const Entry *entries_find(const Entry **sorted, size_t count, const char *key)
{
    const Entry wanted = { .key = (char *)key }, *pointer = &wanted;
    const Entry **found = count ? bsearch(&pointer, sorted, count, sizeof pointer, by_key) : NULL;
    return found ? *found : NULL;
}

static int by_metadata_key(const void *a, const void *b)
{
    return strcmp(((const Metadata *)a)->key, ((const Metadata *)b)->key);
}

bool metadata_sort(const char *path, Metadata *metadata, size_t count, Error *error)
{
    if (count)
        qsort(metadata, count, sizeof *metadata, by_metadata_key);
    for (size_t i = 1; i < count; i++)
        if (strcmp(metadata[i - 1].key, metadata[i].key) == 0)
            return error_set(error, path, "__metadata__: the key '%s' comes twice",
                             error_shown(metadata[i].key).text);
    return true;
}

const char *metadata_find(const Metadata *sorted, size_t count, const char *key)
{
    Metadata wanted = { .key = (char *)key };
    const Metadata *found =
        count ? bsearch(&wanted, sorted, count, sizeof wanted, by_metadata_key) : NULL;
    return found ? found->value : NULL;
}
