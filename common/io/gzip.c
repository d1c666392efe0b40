#include "io/gzip.h"

#include "base/process.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

bool gzip_read(const char *path, char **bytes, size_t *size, Error *error)
{
    if (!file_read(path, bytes, size, error))
        return false;
    if (*size < 2 || memcmp(*bytes, "\x1f\x8b", 2) != 0)
        return true;
    free(*bytes);
    Error why;
    char *const command[] = { "gzip", "-dc", "--", (char *)path, NULL };
    if (!process_read(command, true, bytes, size, &why))
        return error_set(error, path, "cannot unpack it (%.400s)", why.text);
    return true;
}
