/* Running another program without a shell. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/error.h"

#include <stddef.h>

/* Runs argv[0] (found by PATH where it has no slash) and gives all it prints in *out (owned by the
 * caller, with a 0 byte after the *length bytes). quiet: its stderr is not
 * shown. Fails when it cannot be run or ends with another status than 0: then *error has the first
 * line of a quiet one's stderr. */
bool process_read(char *const argv[], bool quiet, char **out, size_t *length, Error *error);

#endif
