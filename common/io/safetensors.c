#include "io/safetensors.h"

#include "base/memory.h"
#include "io/file.h"
#include "io/half.h"
#include "io/json.h"
#include "io/kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are read and written as they lie in memory, which must be little-endian");

enum {
    LENGTH_BYTES = 8,
    HEADER_MAX = 100000000, /* the format's limit */
    RANK_MAX = sizeof((Entry){ 0 }.shape) / sizeof(size_t)
};

static const char metadata_key[] = "__metadata__";

/* --- dtypes ---------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    size_t bits; /* an element */
} Dtype;

static const Dtype dtypes[] = {
    { "BOOL", 8 },    { "F4", 4 },          { "F6_E2M3", 6 },     { "F6_E3M2", 6 },
    { "U8", 8 },      { "I8", 8 },          { "F8_E5M2", 8 },     { "F8_E4M3", 8 },
    { "F8_E8M0", 8 }, { "F8_E4M3FNUZ", 8 }, { "F8_E5M2FNUZ", 8 }, { "I16", 16 },
    { "U16", 16 },    { "F16", 16 },        { "BF16", 16 },       { "I32", 32 },
    { "U32", 32 },    { "F32", 32 },        { "C64", 64 },        { "F64", 64 },
    { "I64", 64 },    { "U64", 64 },
};

static const Dtype *find_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(name, dtypes[i].name) == 0)
            return &dtypes[i];
    return NULL;
}

/* --- what holds of every entry, read or written ---------------------------------------------- */

static bool bad_entry(const char *path, const Entry *entry, const char *what, Error *error)
{
    return error_set(error, path, "'%s': %s", error_shown(entry->key).text, what);
}

/* The product of the shape in bits and then bytes has to be the size of the data. */
static bool check_size(const char *path, const Entry *entry, Error *error)
{
    size_t elements = 1;
    for (int i = 0; i < entry->rank; i++) {
        elements = size_mul(elements, entry->shape[i]);
        if (elements == SIZE_MAX)
            return bad_entry(path, entry, "the shape is too large", error);
    }
    const Dtype *dtype = find_dtype(entry->dtype);
    if (!dtype)
        return error_set(error, path, "'%s': unknown dtype '%s'", error_shown(entry->key).text,
                         error_shown(entry->dtype).text);
    size_t bits = size_mul(elements, dtype->bits);
    if (bits == SIZE_MAX)
        return bad_entry(path, entry, "the shape is too large", error);
    if (bits % 8)
        return bad_entry(path, entry, "the elements do not fill whole bytes", error);
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

/* The entries sorted by key, owned by the caller; NULL, with the error set, if a key comes twice.
 */
static const Entry **sort_by_key(const char *path, const Entry *entries, size_t count, Error *error)
{
    const Entry **sorted = mem_alloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, count, sizeof *sorted, by_key);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
            bad_entry(path, sorted[i], "the key comes twice", error);
            free(sorted);
            return NULL;
        }
    return sorted;
}

static int by_metadata_key(const void *a, const void *b)
{
    return strcmp(((const Metadata *)a)->key, ((const Metadata *)b)->key);
}

static bool sort_metadata(const char *path, Metadata *metadata, size_t count, Error *error)
{
    if (count)
        qsort(metadata, count, sizeof *metadata, by_metadata_key);
    for (size_t i = 1; i < count; i++)
        if (strcmp(metadata[i - 1].key, metadata[i].key) == 0)
            return error_set(error, path, "%s: the key '%s' comes twice", metadata_key,
                             error_shown(metadata[i].key).text);
    return true;
}

/* --- reading the header ---------------------------------------------------------------------- */

typedef struct {
    Safetensors *file;
    size_t entry_room, metadata_room;
    size_t data_at, data_size; /* the data in the file's bytes */
    bool has_metadata;
    /* of the entry being read: */
    Entry entry;
    bool has_dtype, has_shape, has_offsets;
    size_t offsets[2];
    int offset_count;
} Reader;

/* Room for one more: doubles what there is. */
static void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? size_mul(*room, 2) : 16;
    return mem_grow(items, *room, size);
}

static bool read_dimension(void *context, Json *json)
{
    Entry *entry = &((Reader *)context)->entry;
    if (entry->rank == RANK_MAX)
        return json_fail(json, "'%s': more than %d dimensions", error_shown(entry->key).text,
                         RANK_MAX);
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

/* Each field once. */
static bool first_time(Json *json, const Reader *reader, const char *field, bool *seen)
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
        if (!first_time(json, reader, field, &reader->has_dtype) || !json_string(json, &dtype))
            return false;
        entry->dtype = dtype;
        return true;
    }
    if (strcmp(field, "shape") == 0)
        return first_time(json, reader, field, &reader->has_shape) &&
               json_array(json, read_dimension, reader);
    if (strcmp(field, "data_offsets") == 0)
        return first_time(json, reader, field, &reader->has_offsets) &&
               json_array(json, read_offset, reader);
    return json_skip(json); /* some later version's */
}

