/* The form of a network's PyTorch code that is made of modules. */
#ifndef EXPORT_PYTORCH_MODULE_H
#define EXPORT_PYTORCH_MODULE_H

#include "graph/net.h"

#include <stdio.h>

/* Writes the classes that the network needs, and network(), which returns it. Each of its layers
 * has a counterpart. */
void pytorch_put_modules(FILE *out, const Net *net);

#endif
