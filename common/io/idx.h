/* IDX, the format of MNIST and Fashion-MNIST, described at http://yann.lecun.com/exdb/mnist.
 * Supported are unsigned bytes in one dimension (labels, magic 0x801) or three (images, 0x803). */
#ifndef IO_IDX_H
#define IO_IDX_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int rank;                    /* 1: labels, 3: images */
    size_t count, rows, columns; /* rows and columns are 1 for rank 1 */
    uint8_t *items;              /* [count,rows,columns] */
} Idx;

/* Reads a file, plain or compressed (io/gzip.h). rank: the expected one. On failure nothing is left
 * to free and *error has the reason. */
bool idx_read(const char *path, int rank, Idx *idx, Error *error);

/* Parses a file's contents in memory, which are copied. name: for messages. */
bool idx_parse(const char *name, const void *bytes, size_t size, int rank, Idx *idx, Error *error);
void idx_free(Idx *idx);

#endif
