/* Any bytes are a CIFAR-10 or CIFAR-100 file or an error. */
#include "io/cifar.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void try(CifarKind kind, const uint8_t *bytes, size_t size)
{
    Cifar set;
    Error error = { "" };
    if (cifar_parse("fuzz", kind, bytes, size, &set, &error)) {
        for (size_t i = 0; i < set.count; i++)
            if (set.labels[i] >= kind)
                abort();
        if (set.count * (CIFAR_IMAGE + (kind == CIFAR100 ? 2 : 1)) != size)
            abort();
        cifar_free(&set);
    } else if (!error.text[0] || set.labels)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    try(CIFAR10, bytes, size);
    try(CIFAR100, bytes, size);
    return 0;
}
