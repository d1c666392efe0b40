/* Errors: two kinds of reporting, one form of message ("program: where: what").
 *
 * A function that reads or writes something of the user's (a file, a string) returns false and
 * fills an Error, so that its caller decides. What no caller could mend (no memory, a wrong call)
 * ends the program with error_die(). */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One line, without the program's name: "where: what". Control characters, which a file's strings
 * and names may have, are replaced by '?'. */
typedef struct {
    char text[1024];
} Error;

/* Fills `error` (which may be NULL) and returns false, so that a reader can `return error_set(…)`.
 * where: the file, key, option or place that is wrong. */
bool error_set(Error *error, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A string of a file's, cut to what a message has room for. */
typedef struct {
    char text[128];
} Shown;
Shown error_shown(const char *string);

/* Prints "program: where: what" to stderr: for what does not keep the rest from being done. */
void error_print(const Error *error);

/* The same of something that the user should know of a call that is done all the same. */
void error_note(const char *where, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What an error_die from now on says behind its message, after a semicolon: something that the user
 * may not know of and that may be behind it. "": nothing. */
void error_context(const char *text);

/* Prints "program: where: what" to stderr and exits with `status` (EXIT_FAILED or EXIT_USAGE). */
_Noreturn void error_die(int status, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for an Error that a reader filled. */
_Noreturn void error_die_of(int status, const Error *error);

#endif
