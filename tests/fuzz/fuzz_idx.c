/* Any bytes are an IDX file or an error. */
#include "io/idx.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    for (int rank = 1; rank <= 3; rank += 2) {
        Idx idx;
        Error error = { "" };
        if (idx_parse("fuzz", bytes, size, rank, &idx, &error)) {
            if (4 + 4 * (size_t)rank + idx.count * idx.rows * idx.columns != size)
                abort();
            idx_free(&idx);
        } else if (!error.text[0] || idx.items)
            abort();
    }
    return 0;
}
