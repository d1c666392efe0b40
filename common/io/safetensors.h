/* safetensors: an 8-byte little-endian length, a JSON header of that length, raw data. The format
 * is specified at https://github.com/huggingface/safetensors, as is the Python package. */
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include "io/entry.h"

typedef struct {
    char *path;     /* for messages */
    char *file;     /* the whole file, into which the entries' data point */
    Entry *entries; /* in data order; keys and data point into `file` */
    size_t count;
    const Entry **by_key; /* the same entries, sorted by key */
    Metadata *metadata;   /* sorted by key */
    size_t metadata_count;
} Safetensors;

/* Reads and checks a file. On failure nothing is left to free and *error has the reason. */
bool safetensors_read(const char *path, Safetensors *file, Error *error);

/* Parses a file's contents in memory: takes over `bytes` (malloc'd), frees it on failure. name: for
 * messages. */
bool safetensors_parse(const char *name, char *bytes, size_t size, Safetensors *file, Error *error);
void safetensors_free(Safetensors *file);

/* Returns the entry of that key, or NULL. */
const Entry *safetensors_find(const Safetensors *file, const char *key);
/* Returns the metadata value of that key, or NULL. */
const char *safetensors_metadata(const Safetensors *file, const char *key);

/* Returns a shape as "64x3x7x7", "" for a scalar, from the heap. */
char *entry_shape_text(const Entry *entry);

/* Reads the entry's elements as float32 into out (count = product of its shape, known to the
 * caller): F32, F16 and BF16 exactly, F64 rounded to nearest. Fails, naming file and key, on any
 * other dtype, and on a finite F64 beyond float32's range. entry_int64s likewise reads whole
 * numbers of any size, signed or unsigned. */
bool entry_floats(const Safetensors *file, const Entry *entry, float *out, Error *error);
bool entry_int64s(const Safetensors *file, const Entry *entry, int64_t *out, Error *error);

/* Writes the entries in the given order to a temporary beside `path`, flushes it and renames it
 * over `path`. The same entries always give the same bytes. Fails, with nothing written, on entries
 * that safetensors_read would refuse. */
bool safetensors_write(const char *path, const Entry *entries, size_t count,
                       const Metadata *metadata, size_t metadata_count, Error *error);

#endif
