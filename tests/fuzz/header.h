/* Mutating a safetensors file: half of the time the header's length follows the header, or hardly a
 * changed header would ever be read. */
#ifndef FUZZ_HEADER_H
#define FUZZ_HEADER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

/* The header is mutated, the data behind it stay. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    uint64_t length = 0;
    if (size >= 8)
        memcpy(&length, data, 8);
    if (seed % 2 || size < 8 || length > size - 8)
        return LLVMFuzzerMutate(data, size, most);
    size_t tail = size - 8 - (size_t)length;
    uint8_t *kept = malloc(tail + 1);
    memcpy(kept, data + 8 + length, tail);
    length = LLVMFuzzerMutate(data + 8, (size_t)length, most - 8 - tail);
    memcpy(data, &length, 8);
    memcpy(data + 8 + length, kept, tail);
    free(kept);
    return 8 + (size_t)length + tail;
}

#endif
