#include "cli/activation.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/nearest.h"

#include <string.h>

const Tensor *activation_layer(const Net *net, const char *option, const char *name)
{
    Nearest nearest = { 0 };
    for (int i = 1; i < net_tensors(net); i++) {
        const char *candidate = net_tensor(net, i)->name;
        if (strcmp(candidate, name) == 0)
            return net_tensor(net, i);
        nearest_try(&nearest, name, candidate, strlen(candidate));
    }
    if (nearest.word)
        error_die(EXIT_USAGE, option, "no layer is called '%s'; did you mean %s?", name,
                  nearest.word);
    error_die(EXIT_USAGE, option, "no layer is called '%s'; 'report' lists them", name);
}

float *activation_values(const Engine *engine, const Tensor *t)
{
    const float *from = engine_values(engine, t);
    size_t pixels = (size_t)t->h * (size_t)t->w, channels = (size_t)t->c;
    float *copy = mem_alloc(tensor_elements(t), sizeof *copy), *to = copy;
    for (size_t n = 0; n < (size_t)t->n; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                *to++ = from[(n * pixels + p) * channels + c];
    return copy;
}
