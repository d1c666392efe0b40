/* The data sets that have a name of their own, a file source_*.c each: what is known of them, where
 * their files lie, how they are read. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "data/dataset.h"
#include "data/place.h"

typedef struct {
    const Dataset *set; /* without its images */
    const Place *place; /* NULL: it has no files */
    int files;
    char *(*file)(const char *folder, int i); /* the path of one of them; NULL: it is not there */
    bool (*open)(DatasetPart part, Dataset *data, Error *error);
} Source;

extern const Source source_fashion, source_cifar10, source_cifar100, source_shapes;

#endif
