#include "io/cifar10.h"

#include "base/memory.h"
#include "io/gzip.h"
#include "io/kind.h"

#include <stdlib.h>
#include <string.h>

static bool check(const char *name, const uint8_t *bytes, size_t size, Error *error)
{
    size_t count = size / CIFAR10_RECORD;
    const char *kind = file_kind((const char *)bytes, size);
    if ((size == 0 || size % CIFAR10_RECORD) && kind)
        return error_set(error, name, "%.*s", (int)strcspn(kind, ";"), kind);
    if (size % CIFAR10_RECORD)
        return error_set(error, name, "%zu byte%s not a whole number of CIFAR-10's records of %d%s",
                         size, size == 1 ? " is" : "s are", CIFAR10_RECORD,
                         size % (CIFAR10_RECORD + 1) ? "" : ", but of CIFAR-100's, a byte longer");
    for (size_t i = 0; i < count; i++)
        if (bytes[i * CIFAR10_RECORD] >= CIFAR10_CLASSES)
            return error_set(error, name, "image %zu has the label %d, above %d", i,
                             bytes[i * CIFAR10_RECORD], CIFAR10_CLASSES - 1);
    return true;
}

bool cifar10_parse(const char *name, const void *bytes, size_t size, Cifar10 *set, Error *error)
{
    *set = (Cifar10){ 0 };
    if (!check(name, bytes, size, error))
        return false;
    set->count = size / CIFAR10_RECORD;
    set->labels = mem_alloc(set->count, 1);
    set->images = mem_alloc(set->count, CIFAR10_IMAGE);
    const uint8_t *record = bytes;
    for (size_t i = 0; i < set->count; i++, record += CIFAR10_RECORD) {
        set->labels[i] = record[0];
        memcpy(set->images + i * CIFAR10_IMAGE, record + 1, CIFAR10_IMAGE);
    }
    return true;
}

bool cifar10_read(const char *path, Cifar10 *set, Error *error)
{
    char *bytes;
    size_t size;
    *set = (Cifar10){ 0 };
    if (!gzip_read(path, &bytes, &size, error))
        return false;
    bool good = cifar10_parse(path, bytes, size, set, error);
    free(bytes);
    return good;
}

void cifar10_free(Cifar10 *set)
{
    free(set->labels);
    free(set->images);
    *set = (Cifar10){ 0 };
}
