/* Errors: two ways of reporting, one form of message ("program: where: what").
 *
 * A function that reads or writes something of the user's (a file, a string) returns false and
 * fills an Error, so that its caller decides. Failures that no caller can handle (no memory, a
 * wrong call) end the program with error_die(). */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One line without the program's name: "where: what". Control characters, which strings and names
 * in files may contain, are replaced by '?'. */
typedef struct {
    char text[1024];
} Error;

/* Fills `error` (which may be NULL) and returns false, so that a reader can `return error_set(…)`.
 * where: the file, key, option or place that is wrong. */
bool error_set(Error *error, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A string from a file, cut to a length that fits into a message. */
typedef struct {
    char text[128];
} Shown;
Shown error_shown(const char *string);

/* Prints "program: where: what" to stderr, for errors after which the program goes on. */
void error_print(const Error *error);

/* Prints the same form of message about a call that is carried out all the same: a warning. */
void error_note(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets text that error_die appends to its message from now on, after a semicolon: a possible cause
 * that the user may not know of. "" removes it. */
void error_context(const char *text);

/* Prints "program: where: what" to stderr and exits with `status` (EXIT_FAILED or EXIT_USAGE). */
_Noreturn void error_die(int status, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints an Error that a reader filled, and exits likewise. */
_Noreturn void error_die_of(int status, const Error *error);

#endif
