/* Any bytes are a safetensors file or an error; what is read can be looked up and copied out. */
#include "header.h"
#include "io/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(const Safetensors *file, const Entry *entry)
{
    Error error;
    if (safetensors_find(file, entry->key) != entry)
        abort();
    size_t elements = entry_elements(entry), room = elements * sizeof(int64_t);
    void *out = malloc(room > entry->bytes ? room : entry->bytes + 1);
    bool fraction = strchr("FB", *entry->dtype), whole = strchr("IU", *entry->dtype);
    if ((entry_floats(file, entry, out, &error) && !fraction) ||
        (entry_int64s(file, entry, out, &error) && !whole))
        abort();
    memcpy(out, entry->data, entry->bytes);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Safetensors file;
    Error error = { "" };
    char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, bytes, size);
    if (!safetensors_parse("fuzz", copy, size, &file, &error)) {
        if (!error.text[0] || file.file)
            abort();
        return 0;
    }
    size_t data = 0;
    for (size_t i = 0; i < file.count; i++) {
        use(&file, &file.entries[i]);
        data += file.entries[i].bytes;
    }
    uint64_t length;
    memcpy(&length, bytes, sizeof length);
    if (8 + length + data != size)
        abort();
    for (size_t i = 0; i < file.metadata_count; i++)
        if (safetensors_metadata(&file, file.metadata[i].key) != file.metadata[i].value)
            abort();
    safetensors_free(&file);
    return 0;
}
