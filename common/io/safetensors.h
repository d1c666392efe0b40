/* safetensors: an 8-byte little-endian length, a JSON header of that length, raw data.
 * Format: https://github.com/huggingface/safetensors, which the Python package reads and writes. */
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include "io/entry.h"

typedef struct {
    char *path;     /* for messages */
    char *file;     /* the whole file, which the entries' data point into */
    Entry *entries; /* in the order of their data; keys and data point into `file` */
    size_t count;
    const Entry **by_key; /* the same, sorted by key */
    Metadata *metadata;   /* sorted by key */
    size_t metadata_count;
} Safetensors;

/* Reads and checks a file. On failure nothing is left to free and *error says why. */
bool safetensors_read(const char *path, Safetensors *file, Error *error);

/* The same from memory: takes over `bytes` (malloc'd), frees it on failure. name: for messages. */
bool safetensors_parse(const char *name, char *bytes, size_t size, Safetensors *file, Error *error);
void safetensors_free(Safetensors *file);

/* The entry of that key, or NULL; found by binary search. */
const Entry *safetensors_find(const Safetensors *file, const char *key);
/* The metadata value of that key, or NULL. */
const char *safetensors_metadata(const Safetensors *file, const char *key);

/* The entry's elements as float32 into out (count = product of its shape, known to the caller):
 * those of F32, F16 and BF16 as they are, of F64 the nearest. Fails, naming file and key, when
 * dtype is another one, or a finite F64 has no finite float32 near. Likewise int64 from whole
 * numbers of any size, with a sign or without. */
bool entry_floats(const Safetensors *file, const Entry *entry, float *out, Error *error);
bool entry_int64s(const Safetensors *file, const Entry *entry, int64_t *out, Error *error);

/* Writes the entries in the order given, beside `path`, flushed, renamed over it. The same entries
 * always give the same bytes. Fails, with nothing written, on what safetensors_read would refuse.
 */
bool safetensors_write(const char *path, const Entry *entries, size_t count,
                       const Metadata *metadata, size_t metadata_count, Error *error);

#endif
