/* What weights were trained on, in the metadata of their file: enough to bring other pictures into
 * the form that the network knows, on a machine that does not have the data set.
 *   data       the set's name
 *   mean, std  what its pictures were normalised by: a number a channel, commas between them */
#ifndef TRAIN_PROVENANCE_H
#define TRAIN_PROVENANCE_H

#include "io/safetensors.h"
#include "train/dataset.h"

enum { PROVENANCE = 3 };

/* data: an opened set. */
void provenance_write(const Dataset *data, Metadata metadata[PROVENANCE]);
void provenance_free(Metadata metadata[PROVENANCE]);

/* Describes the set that the file tells of, with mean and std; data->name is NULL where it tells of
 * none. Fails when it tells nonsense. */
bool provenance_read(const Safetensors *file, Dataset *data, Error *error);

#endif
