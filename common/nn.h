/* The one header a step needs. */
#ifndef NN_H
#define NN_H

#include "cli/step.h"
#include "graph/net.h"
#include "ops/ops.h"

#endif
