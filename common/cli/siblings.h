/* The other steps' programs in the folder of this one, which learns about them by running them. */
#ifndef CLI_SIBLINGS_H
#define CLI_SIBLINGS_H

#include "base/error.h"

#include <stdbool.h>

/* Returns the paths of the steps of lower number, in descending order of name, NULL-terminated; the
 * caller frees the array and the paths. path: this program's. */
char **sibling_paths_before(const char *path);

/* Returns the path of the step of that number ("04", "4") or name, or NULL; the caller frees it. Of
 * several with that number it is the last by name, and *several (may be NULL) is set. */
char *sibling_named(const char *path, const char *name, bool *several);

/* Returns the paths of all other steps of that number or name, or of all others for NULL; freed as
 * those of sibling_paths_before. */
char **sibling_paths_named(const char *path, const char *name);

/* Returns the output of a program for a command with these options; NULL if it fails, with what it
 * says of that in `error` (may be NULL). */
char *sibling_prints(const char *path, const char *command, const char *const *options, int count,
                     Error *error);

#endif
