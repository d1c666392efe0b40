/* What is known of the terminal that a file is. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>

bool terminal_is(int file);

/* Its width in columns if it is one on which a line can be written over again; else 0: TERM is
 * unset or "dumb", or the file is no terminal. COLUMNS says another width. */
int terminal_columns(int file);

#endif
