/* The one header a step includes. */
#ifndef NN_H
#define NN_H

#include "cli/step.h"
#include "graph/net.h"
#include "ops/ops.h"

#endif
