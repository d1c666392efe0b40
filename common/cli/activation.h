/* A network's layers by name, and the values that they computed. */
#ifndef CLI_ACTIVATION_H
#define CLI_ACTIVATION_H

#include "engine/engine.h"

/* The layer of that name; ends the program where there is none, with the nearest name. option: that
 * which named it. */
const Tensor *activation_layer(const Net *net, const char *option, const char *name);

/* A copy of the layer's values after forward in PyTorch's order, [n,c,h,w], from an engine that
 * keeps them. The caller frees it. */
float *activation_values(const Engine *engine, const Tensor *t);

#endif
