/* What weights were trained on, in the metadata of their file: enough to bring other images into
 * the form that the network knows, and to name what it sees, on a machine that does not have the
 * data set.
 *
 *   data       the set's name
 *   mean, std  what its images were normalised by: a number per channel, commas between them
 *   classes    the classes' names: a JSON array
 *   image      how an image is brought to the input's size, data/preprocess.h */
#ifndef DATA_PROVENANCE_H
#define DATA_PROVENANCE_H

#include "data/dataset.h"
#include "io/safetensors.h"

/* Metadata that grow; start with { 0 }. */
typedef struct {
    Metadata *items; /* each with its own memory */
    size_t count;
} MetadataList;

/* Copies both; in place of the value that the key had. */
void metadata_set(MetadataList *list, const char *key, const char *value);
void metadata_free(MetadataList *list);

/* Adds what there is to say of an opened set, whose images go into a network of that input. Fails,
 * naming the class, where a class's name is not UTF-8, as metadata are. */
bool provenance_write(const Dataset *data, int height, int width, MetadataList *list, Error *error);

/* What a file tells. */
typedef struct {
    Dataset data;      /* without images; its name is NULL where the file tells of none */
    const char *image; /* or NULL; points into the file */
    char *classes;     /* what the names point into, where they are the file's */
    const char **names;
} Provenance;

/* Fails when the file tells nonsense. Free also after that. */
bool provenance_read(const Safetensors *file, Provenance *provenance, Error *error);
void provenance_free(Provenance *provenance);

#endif
