/* The layers of a step's network, as its program prints them. */
#ifndef CLI_LAYERS_H
#define CLI_LAYERS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name, *op, *output; /* the texts of a row of the report */
    char *weight;                   /* "64x1x7x7", "64x1x7x7 bias", or "": none but by channel */
    uint64_t params, macs;
} Layer;

/* Layers side by side that belong together: a block, the stem, the head. Units of the same content,
 * their names' beginning aside, are of the same kind. */
typedef struct {
    int first, count; /* its layers */
    int prefix;       /* how much of their names is the unit's: "encoder.stages.2.3" */
    int kind;         /* numbered by first appearance in this network */
} LayerUnit;

typedef struct {
    const char *program; /* its name, within the path that it was read from */
    Layer *layers, total;
    LayerUnit *units;
    int count, unit_count, kinds;
    char *report; /* what the texts point into */
} Layers;

/* Asks the program at `path` for its network with these options. False: it has none such. */
bool layers_read(const char *path, const char *const *options, int count, Layers *layers);
/* The same, of which weights and units are left out. */
bool layers_read_rows(const char *path, const char *const *options, int count, Layers *layers);
void layers_free(Layers *layers);

/* Layer i, or NULL where i < 0. */
const Layer *layers_at(const Layers *layers, int i);

/* "7x7 bias" of the weight "64x1x7x7 bias", "" of a linear layer's "64x128". */
const char *layers_kernel(const char *weight);

/* A layer's name behind its unit's. */
const char *layers_rest(const Layers *layers, const LayerUnit *unit, int i);

/* Do two layers agree in everything but their names? */
bool layers_same(const Layer *a, const Layer *b);

#endif
