/* ConvNeXt V2's Global Response Normalisation, an op of your own: docs/how_it_works.md. */
#ifndef OPS_GLOBAL_RESPONSE_NORM_H
#define OPS_GLOBAL_RESPONSE_NORM_H

#include "ops/ops.h"

/* x: [N,C,H,W] -> the same. Two parameters per channel, both starting at 0: at first y is x. */
#define global_response_norm(x, ...) global_response_norm_((x), NORM_(.eps = 1e-6f, ##__VA_ARGS__))
Tensor *global_response_norm_(Tensor *x, Norm p);

extern const Op global_response_norm_op;

#endif
