/* Tensors and metadata as safetensors files hold them, and the checks common to reading and
 * writing. Functions that fail name the file and the key. */
#ifndef IO_ENTRY_H
#define IO_ENTRY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are read and written as they lie in memory, which must be little-endian");

#define METADATA_KEY "__metadata__" /* the one key of the header that names no tensor */
enum {
    LENGTH_BYTES = 8,       /* of the header's length, at the start of the file */
    HEADER_MAX = 100000000, /* the format's limit */
    ENTRY_RANK = 64         /* NumPy and PyTorch allow no more dimensions */
};

/* A tensor of a file; the file's reader, or the writer's caller, owns its data. */
typedef struct {
    char *key;
    const char *dtype; /* "F32", "I64", …: one of the format's names */
    int rank;
    size_t shape[ENTRY_RANK];
    const void *data; /* row-major, little-endian; in a parsed file of any alignment */
    size_t bytes;
} Entry;

typedef struct {
    char *key, *value;
} Metadata;

typedef struct {
    const char *name;
    size_t bits; /* per element */
} Dtype;

/* Returns NULL if the format has no such type. */
const Dtype *entry_dtype(const char *name);

/* Returns the product of the shape, SIZE_MAX on overflow. */
size_t entry_elements(const Entry *entry);

/* Sets the error, "path: 'key': what", and returns false. */
bool entry_bad(const char *path, const Entry *entry, const char *what, Error *error);

/* Checks that the size of the data equals the product of the shape in bits, in whole bytes. */
bool entry_check(const char *path, const Entry *entry, Error *error);

/* Returns the entries sorted by key, owned by the caller; NULL, with the error set, for a duplicate
 * key. */
const Entry **entries_by_key(const char *path, const Entry *entries, size_t count, Error *error);
/* Sorts the metadata by key; fails on a duplicate key. */
bool metadata_sort(const char *path, Metadata *metadata, size_t count, Error *error);

/* Finds a key by binary search: the entry, or the value; NULL if absent. */
const Entry *entries_find(const Entry **sorted, size_t count, const char *key);
const char *metadata_find(const Metadata *sorted, size_t count, const char *key);

#endif
