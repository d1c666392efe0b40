/* A network's signature: its function in words. Two networks of one signature compute the same from
 * the same weights. Layer names and batch size are not part of it, nor is what acts in training
 * alone (drop path, initial weights). */
#ifndef GRAPH_SIGNATURE_H
#define GRAPH_SIGNATURE_H

#include "graph/net.h"

/* Returns for each layer its op, attributes, parameters, inputs (unless only the layer before) and
 * shape: "conv2d kernel 7 stride 1 pad 3 groups 24 params 1176 24x16x16"; "; " between layers, the
 * input first. Layers that are the identity in evaluation are left out. The caller frees it. */
char *net_signature(const Net *net);

/* The first layer that differs between two signatures. theirs, ours: its words, "nothing" after the
 * last layer. name: the layer's name in `net`, whose signature is `ours`. */
typedef struct {
    char theirs[128], ours[128];
    const char *name;
} SignatureDifference;
SignatureDifference signature_difference(const char *theirs, const char *ours, const Net *net);

#endif
