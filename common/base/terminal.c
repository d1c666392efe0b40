#include "base/terminal.h"

#include "base/system.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_UNKNOWN = 80, COLUMNS_MOST = 10000 };

bool terminal_is(int file)
{
    return isatty(file) == 1;
}

int terminal_columns(int file)
{
    const char *term = getenv("TERM"), *columns_set = getenv("COLUMNS");
    if (!terminal_is(file) || !term || !*term || strcmp(term, "dumb") == 0)
        return 0;
    int columns = columns_set ? atoi(columns_set) : 0;
    if (columns < 1 || columns > COLUMNS_MOST)
        columns = system_columns(file);
    return columns > 0 ? columns : COLUMNS_UNKNOWN;
}
