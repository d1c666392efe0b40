/* Running another program without a shell. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/error.h"

#include <stddef.h>

/* Runs argv[0] (found by PATH if it has no slash) and stores all its output in *out (owned by the
 * caller, with a 0 byte after the *length bytes). quiet: its stderr is not shown. Fails when the
 * program cannot be run or exits with a status other than 0; *error then, and when it prints
 * nothing, has the first line of a quiet program's stderr. */
bool process_read(char *const argv[], bool quiet, char **out, size_t *length, Error *error);

/* Becomes the program argv[0], found likewise. Given a path, execvp would have the shell read a
 * file that is no program of this machine, and take its bytes for commands; this ends with status
 * 126, the shell's own for such a file. Status 127: there is no such program. */
_Noreturn void process_become(char *const argv[]);

#endif
