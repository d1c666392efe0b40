/* The parts of a path. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <string.h>

/* Returns the last part of a path; what stands before that is its folder, with the slash. */
static inline const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

#endif
