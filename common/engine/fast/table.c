/* The table of all fast ways. To add one, write it in a file beside the others and list it here. */
#include "engine/fast/ways.h"

static const Fast *const table[] = {
    &conv2d_fast,     &linear_fast,     &max_pool_fast,    &global_avg_pool_fast,
    &batch_norm_fast, &group_norm_fast, &layer_norm_fast,  &relu_fast,
    &gelu_fast,       &add_fast,        &layer_scale_fast, &drop_path_fast,
};

const Fast *fast_of(const Op *op)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i]->op == op)
            return table[i];
    return NULL;
}
