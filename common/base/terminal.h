/* Properties of the terminal behind a file. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>

bool terminal_is(int file);

/* Returns the terminal's width in columns if lines on it can be overwritten; else 0: TERM is unset
 * or "dumb", or the file is no terminal. COLUMNS overrides the width. */
int terminal_columns(int file);

#endif
