/* The layers of a network by name, and their values. */
#ifndef CLI_ACTIVATION_H
#define CLI_ACTIVATION_H

#include "engine/engine.h"

/* Returns the layer of that name; if there is none, ends the program and suggests the nearest name.
 * option: the one that gave the name. */
const Tensor *activation_layer(const Net *net, const char *option, const char *name);

/* Copies the layer's values after forward, in PyTorch's order, [n,c,h,w], from an engine that keeps
 * them. The caller frees the copy. */
float *activation_values(const Engine *engine, const Tensor *t);

#endif
