#include "base/error.h"

#include "base/system.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_WHERE = 400 };

/* Names may hold line feeds and a terminal's commands; a message is one line of text. */
static void make_plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
}

/* A name, which may be of any length, leaves room for what is wrong with it. */
static void compose(char *text, size_t size, const char *where, const char *format, va_list args)
{
    bool fits = strlen(where) <= LONGEST_WHERE;
    int used =
        snprintf(text, size, "%.*s%s: ", LONGEST_WHERE, *where ? where : "''", fits ? "" : "...");
    if (used > 0 && (size_t)used < size)
        vsnprintf(text + used, size - (size_t)used, format, args);
    make_plain(text);
}

Shown error_shown(const char *string)
{
    Shown shown = { "" };
    size_t i = strnlen(string, sizeof shown.text - 5);
    memcpy(shown.text, string, i);
    if (!string[i])
        return shown;
    while (i && ((unsigned char)string[i] & 0xC0) == 0x80) /* cut between two characters */
        i--;
    memcpy(shown.text + i, "...", 4);
    return shown;
}

bool error_set(Error *error, const char *where, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        compose(error->text, sizeof error->text, where, format, args);
        va_end(args);
    }
    return false;
}

void error_print(const Error *error)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", system_program_name(), error->text);
}

void error_note(const char *where, const char *format, ...)
{
    Error what;
    va_list args;
    va_start(args, format);
    compose(what.text, sizeof what.text, where, format, args);
    va_end(args);
    error_print(&what);
}

static char behind[512];

void error_context(const char *text)
{
    snprintf(behind, sizeof behind, "%s", text);
    make_plain(behind);
}

void error_die_of(int status, const Error *error)
{
    error_print(error);
    exit(status);
}

void error_die(int status, const char *where, const char *format, ...)
{
    Error error;
    va_list args;
    va_start(args, format);
    compose(error.text, sizeof error.text, where, format, args);
    va_end(args);
    size_t used = strlen(error.text);
    if (*behind)
        snprintf(error.text + used, sizeof error.text - used, "; %s", behind);
    error_die_of(status, &error);
}
