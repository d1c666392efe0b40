/* The parameters' values, outside any network: a network rebuilt for another batch size uses the
 * same store. Gradients, an optimiser's moments and averages have the same shapes and are kept in
 * such stores, too. */
#ifndef GRAPH_WEIGHTS_H
#define GRAPH_WEIGHTS_H

#include "base/error.h"
#include "base/sha256.h"
#include "graph/net.h"
#include "graph/schemes.h"
#include "io/safetensors.h"

typedef struct {
    int count;
    Param *params;  /* copies: the store outlives the network it was made for */
    float **values; /* values[i]: params[i].count floats in params[i].layout, 64-byte aligned */
    float *data;    /* all values, in order, each array rounded up to 16 floats */
    size_t floats;
} Weights;

Weights *weights_new(const Net *net); /* all zero */
void weights_free(Weights *weights);

/* Returns the parameters from number `first` on, in the same memory: not to be freed by itself. */
Weights weights_tail(const Weights *weights, int first);

/* Sets initial values according to the parameters' Init. A parameter's values depend only on the
 * seed and its key: a layer that two networks share starts with the same weights in both. */
void weights_init(Weights *weights, uint64_t seed);

/* Convert between a file's order (PyTorch's) and memory's. from, to: p->count floats, not
 * overlapping. */
void layout_from_file(const Param *p, const float *from, float *to);
void layout_to_file(const Param *p, const float *from, float *to);

/* Selects parameters of a store: those with `trained` set, the others, or both. */
typedef enum { TRAINED = 1, RUNNING = 2, ALL = 3 } Which;

/* Reads parameters, each `prefix`key, from a file. Fails, naming up to ten, if keys are missing,
 * unexpected or of another shape. Ignores keys outside the prefix and num_batches_tracked. Without
 * a prefix, parameters with official names are found under those of any scheme
 * (graph/schemes.h). */
bool weights_from_file(Weights *weights, const Safetensors *file, const char *prefix, Which which,
                       Error *error);
/* What weights_from_file reads a parameter from, without a prefix; NULL: it is not there. */
const Entry *weights_entry(const Weights *weights, const Safetensors *file, int param);
bool weights_load(Weights *weights, const char *path, Error *error);

/* Appends the store's parameters to *entries (from mem_grow, or NULL), their keys after a prefix,
 * for writing; free with entries_free. */
void weights_entries(const Weights *weights, const char *prefix, Which which, Entry **entries,
                     size_t *count);
void entries_free(Entry *entries, size_t count);

/* Appends one entry with a copy of its data. dtype: "F32" or another of the format's. */
void entries_add(Entry **entries, size_t *count, const char *key, const char *dtype, int rank,
                 const size_t *shape, const void *data, size_t bytes);

/* The form in which a store is written. */
typedef struct {
    Scheme scheme; /* its names and order, if all parameters have them */
    bool half;     /* as F16, rounded to nearest, instead of F32 */
    const Metadata *metadata;
    size_t metadata_count;
} Form;

/* Writes the store to a file. Also fails, naming the key, if a finite number would be infinite in
 * F16. */
bool weights_save(const Weights *weights, const Form *form, const char *path, Error *error);

/* The SHA-256 of the tensors' bytes as weights_save writes them (F32, the official scheme), in the
 * byte order of their keys: whatever file they were read from, equal weights have one digest. */
Digest weights_digest(const Weights *weights);

#endif
