/* All fast ways. */
#ifndef ENGINE_FAST_WAYS_H
#define ENGINE_FAST_WAYS_H

#include "engine/fast/fast.h"

extern const Fast conv2d_fast, linear_fast, max_pool_fast, global_avg_pool_fast, batch_norm_fast,
    group_norm_fast, layer_norm_fast, relu_fast, gelu_fast, add_fast, layer_scale_fast,
    drop_path_fast;

#endif
