/* Networks as their programs describe them (report --format json, keys). */
#ifndef DOCS_GRADE_NETWORK_H
#define DOCS_GRADE_NETWORK_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

/* One of a layer's numbers or words; "" where it has none. */
typedef enum {
    OP,
    OUTPUT,
    WEIGHT,
    BIAS,
    KERNEL,
    STRIDE,
    PAD,
    GROUPS,
    EPS,
    INIT,
    P,
    PER_SAMPLE,
    PARAMETERS,
    MACS,
    INPUTS,
    NAME,
    AT,
    FACTS
} Fact;

typedef struct {
    const char *fact[FACTS];
} Described;

typedef struct {
    char *text; /* where the words lie */
    Described *layers;
    size_t count;
    char **keys, **shapes; /* of the parameters, in order */
    size_t key_count;
    char *key_text;
} Network;

/* Reads both programs' output, which it owns from now on. Returns false with the reason. */
bool network_read(char *report, size_t size, char *keys, Network *network, Error *error);

/* A pair of layers, one of each network; NULL: there is no such layer in the other. */
typedef struct {
    const Described *want, *got;
} Paired;

/* Tests whether a fact of both layers differs. */
bool differ(Paired pair, Fact fact);

/* Pairs the layers, in order, those of one name or of one place before others; to be freed. */
Paired *network_pair(const Network *want, const Network *got, size_t *count);

/* Tests for what has weights or changes the image's size, or adds: what shapes are compared of. */
bool is_structural(const Described *layer);

/* Returns the layer whose parameter has that key, or NULL. */
const Described *network_layer_of(const Network *network, const char *key);
/* Returns the shape of the parameter with that key, or NULL. */
const char *network_shape_of(const Network *network, const char *key);

#endif
