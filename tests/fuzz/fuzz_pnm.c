/* Any bytes are a PNM picture or an error; no sample is above the maximum. */
#include "io/pnm.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Pnm picture;
    Error error = { "" };
    if (pnm_parse("fuzz", bytes, size, &picture, &error)) {
        size_t count = (size_t)picture.width * (size_t)picture.height * (size_t)picture.channels;
        for (size_t i = 0; i < count; i++)
            if (picture.samples[i] > picture.maxval)
                abort();
        pnm_free(&picture);
    } else if (!error.text[0] || picture.samples)
        abort();
    return 0;
}
