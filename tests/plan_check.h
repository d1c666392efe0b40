/* Holding a plan of training to what the network needs of it. */
#ifndef TESTS_PLAN_CHECK_H
#define TESTS_PLAN_CHECK_H

#include "engine/engine.h"

/* One layer as the plan's reader sees it, and what its forward and backward read. */
typedef struct {
    int in[2];                /* its inputs' numbers; -1: there is none */
    bool view;                /* its values are its input's */
    bool sums;                /* its inputs' gradients are its own */
    bool reads_x[2], reads_y; /* in backward */
} CheckedLayer;

/* An array of a plan; role ARRAY_VALUES of a view: its owner's. */
typedef struct {
    int tensor, storage, first, last;
    ArrayRole role;
    ArrayRelation relation;
    size_t offset, bytes;
} CheckedArray;

/* What a layer of this op reads; an op without a fast way reads all there is. */
CheckedLayer checked_layer(const Op *op);

/* Goes through a training step in which numbers stand for arrays: a write puts the number of what
 * is written into memory and destroys whatever lies there, a read must find the number of what it
 * wants, and both must lie in the array's lifetime. Gradients are sums of what their readers
 * contribute. exact: a lifetime begins at the first of them, too, and ends at the last. Returns
 * what is wrong, or NULL; valid until the next call. */
const char *plan_fault(const CheckedLayer *layers, int count, const CheckedArray *arrays,
                       int array_count, bool exact);

#endif
