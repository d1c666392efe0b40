/* The layers of a step's network, read from its program's output. */
#ifndef CLI_LAYERS_H
#define CLI_LAYERS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name, *op, *output; /* the texts of a row of the report */
    char *weight;                   /* "64x1x7x7", "64x1x7x7 bias", or "" without weight */
    uint64_t params, macs;
} Layer;

/* Adjacent layers that belong together: a block, the stem, the head. Units with the same content,
 * apart from the beginning of their names, are of the same kind. */
typedef struct {
    int first, count; /* its layers */
    int prefix;       /* length of the unit's name in theirs: "encoder.stages.2.3" */
    int kind;         /* numbered by first appearance in this network */
} LayerUnit;

typedef struct {
    const char *program; /* its name, part of the path */
    Layer *layers, total;
    LayerUnit *units;
    int count, unit_count, kinds;
    char *report; /* contains the texts of `layers` */
} Layers;

/* Runs the program at `path` with these options and reads its network. Returns false on failure,
 * with what the program says of it in `error` (may be NULL). */
bool layers_read(const char *path, const char *const *options, int count, Layers *layers,
                 Error *error);
/* Reads the network in the same way, but without weights and units. */
bool layers_read_rows(const char *path, const char *const *options, int count, Layers *layers,
                      Error *error);
void layers_free(Layers *layers);

/* Returns layer i, or NULL for i < 0. */
const Layer *layers_at(const Layers *layers, int i);

/* Returns "7x7 bias" for the weight "64x1x7x7 bias", "" for a linear layer's "64x128". */
const char *layers_kernel(const char *weight);

/* Returns a layer's name without its unit's. */
const char *layers_rest(const Layers *layers, const LayerUnit *unit, int i);

/* Tests whether two layers agree in everything but their names. */
bool layers_same(const Layer *a, const Layer *b);

#endif
