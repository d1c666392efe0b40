/* Activations that a layer may apply to its output. */
#ifndef GRAPH_ACT_H
#define GRAPH_ACT_H

typedef enum { IDENTITY, RELU, GELU } Act;

#endif
