#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_UNKNOWN = 80, COLUMNS_MOST = 10000 };

bool terminal_is(int file)
{
    return isatty(file) == 1;
}

static int window_columns(int file)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
#endif
    return COLUMNS_UNKNOWN;
}

int terminal_columns(int file)
{
    const char *term = getenv("TERM"), *told = getenv("COLUMNS");
    if (!terminal_is(file) || !term || !*term || strcmp(term, "dumb") == 0)
        return 0;
    int columns = told ? atoi(told) : 0;
    return columns > 0 && columns <= COLUMNS_MOST ? columns : window_columns(file);
}
