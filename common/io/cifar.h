/* CIFAR-10 and CIFAR-100, binary versions: https://www.cs.toronto.edu/~kriz/cifar.html describes
 * them. A file is records: in CIFAR-10's a label, in CIFAR-100's that of one of 20 groups and then
 * the class's own; and 1024 red, 1024 green and 1024 blue bytes, row by row. */
#ifndef IO_CIFAR_H
#define IO_CIFAR_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum {
    CIFAR_SIDE = 32,
    CIFAR_IMAGE = 3 * CIFAR_SIDE * CIFAR_SIDE, /* bytes */
    CIFAR100_GROUPS = 20
};

/* Its value is the number of classes. */
typedef enum { CIFAR10 = 10, CIFAR100 = 100 } CifarKind;

typedef struct {
    size_t count;
    uint8_t *labels; /* [count], each below the number of classes */
    uint8_t *images; /* [count,3,32,32] */
} Cifar;

/* On failure nothing is left to free and *error says why. */
bool cifar_read(const char *path, CifarKind kind, Cifar *set, Error *error);

/* The same from memory, which is copied. name: for messages. */
bool cifar_parse(const char *name, CifarKind kind, const void *bytes, size_t size, Cifar *set,
                 Error *error);
void cifar_free(Cifar *set);

#endif
