#include "base/error.h"

#include "base/system.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WHERE = 400 };

/* Replaces control characters, which file names may contain, so that a message is one line of
 * text. */
static void replace_controls(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
}

/* Writes "where: what"; a long name is cut, to leave room for the message. */
static void write_message(char *text, size_t size, const char *where, const char *format,
                          va_list args)
{
    bool fits = strlen(where) <= MAX_WHERE;
    int used =
        snprintf(text, size, "%.*s%s: ", MAX_WHERE, *where ? where : "''", fits ? "" : "...");
    if (used > 0 && (size_t)used < size)
        vsnprintf(text + used, size - (size_t)used, format, args);
    replace_controls(text);
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
        write_message(error->text, sizeof error->text, where, format, args);
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
    write_message(what.text, sizeof what.text, where, format, args);
    va_end(args);
    error_print(&what);
}

static char context[512];

void error_context(const char *text)
{
    snprintf(context, sizeof context, "%s", text);
    replace_controls(context);
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
    write_message(error.text, sizeof error.text, where, format, args);
    va_end(args);
    size_t used = strlen(error.text);
    if (*context)
        snprintf(error.text + used, sizeof error.text - used, "; %s", context);
    error_die_of(status, &error);
}
