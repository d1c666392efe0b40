/* Any bytes are PNM images one behind the other or an error; no sample is above the maximum. */
#include "io/pnm.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    for (size_t at = 0, before; at < size || size == 0;) {
        Pnm image;
        Error error = { "" };
        before = at;
        if (!pnm_next("fuzz", bytes, size, &at, &image, &error)) {
            if (!error.text[0] || image.samples)
                abort();
            return 0;
        }
        size_t count = (size_t)image.width * (size_t)image.height * (size_t)image.channels;
        for (size_t i = 0; i < count; i++)
            if (image.samples[i] > image.maxval)
                abort();
        if (at <= before || at > size)
            abort();
        pnm_free(&image);
    }
    return 0;
}
