#include "io/safetensors.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/half.h"
#include "io/json.h"
#include "io/kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- reading the header ---------------------------------------------------------------------- */

typedef struct {
    Safetensors *file;
    size_t entry_capacity, metadata_capacity;
    size_t data_at, data_size; /* position and size of the data in the file */
    bool has_metadata;
    /* the entry being read: */
    Entry entry;
    bool has_dtype, has_shape, has_offsets;
    size_t offsets[2];
    int offset_count;
} Reader;

/* Makes room for one more item by doubling the capacity. */
static void *grow(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? size_mul(*capacity, 2) : 16;
    return mem_grow(items, *capacity, size);
}

static bool read_dimension(void *context, Json *json)
{
    Entry *entry = &((Reader *)context)->entry;
    if (entry->rank == ENTRY_RANK)
        return json_fail(json, "'%s': more than %d dimensions", error_shown(entry->key).text,
                         ENTRY_RANK);
    return json_size(json, &entry->shape[entry->rank++]);
}

static bool read_offset(void *context, Json *json)
{
    Reader *reader = context;
    if (reader->offset_count == 2)
        return json_fail(json, "'%s': more than two data_offsets",
                         error_shown(reader->entry.key).text);
    return json_size(json, &reader->offsets[reader->offset_count++]);
}

/* Marks a field as seen; fails if it was before. */
static bool mark_seen(Json *json, const Reader *reader, const char *field, bool *seen)
{
    if (*seen)
        return json_fail(json, "'%s': %s comes twice", error_shown(reader->entry.key).text, field);
    return *seen = true;
}

static bool read_field(void *context, Json *json, char *field)
{
    Reader *reader = context;
    Entry *entry = &reader->entry;
    char *dtype;
    if (strcmp(field, "dtype") == 0) {
        if (!mark_seen(json, reader, field, &reader->has_dtype) || !json_string(json, &dtype))
            return false;
        entry->dtype = dtype;
        return true;
    }
    if (strcmp(field, "shape") == 0)
        return mark_seen(json, reader, field, &reader->has_shape) &&
               json_array(json, read_dimension, reader);
    if (strcmp(field, "data_offsets") == 0)
        return mark_seen(json, reader, field, &reader->has_offsets) &&
               json_array(json, read_offset, reader);
    return json_skip(json); /* a field of a later version */
}

static bool check_fields(const Reader *reader, Error *error)
{
    const char *path = reader->file->path;
    const Entry *entry = &reader->entry;
    if (!reader->has_dtype)
        return entry_bad(path, entry, "no dtype", error);
    if (!reader->has_shape)
        return entry_bad(path, entry, "no shape", error);
    if (!reader->has_offsets)
        return entry_bad(path, entry, "no data_offsets", error);
    if (reader->offset_count != 2)
        return entry_bad(path, entry, "data_offsets are not two numbers", error);
    size_t begin = reader->offsets[0], end = reader->offsets[1];
    if (begin > end)
        return error_set(error, path, "'%s': the offsets run backwards, %zu to %zu",
                         error_shown(entry->key).text, begin, end);
    if (end > reader->data_size)
        return error_set(error, path,
                         "'%s': ends at %zu, past the end of the data at %zu: a file cut short?",
                         error_shown(entry->key).text, end, reader->data_size);
    return true;
}

static bool read_entry(Reader *reader, Json *json, char *key)
{
    Safetensors *file = reader->file;
    reader->entry = (Entry){ .key = key };
    reader->has_dtype = reader->has_shape = reader->has_offsets = false;
    reader->offset_count = 0;
    if (!json_object(json, read_field, reader) || !check_fields(reader, json->error))
        return false;
    Entry *entry = &reader->entry;
    entry->data = file->file + reader->data_at + reader->offsets[0];
    entry->bytes = reader->offsets[1] - reader->offsets[0];
    if (!entry_check(file->path, entry, json->error))
        return false;
    entry->dtype = entry_dtype(entry->dtype)->name;
    file->entries =
        grow(file->entries, file->count, &reader->entry_capacity, sizeof *file->entries);
    file->entries[file->count++] = *entry;
    return true;
}

