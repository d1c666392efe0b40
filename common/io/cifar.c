#include "io/cifar.h"

#include "base/memory.h"
#include "io/gzip.h"
#include "io/kind.h"

#include <stdlib.h>
#include <string.h>

/* How many labels a record begins with; the last is the class. */
static size_t label_count(CifarKind kind)
{
    return kind == CIFAR100 ? 2 : 1;
}

static bool check_label(const char *name, size_t image, const char *what, int label, int count,
                        Error *error)
{
    return label < count || error_set(error, name, "image %zu has the %s %d, above %d", image, what,
                                      label, count - 1);
}

static bool check_size(const char *name, CifarKind kind, size_t size, Error *error)
{
    size_t record = label_count(kind) + CIFAR_IMAGE;
    int other = kind == CIFAR10 ? CIFAR100 : CIFAR10;
    if (size % record == 0)
        return true;
    if (size % (label_count(other) + CIFAR_IMAGE) == 0)
        return error_set(error, name,
                         "%zu bytes are not a whole number of CIFAR-%d's records of %zu, but of "
                         "CIFAR-%d's, a byte %s",
                         size, kind, record, other, kind == CIFAR10 ? "longer" : "shorter");
    return error_set(error, name, "%zu byte%s not a whole number of CIFAR-%d's records of %zu",
                     size, size == 1 ? " is" : "s are", kind, record);
}

static bool check(const char *name, CifarKind kind, const uint8_t *bytes, size_t size, Error *error)
{
    size_t labels = label_count(kind), record = labels + CIFAR_IMAGE;
    const char *what = file_kind((const char *)bytes, size);
    if ((size == 0 || size % record) && what)
        return error_set(error, name, "%.*s", (int)strcspn(what, ";"), what);
    if (!check_size(name, kind, size, error))
        return false;
    for (size_t i = 0; i < size / record; i++) {
        const uint8_t *at = bytes + i * record;
        if (labels == 2 && !check_label(name, i, "group", at[0], CIFAR100_GROUPS, error))
            return false;
        if (!check_label(name, i, "label", at[labels - 1], kind, error))
            return false;
    }
    return true;
}

bool cifar_parse(const char *name, CifarKind kind, const void *bytes, size_t size, Cifar *set,
                 Error *error)
{
    size_t labels = label_count(kind), length = labels + CIFAR_IMAGE;
    *set = (Cifar){ 0 };
    if (!check(name, kind, bytes, size, error))
        return false;
    set->count = size / length;
    set->labels = mem_alloc(set->count, 1);
    set->images = mem_alloc(set->count, CIFAR_IMAGE);
    const uint8_t *record = bytes;
    for (size_t i = 0; i < set->count; i++, record += length) {
        set->labels[i] = record[labels - 1];
        memcpy(set->images + i * CIFAR_IMAGE, record + labels, CIFAR_IMAGE);
    }
    return true;
}

bool cifar_read(const char *path, CifarKind kind, Cifar *set, Error *error)
{
    char *bytes;
    size_t size;
    *set = (Cifar){ 0 };
    if (!gzip_read(path, &bytes, &size, error))
        return false;
    bool good = cifar_parse(path, kind, bytes, size, set, error);
    free(bytes);
    return good;
}

void cifar_free(Cifar *set)
{
    free(set->labels);
    free(set->images);
    *set = (Cifar){ 0 };
}
