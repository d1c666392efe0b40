/* Any bytes are PNM pictures one behind the other or an error; no sample is above the maximum. */
#include "io/pnm.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    for (size_t at = 0, before; at < size || size == 0;) {
        Pnm picture;
        Error error = { "" };
        before = at;
        if (!pnm_next("fuzz", bytes, size, &at, &picture, &error)) {
            if (!error.text[0] || picture.samples)
                abort();
            return 0;
        }
        size_t count = (size_t)picture.width * (size_t)picture.height * (size_t)picture.channels;
        for (size_t i = 0; i < count; i++)
            if (picture.samples[i] > picture.maxval)
                abort();
        if (at <= before || at > size)
            abort();
        pnm_free(&picture);
    }
    return 0;
}