static bool read_metadata(void *context, Json *json, char *key)
{
    Reader *reader = context;
    Safetensors *file = reader->file;
    Metadata metadata = { .key = key };
    if (!json_string(json, &metadata.value))
        return false;
    file->metadata = grow(file->metadata, file->metadata_count, &reader->metadata_capacity,
                          sizeof *file->metadata);
    file->metadata[file->metadata_count++] = metadata;
    return true;
}

static bool read_member(void *context, Json *json, char *key)
{
    Reader *reader = context;
    if (strcmp(key, METADATA_KEY) != 0)
        return read_entry(reader, json, key);
    if (reader->has_metadata)
        return json_fail(json, "%s comes twice", METADATA_KEY);
    reader->has_metadata = true;
    return json_null(json) || json_object(json, read_metadata, reader);
}

static bool read_header(Reader *reader, size_t length, Error *error)
{
    Safetensors *file = reader->file;
    Json json = { file->path, file->file + LENGTH_BYTES, length, 0, error };
    if (length && *json.text != '{') /* white space is allowed only after the header */
        return json_fail(&json, "the header does not start with '{'");
    return json_object(&json, read_member, reader) && json_end(&json);
}

/* --- the layout of the data ------------------------------------------------------------------ */

/* Orders entries by begin, then end, so that an empty tensor precedes one at the same offset; then
 * by position in the header, where the keys are. */
