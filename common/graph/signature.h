/* A network as a function, in words: what tells whether weights mean the same in two networks.
 * Names of layers and how many images go through at a time do not matter to that, nor what acts in
 * training alone (drop path, first values of weights). */
#ifndef GRAPH_SIGNATURE_H
#define GRAPH_SIGNATURE_H

#include "graph/net.h"

/* A layer's op, attributes, parameters, inputs where they are not the layer before alone, and
 * shape: "conv2d kernel 7 stride 1 pad 3 groups 24 params 1176 24x16x16"; "; " between layers, the
 * input first. Layers that only hand their input on in evaluation are left out. The caller frees
 * it. */
char *net_signature(const Net *net);

/* The first layer whose words differ in two signatures. theirs, ours: its words, "nothing" behind
 * the last one. name: of the layer in `net`, whose signature `ours` is. */
typedef struct {
    char theirs[128], ours[128];
    const char *name;
} SignatureDifference;
SignatureDifference signature_difference(const char *theirs, const char *ours, const Net *net);

#endif
