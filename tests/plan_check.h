/* Checks a plan of training against the needs of the network. */
#ifndef TESTS_PLAN_CHECK_H
#define TESTS_PLAN_CHECK_H

#include "engine/engine.h"

/* One layer, and what its forward and backward read. */
typedef struct {
    int in[2];                /* index of each input; -1: none */
    bool view;                /* its values are its input's */
    bool sums;                /* its inputs' gradients are its own */
    bool reads_x[2], reads_y; /* in backward */
} CheckedLayer;

/* An array of a plan; a view's ARRAY_VALUES are its owner's. */
typedef struct {
    int tensor, storage, first, last;
    ArrayRole role;
    ArrayRelation relation;
    size_t offset, bytes;
} CheckedArray;

/* Returns what a layer of this op reads; an op without a fast way reads everything. */
CheckedLayer checked_layer(const Op *op);

/* Simulates a training step with a number for each array: a write stores the array's number in
 * memory and destroys what was there, a read must find the number it expects, and both must fall
 * into the array's lifetime. Gradients are sums of their readers' parts. exact: a lifetime must
 * also begin with the first access and end with the last. Returns the first error, or NULL; valid
 * until the next call. */
const char *plan_fault(const CheckedLayer *layers, int count, const CheckedArray *arrays,
                       int array_count, bool exact);

#endif