static int by_data(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Sorts the entries by their data, which must be contiguous up to the end of the file. */
static bool check_layout(const Reader *reader, Error *error)
{
    Safetensors *file = reader->file;
    const char *data = file->file + reader->data_at;
    size_t at = 0;
    if (file->count)
        qsort(file->entries, file->count, sizeof *file->entries, by_data);
    for (size_t i = 0; i < file->count; i++) {
        const Entry *entry = &file->entries[i];
        size_t begin = (size_t)((const char *)entry->data - data);
        if (begin < at)
            return error_set(error, file->path, "'%s': its data overlap those of '%s'",
                             error_shown(entry->key).text, error_shown(entry[-1].key).text);
        if (begin > at)
            return error_set(error, file->path, "'%s': a hole of %zu byte%s before its data",
                             error_shown(entry->key).text, begin - at, begin - at == 1 ? "" : "s");
        at += entry->bytes;
    }
    size_t rest = reader->data_size - at;
    if (rest)
        return error_set(error, file->path, "%zu byte%s after the last tensor", rest,
                         rest == 1 ? "" : "s");
    return true;
}

/* --- files ----------------------------------------------------------------------------------- */

/* Finds the start of the data from the header's length. */
static bool find_header(Reader *reader, size_t size, size_t *length, Error *error)
{
    Safetensors *file = reader->file;
    uint64_t stated;
    if (size < LENGTH_BYTES)
        return error_set(error, file->path,
                         "%zu byte%s, too short for the 8 of a safetensors header's length", size,
                         size == 1 ? "" : "s");
    memcpy(&stated, file->file, LENGTH_BYTES);
    if (stated > HEADER_MAX)
        return error_set(error, file->path,
                         "a header of %llu bytes, more than %d: not a safetensors file",
                         (unsigned long long)stated, HEADER_MAX);
    if (stated > size - LENGTH_BYTES)
        return error_set(error, file->path,
                         "a header of %llu byte%s, past the end of the file: not a safetensors "
                         "file, or cut short",
                         (unsigned long long)stated, stated == 1 ? "" : "s");
    *length = (size_t)stated;
    reader->data_at = LENGTH_BYTES + *length;
    reader->data_size = size - reader->data_at;
    return true;
}

/* Reads the header's length. A file with an invalid one is often of another kind that can be
 * named. */
static bool read_length(Reader *reader, size_t size, size_t *length, Error *error)
{
    if (find_header(reader, size, length, error))
        return true;
    const char *kind = file_kind(reader->file->file, size);
    return kind ? error_set(error, reader->file->path, "%s", kind) : false;
}

bool safetensors_parse(const char *name, char *bytes, size_t size, Safetensors *file, Error *error)
{
    *file = (Safetensors){ .path = str_format("%s", name), .file = bytes };
    Reader reader = { .file = file };
    size_t length = 0;
    bool good = read_length(&reader, size, &length, error) && read_header(&reader, length, error) &&
                check_layout(&reader, error) &&
                metadata_sort(file->path, file->metadata, file->metadata_count, error);
    if (good)
        file->by_key = entries_by_key(file->path, file->entries, file->count, error);
    if (file->by_key)
        return true;
    safetensors_free(file);
    return false;
}

bool safetensors_read(const char *path, Safetensors *file, Error *error)
{
    char *bytes;
    size_t size;
    *file = (Safetensors){ 0 };
    return file_read(path, &bytes, &size, error) &&
           safetensors_parse(path, bytes, size, file, error);
}

void safetensors_free(Safetensors *file)
{
    free(file->path);
    free(file->file);
    free(file->entries);
    free(file->by_key);
    free(file->metadata);
    *file = (Safetensors){ 0 };
}

/* --- looking up ------------------------------------------------------------------------------ */

const Entry *safetensors_find(const Safetensors *file, const char *key)
{
    return entries_find(file->by_key, file->count, key);
}

char *entry_shape_text(const Entry *entry)
{
    char *text = str_format("%s", "");
    for (int i = 0; i < entry->rank; i++)
        str_append(&text, "%s%zu", i ? "x" : "", entry->shape[i]);
    return text;
}

const char *safetensors_metadata(const Safetensors *file, const char *key)
{
    return metadata_find(file->metadata, file->metadata_count, key);
}

static bool wrong_dtype(const Safetensors *file, const Entry *entry, const char *expected,
                        Error *error)
{
    return error_set(error, file->path, "'%s': the dtype is %s, not %s",
                     error_shown(entry->key).text, entry->dtype, expected);
}

static void copy_elements(const Entry *entry, void *out)
{
    if (entry->bytes)
        memcpy(out, entry->data, entry->bytes);
}

static void widen(const Entry *entry, float (*to_float)(uint16_t), float *out)
{
    const char *from = entry->data;
    for (size_t i = 0, count = entry_elements(entry); i < count; i++) {
        uint16_t narrow;
        memcpy(&narrow, from + i * sizeof narrow, sizeof narrow);
        out[i] = to_float(narrow);
    }
}

static bool narrow(const Safetensors *file, const Entry *entry, float *out, Error *error)
{
    const char *from = entry->data;
    for (size_t i = 0, count = entry_elements(entry); i < count; i++) {
        double wide;
        memcpy(&wide, from + i * sizeof wide, sizeof wide);
        out[i] = (float)wide;
        if (isfinite(wide) && !isfinite(out[i]))
            return error_set(error, file->path, "'%s': %g is too large for float32",
                             error_shown(entry->key).text, wide);
    }
    return true;
}

bool entry_floats(const Safetensors *file, const Entry *entry, float *out, Error *error)
{
    if (strcmp(entry->dtype, "F32") == 0)
        copy_elements(entry, out);
    else if (strcmp(entry->dtype, "F16") == 0)
        widen(entry, half_to_float, out);
    else if (strcmp(entry->dtype, "BF16") == 0)
        widen(entry, bfloat_to_float, out);
    else if (strcmp(entry->dtype, "F64") == 0)
        return narrow(file, entry, out, error);
    else
        return wrong_dtype(file, entry, "F32, F16, BF16 or F64", error);
    return true;
}

/* Reads one whole number of `size` bytes, little-endian; returns false if it exceeds int64's
 * range. */
static bool read_integer(const char *from, size_t size, bool has_sign, int64_t *number)
{
    uint64_t value = 0;
    memcpy(&value, from, size);
    if (has_sign && size < sizeof value && value >> (8 * size - 1))
        value |= UINT64_MAX << 8 * size;
    memcpy(number, &value, sizeof value);
    return has_sign || *number >= 0;
}

bool entry_int64s(const Safetensors *file, const Entry *entry, int64_t *out, Error *error)
{
    char kind = entry->dtype[0];
    if (kind != 'I' && kind != 'U')
        return wrong_dtype(file, entry, "one of whole numbers (I64, I32, U8, ...)", error);
    size_t size = entry_dtype(entry->dtype)->bits / 8;
    const char *from = entry->data;
    for (size_t i = 0, count = entry_elements(entry); i < count; i++, from += size)
        if (!read_integer(from, size, kind == 'I', &out[i]))
            return entry_bad(file->path, entry, "a number is above 2^63 - 1", error);
    return true;
}
