/* The parameters' values, outside any network: a network rebuilt for another batch size uses the
 * same store. Also holds what has the same shape: gradients, an optimiser's moments, averages. */
#ifndef GRAPH_WEIGHTS_H
#define GRAPH_WEIGHTS_H

#include "base/error.h"
#include "graph/net.h"
#include "graph/schemes.h"
#include "io/safetensors.h"

typedef struct {
    int count;
    Param *params;  /* copies: the store outlives the network it was made for */
    float **values; /* values[i]: params[i].count floats in params[i].layout, 64-byte aligned */
    float *data;    /* all of them, in order, each rounded up to 16 floats */
    size_t floats;
} Weights;

Weights *weights_new(const Net *net); /* zeros */
void weights_free(Weights *weights);

/* Fresh values as the parameters' Init says. A parameter's numbers depend on the seed and its key
 * alone: a layer that two networks share starts with the same weights in both. */
void weights_init(Weights *weights, uint64_t seed);

/* Between a file's order (PyTorch's) and memory's. from, to: p->count floats, not the same. */
void layout_from_file(const Param *p, const float *from, float *to);
void layout_to_file(const Param *p, const float *from, float *to);

/* Which tensors of a store: those with `trained` set, the others, or both. */
typedef enum { TRAINED = 1, RUNNING = 2, ALL = 3 } Which;

/* Reads parameters, each `prefix`key, from a file. Fails, naming up to ten, when keys are missing,
 * too many or of another shape. Keys outside the prefix, and num_batches_tracked, are ignored.
 * Without a prefix, parameters with official names are read under those of any scheme
 * (graph/schemes.h). */
bool weights_from_file(Weights *weights, const Safetensors *file, const char *prefix, Which which,
                       Error *error);
bool weights_load(Weights *weights, const char *path, Error *error);

/* The store as entries to be written, their keys behind a prefix. Appends to *entries (from
 * mem_grow or NULL); free with entries_free. */
void weights_entries(const Weights *weights, const char *prefix, Which which, Entry **entries,
                     size_t *count);
void entries_free(Entry *entries, size_t count);

/* One more entry, its data copied. dtype: "F32" or another of the format's. */
void entries_add(Entry **entries, size_t *count, const char *key, const char *dtype, int rank,
                 const size_t *shape, const void *data, size_t bytes);

/* How a store is written. */
typedef struct {
    Scheme scheme; /* whose names and order, where the parameters have them in all */
    bool half;     /* as F16, each the nearest, instead of F32 */
    const Metadata *metadata;
    size_t metadata_count;
} Form;

/* Fails, naming the key, also where a finite number would be infinite as F16. */
bool weights_save(const Weights *weights, const Form *form, const char *path, Error *error);

#endif
