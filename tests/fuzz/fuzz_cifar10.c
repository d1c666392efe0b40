/* Any bytes are a CIFAR-10 file or an error. */
#include "io/cifar10.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Cifar10 set;
    Error error = { "" };
    if (cifar10_parse("fuzz", bytes, size, &set, &error)) {
        for (size_t i = 0; i < set.count; i++)
            if (set.labels[i] >= CIFAR10_CLASSES)
                abort();
        if (set.count * CIFAR10_RECORD != size)
            abort();
        cifar10_free(&set);
    } else if (!error.text[0] || set.labels)
        abort();
    return 0;
}