static bool check_fields(const Reader *reader, Error *error)
{
    const char *path = reader->file->path;
    const Entry *entry = &reader->entry;
    if (!reader->has_dtype)
        return bad_entry(path, entry, "no dtype", error);
    if (!reader->has_shape)
        return bad_entry(path, entry, "no shape", error);
    if (!reader->has_offsets)
        return bad_entry(path, entry, "no data_offsets", error);
    if (reader->offset_count != 2)
        return bad_entry(path, entry, "data_offsets are not two numbers", error);
    size_t begin = reader->offsets[0], end = reader->offsets[1];
    if (begin > end)
        return error_set(error, path, "'%s': the offsets run backwards, %zu to %zu",
                         error_shown(entry->key).text, begin, end);
    if (end > reader->data_size)
        return error_set(error, path, "'%s': ends at %zu, past the end of the data at %zu",
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
    if (!check_size(file->path, entry, json->error))
        return false;
    entry->dtype = find_dtype(entry->dtype)->name;
    file->entries = grow(file->entries, file->count, &reader->entry_room, sizeof *file->entries);
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
    file->metadata =
        grow(file->metadata, file->metadata_count, &reader->metadata_room, sizeof *file->metadata);
    file->metadata[file->metadata_count++] = metadata;
    return true;
}

static bool read_member(void *context, Json *json, char *key)
{
    Reader *reader = context;
    if (strcmp(key, metadata_key) != 0)
        return read_entry(reader, json, key);
    if (reader->has_metadata)
        return json_fail(json, "%s comes twice", metadata_key);
    reader->has_metadata = true;
    return json_null(json) || json_object(json, read_metadata, reader);
}

static bool read_header(Reader *reader, size_t length, Error *error)
{
    Safetensors *file = reader->file;
    Json json = { file->path, file->file + LENGTH_BYTES, length, 0, error };
    if (length && *json.text != '{') /* white space is allowed behind the header only */
        return json_fail(&json, "the header does not start with '{'");
    return json_object(&json, read_member, reader) && json_end(&json);
}

/* --- the layout of the data ------------------------------------------------------------------ */

/* By begin, then end, so that an empty tensor comes before the one that starts where it lies; then
 * by the place in the header, where the keys still stand. */
static int by_data(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Sorts the entries by their data, which have to follow each other without a gap, to the end. */
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

/* Where the data begin, from the header's length. */
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

/* A file that cannot begin as it does is often one of another kind that can be named. */
static bool begin(Reader *reader, size_t size, size_t *length, Error *error)
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
    bool good = begin(&reader, size, &length, error) && read_header(&reader, length, error) &&
                check_layout(&reader, error) &&
                sort_metadata(file->path, file->metadata, file->metadata_count, error);
    if (good)
        file->by_key = sort_by_key(file->path, file->entries, file->count, error);
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
    if (!file->count)
        return NULL;
    const Entry wanted = { .key = (char *)key }, *pointer = &wanted;
    const Entry **found = bsearch(&pointer, file->by_key, file->count, sizeof pointer, by_key);
    return found ? *found : NULL;
}

const char *safetensors_metadata(const Safetensors *file, const char *key)
{
    if (!file->metadata_count)
        return NULL;
    Metadata wanted = { .key = (char *)key };
    const Metadata *found =
        bsearch(&wanted, file->metadata, file->metadata_count, sizeof wanted, by_metadata_key);
    return found ? found->value : NULL;
}

size_t entry_elements(const Entry *entry)
{
    size_t elements = 1;
    for (int i = 0; i < entry->rank; i++)
        elements = size_mul(elements, entry->shape[i]);
    return elements;
}

static bool wrong_dtype(const Safetensors *file, const Entry *entry, const char *wanted,
                        Error *error)
{
    return error_set(error, file->path, "'%s': the dtype is %s, not %s",
                     error_shown(entry->key).text, entry->dtype, wanted);
}

static void copy_out(const Entry *entry, void *out)
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
        copy_out(entry, out);
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

/* One whole number of `size` bytes, the first the lowest; false where it is above int64's. */
static bool read_whole(const char *from, size_t size, bool has_sign, int64_t *whole)
{
    uint64_t value = 0;
    memcpy(&value, from, size);
    if (has_sign && size < sizeof value && value >> (8 * size - 1))
        value |= UINT64_MAX << 8 * size;
    memcpy(whole, &value, sizeof value);
    return has_sign || *whole >= 0;
}

bool entry_int64s(const Safetensors *file, const Entry *entry, int64_t *out, Error *error)
{
    char kind = entry->dtype[0];
    if (kind != 'I' && kind != 'U')
        return wrong_dtype(file, entry, "one of whole numbers (I64, I32, U8, ...)", error);
    size_t size = find_dtype(entry->dtype)->bits / 8;
    const char *from = entry->data;
    for (size_t i = 0, count = entry_elements(entry); i < count; i++, from += size)
        if (!read_whole(from, size, kind == 'I', &out[i]))
            return bad_entry(file->path, entry, "a number is above 2^63 - 1", error);
    return true;
}

/* --- writing --------------------------------------------------------------------------------- */

static void put(JsonText *header, const char *text)
{
    json_put(header, text, strlen(text));
}

static void put_number(JsonText *header, size_t number, const char *after)
{
    char *text = str_format("%zu%s", number, after);
    put(header, text);
    free(text);
}

static bool put_string(JsonText *header, const char *path, const char *string, Error *error)
{
    return json_put_string(header, string) ||
           error_set(error, path, "'%s': not valid UTF-8", error_shown(string).text);
}

static bool put_metadata(JsonText *header, const char *path, const Metadata *metadata, size_t count,
                         Error *error)
{
    put(header, "\"__metadata__\":{");
    for (size_t i = 0; i < count; i++) {
        put(header, i ? "," : "");
        if (!put_string(header, path, metadata[i].key, error))
            return false;
        put(header, ":");
        if (!put_string(header, path, metadata[i].value, error))
            return false;
    }
    put(header, "}");
    return true;
}

/* "key":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]} */
static bool put_entry(JsonText *header, const char *path, const Entry *entry, size_t begin,
                      Error *error)
{
    if (!put_string(header, path, entry->key, error))
        return false;
    put(header, ":{\"dtype\":\"");
    put(header, entry->dtype);
    put(header, "\",\"shape\":[");
    for (int i = 0; i < entry->rank; i++)
        put_number(header, entry->shape[i], i + 1 < entry->rank ? "," : "");
    put(header, "],\"data_offsets\":[");
    put_number(header, begin, ",");
    put_number(header, begin + entry->bytes, "]}");
    return true;
}

/* The header's JSON, padded with spaces so that the data begin at a multiple of 8. */
static bool put_header(JsonText *header, const char *path, const Entry *entries, size_t count,
                       const Metadata *metadata, size_t metadata_count, Error *error)
{
    size_t at = 0;
    put(header, "{");
    if (metadata_count && !put_metadata(header, path, metadata, metadata_count, error))
        return false;
    for (size_t i = 0; i < count; i++) {
        put(header, i || metadata_count ? "," : "");
        if (!put_entry(header, path, &entries[i], at, error))
            return false;
        if (__builtin_add_overflow(at, entries[i].bytes, &at))
            return bad_entry(path, &entries[i], "the data are too large", error);
    }
    put(header, "}");
    while (header->used % 8)
        put(header, " ");
    if (header->used > HEADER_MAX)
        return error_set(error, path, "a header of %zu bytes, more than the %d of the format",
                         header->used, HEADER_MAX);
    return true;
}

/* What the reader checks, of entries in memory. */
static bool check_entries(const char *path, const Entry *entries, size_t count, Error *error)
{
    for (size_t i = 0; i < count; i++) {
        const Entry *entry = &entries[i];
        if (strcmp(entry->key, metadata_key) == 0)
            return bad_entry(path, entry, "the format keeps this key to itself", error);
        if (entry->rank < 0 || entry->rank > RANK_MAX)
            return bad_entry(path, entry, "not 0 to 64 dimensions", error);
        if (!check_size(path, entry, error))
            return false;
    }
    const Entry **sorted = sort_by_key(path, entries, count, error);
    free(sorted);
    return sorted != NULL;
}

static bool check_metadata(const char *path, const Metadata *metadata, size_t count, Error *error)
{
    Metadata *copy = mem_alloc(count, sizeof *copy);
    if (count)
        memcpy(copy, metadata, count * sizeof *copy);
    bool good = sort_metadata(path, copy, count, error);
    free(copy);
    return good;
}

static bool write_all(const char *path, const JsonText *header, const Entry *entries, size_t count,
                      Error *error)
{
    FileWriter *writer = file_create(path, error);
    if (!writer)
        return false;
    uint64_t length = header->used;
    file_put(writer, &length, LENGTH_BYTES);
    file_put(writer, header->bytes, header->used);
    for (size_t i = 0; i < count; i++)
        file_put(writer, entries[i].data, entries[i].bytes);
    return file_commit(writer, error);
}

bool safetensors_write(const char *path, const Entry *entries, size_t count,
                       const Metadata *metadata, size_t metadata_count, Error *error)
{
    JsonText header = { 0 };
    bool good = check_entries(path, entries, count, error) &&
                check_metadata(path, metadata, metadata_count, error) &&
                put_header(&header, path, entries, count, metadata, metadata_count, error) &&
                write_all(path, &header, entries, count, error);
    free(header.bytes);
    return good;
}
