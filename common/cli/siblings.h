/* The other steps' programs, in the folder of this one. A program learns of them by running them.
 */
#ifndef CLI_SIBLINGS_H
#define CLI_SIBLINGS_H

#include <stdbool.h>

/* The paths of the steps of lower number, the last by name first, NULL behind them: an array and
 * paths for the caller to free. path: this program's. */
char **sibling_paths_before(const char *path);

/* The path of the step of that number ("04", "4") or name, or NULL; likewise. Of several with that
 * number it is the last by name, and *several, which may be NULL, says so. */
char *sibling_named(const char *path, const char *name, bool *several);

/* The paths of all steps of that number or name but this one, of all others where it is NULL; as
 * sibling_paths_before. */
char **sibling_paths_named(const char *path, const char *name);

/* What a program prints for a command with these options; NULL if it fails. */
char *sibling_prints(const char *path, const char *command, const char *const *options, int count);

/* The last part of a path. */
const char *sibling_base_name(const char *path);

#endif
