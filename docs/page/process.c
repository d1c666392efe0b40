/* base/process.h in a page, where a program is another instance of this module: docs/page/wasi.js
 * runs it to its end and keeps what it prints. */
#include "base/process.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

#define PAGE(name) __attribute__((import_module("page"), import_name(#name)))

/* Runs the program that the words, each with a 0 byte after it, call; returns its exit status. */
PAGE(run) int page_run(const char *words, size_t length, int quiet);
/* Returns how many bytes it printed, to stdout or, quiet, to stderr, and copies them. */
PAGE(printed) size_t page_printed(int errors);
PAGE(take) void page_take(int errors, char *to);

static char *taken(int errors, size_t *length)
{
    *length = page_printed(errors);
    char *text = mem_alloc(*length + 1, 1);
    page_take(errors, text);
    text[*length] = 0;
    return text;
}

/* Returns the first line without the program's name in front. */
static const char *reason(char *text, const char *program)
{
    size_t name = strlen(program);
    text[strcspn(text, "\r\n")] = 0;
    bool named = strncmp(text, program, name) == 0 && strncmp(text + name, ": ", 2) == 0;
    return named ? text + name + 2 : text;
}

bool process_read(char *const argv[], bool quiet, char **out, size_t *length, Error *error)
{
    size_t used = 0;
    char *words = NULL;
    for (int i = 0; argv[i]; i++) {
        size_t more = strlen(argv[i]) + 1;
        words = mem_grow(words, used + more, 1);
        memcpy(words + used, argv[i], more);
        used += more;
    }
    int status = page_run(words, used, quiet);
    free(words);
    size_t said;
    char *errors = taken(1, &said);
    const char *line = reason(errors, argv[0]);
    error_set(error, argv[0], "%s",
              status == 127 ? "no such program"
              : *line       ? line
              : status      ? "failed"
                            : "prints nothing");
    free(errors);
    if (status != 0)
        return false;
    *out = taken(0, length);
    return true;
}
