/* Tensors and metadata in safetensors' form, and what holds of them whether they are read or
 * written. Those that fail name the file and the key. */
#ifndef IO_ENTRY_H
#define IO_ENTRY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are read and written as they lie in memory, which must be little-endian");

#define METADATA_KEY "__metadata__" /* the header's one key that is no tensor's */
enum {
    LENGTH_BYTES = 8,       /* of the header's length, at the file's start */
    HEADER_MAX = 100000000, /* the format's limit */
    ENTRY_RANK = 64         /* NumPy and PyTorch have no more dimensions */
};

/* A tensor of a file: its data lie where the file's reader, or the writer's caller, put them. */
typedef struct {
    char *key;
    const char *dtype; /* "F32", "I64", … : one of the format's names */
    int rank;
    size_t shape[ENTRY_RANK];
    const void *data; /* row-major, little-endian; of a parsed file: any alignment */
    size_t bytes;
} Entry;

typedef struct {
    char *key, *value;
} Metadata;

typedef struct {
    const char *name;
    size_t bits; /* an element */
} Dtype;

/* NULL: the format has none of that name. */
const Dtype *entry_dtype(const char *name);

/* The product of its shape; SIZE_MAX where that overflows. */
size_t entry_elements(const Entry *entry);

/* Sets the error, "path: 'key': what", and returns false. */
bool entry_bad(const char *path, const Entry *entry, const char *what, Error *error);

/* Is the product of the shape, in bits and then in whole bytes, the size of the data? */
bool entry_check(const char *path, const Entry *entry, Error *error);

/* The entries sorted by key, owned by the caller; NULL, with the error set, if a key comes twice.
 */
const Entry **entries_by_key(const char *path, const Entry *entries, size_t count, Error *error);
/* Sorts them; fails if a key comes twice. */
bool metadata_sort(const char *path, Metadata *metadata, size_t count, Error *error);

/* By binary search in what is sorted: the entry, or the value, of that key; NULL: none has it. */
const Entry *entries_find(const Entry **sorted, size_t count, const char *key);
const char *metadata_find(const Metadata *sorted, size_t count, const char *key);

#endif
