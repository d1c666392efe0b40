#include "base/memory.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

static bool put_string(FILE *header, const char *path, const char *string, Error *error)
{
    if (!json_holds(string))
        return error_set(error, path, "'%s': not valid UTF-8", error_shown(string).text);
    json_put_string(header, string);
    return true;
}

static bool put_metadata(FILE *header, const char *path, const Metadata *metadata, size_t count,
                         Error *error)
{
    fputs("\"__metadata__\":{", header);
    for (size_t i = 0; i < count; i++) {
        fputs(i ? "," : "", header);
        if (!put_string(header, path, metadata[i].key, error))
            return false;
        putc(':', header);
        if (!put_string(header, path, metadata[i].value, error))
            return false;
    }
    putc('}', header);
    return true;
}

/* Appends "key":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}. */
static bool put_entry(FILE *header, const char *path, const Entry *entry, size_t begin,
                      Error *error)
{
    if (!put_string(header, path, entry->key, error))
        return false;
    fprintf(header, ":{\"dtype\":\"%s\",\"shape\":[", entry->dtype);
    for (int i = 0; i < entry->rank; i++)
        fprintf(header, "%s%zu", i ? "," : "", entry->shape[i]);
    fprintf(header, "],\"data_offsets\":[%zu,%zu]}", begin, begin + entry->bytes);
    return true;
}

/* Appends the header's JSON, padded with spaces so that the data begin at a multiple of 8. */
static bool put_header(FILE *header, const char *path, const Entry *entries, size_t count,
                       const Metadata *metadata, size_t metadata_count, Error *error)
{
    size_t at = 0;
    putc('{', header);
    if (metadata_count && !put_metadata(header, path, metadata, metadata_count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        fputs(i || metadata_count ? "," : "", header);
        if (!put_entry(header, path, &entries[i], at, error))
            return false;
        if (__builtin_add_overflow(at, entries[i].bytes, &at))
            return entry_bad(path, &entries[i], "the data are too large", error);
    }
    putc('}', header);
    while (ftell(header) % 8)
        putc(' ', header);
    if (ftell(header) > HEADER_MAX)
        return error_set(error, path, "a header of %ld bytes, more than the %d of the format",
                         ftell(header), HEADER_MAX);
    return true;
}

/* Checks entries in memory as the reader checks those of a file. */
static bool check_entries(const char *path, const Entry *entries, size_t count, Error *error)
{
    for (size_t i = 0; i < count; i++) {
        const Entry *entry = &entries[i];
        if (strcmp(entry->key, METADATA_KEY) == 0)
            return entry_bad(path, entry, "the format keeps this key to itself", error);
        if (entry->rank < 0 || entry->rank > ENTRY_RANK)
            return entry_bad(path, entry, "not 0 to 64 dimensions", error);
        if (!entry_check(path, entry, error))
            return false;
    }
    const Entry **sorted = entries_by_key(path, entries, count, error);
    free(sorted);
    return sorted != NULL;
}

static bool check_metadata(const char *path, const Metadata *metadata, size_t count, Error *error)
{
    Metadata *copy = mem_alloc(count, sizeof *copy);
    if (count)
        memcpy(copy, metadata, count * sizeof *copy);
    bool good = metadata_sort(path, copy, count, error);
    free(copy);
    return good;
}

static bool write_all(const char *path, const Text *header, const Entry *entries, size_t count,
                      Error *error)
{
    FileWriter *writer = file_create(path, error);
    if (!writer)
        return false;
    uint64_t length = header->size;
    file_put(writer, &length, LENGTH_BYTES);
    file_put(writer, header->bytes, header->size);
    for (size_t i = 0; i < count; i++)
        file_put(writer, entries[i].data, entries[i].bytes);
    return file_commit(writer, error);
}

bool safetensors_write(const char *path, const Entry *entries, size_t count,
                       const Metadata *metadata, size_t metadata_count, Error *error)
{
    Text header;
    text_open(&header);
    bool good = check_entries(path, entries, count, error) &&
                check_metadata(path, metadata, metadata_count, error) &&
                put_header(header.out, path, entries, count, metadata, metadata_count, error);
    text_close(&header);
    good = good && write_all(path, &header, entries, count, error);
    free(header.bytes);
    return good;
}
