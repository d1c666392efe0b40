/* CIFAR-10, binary version, described at https://www.cs.toronto.edu/~kriz/cifar.html. A file holds
 * records of 3073 bytes: a label, then 1024 red, 1024 green and 1024 blue bytes, row by row. */
#ifndef IO_CIFAR10_H
#define IO_CIFAR10_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CIFAR10_CLASSES = 10,
    CIFAR10_SIDE = 32,
    CIFAR10_IMAGE = 3 * CIFAR10_SIDE * CIFAR10_SIDE, /* bytes */
    CIFAR10_RECORD = 1 + CIFAR10_IMAGE
};

typedef struct {
    size_t count;
    uint8_t *labels; /* [count], each below CIFAR10_CLASSES */
    uint8_t *images; /* [count,3,32,32] */
} Cifar10;

/* Reads a file. On failure nothing is left to free and *error has the reason. */
bool cifar10_read(const char *path, Cifar10 *set, Error *error);

/* Parses a file's contents in memory, which are copied. name: for messages. */
bool cifar10_parse(const char *name, const void *bytes, size_t size, Cifar10 *set, Error *error);
void cifar10_free(Cifar10 *set);

#endif
