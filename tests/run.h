/* Running the steps' programs from a test. The environment's BUILD names the folder they are in
 * ("build" without it); tests run where the Makefile stands. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include "io/safetensors.h"

#include <stdbool.h>
#include <stddef.h>

/* What a command did. */
typedef struct {
    int status;      /* its exit status; 128 + the signal's number where one ended it */
    char *out, *err; /* all it printed; 0-terminated, owned by the caller */
    long peak_kib;   /* the most memory it held at once */
} Result;

/* Runs a line for the shell, written like printf's. */
Result run(const char *format, ...) __attribute__((format(printf, 1, 2)));
void result_free(Result *result);

/* The same, freed again, for a command that must succeed: fails the test otherwise. */
void run_well(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a program in a folder; the rest of the line, directly behind it, is written like printf's.
 */
Result run_in(const char *folder, const char *program, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The command must have ended with that status and said one line on standard error that has all the
 * words, "|" between them; if it failed, it must have printed nothing. Frees the result. what: the
 * command, for messages. */
void expect_line(Result result, int status, const char *words, const char *what);

/* The folder with the programs. */
const char *build_folder(void);

/* The steps' names in their order: "00_resnet", …; as many as there are in steps/. */
size_t step_count(void);
const char *step_name(size_t i);
/* The ladder proper, 00 to 11: those the article has. */
enum { LADDER = 12 };
/* And with the published network, 00 to 12: each is one change away from the one before, and
 * PyTorch ran the same. */
enum { RUNGS = 13 };

/* A new empty folder, and its end with all that is in it. */
char *folder_new(void);
void folder_remove(char *folder);
/* A copy of this tree in which anything may be written and made, with what is built as its build/:
 * nothing in it is a link into this tree. Only steps that have a lesson are copied; a reader's own
 * are not the tests'. To be removed as a folder. */
char *tree_copy(void);

/* Builds a step's program from its main.c as it is in `folder` (steps/NAME/main.c), as
 * folder/b/NAME. */
void build_step(const char *folder, const char *name);

/* Is the program built with AddressSanitizer or ThreadSanitizer? Then memory is not what it is
 * otherwise. */
bool sanitized(void);

/* The engines that are built (by make PLAIN=1 one, which is here twice). */
#ifdef PLAIN_ONLY
#define ENGINES                                                                                    \
    {                                                                                              \
        "plain", "plain"                                                                           \
    }
#else
#define ENGINES                                                                                    \
    {                                                                                              \
        "fast", "plain"                                                                            \
    }
#endif
/* Is the plain engine the only one? Layers are then not timed and use one thread. */
bool plain_only(void);

/* The bytes of a file, whose path is written like printf's, a 0 byte behind them; fails the test
 * where it cannot be read. */
char *contents(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A safetensors file, whose path is written like printf's, and a copy of a tensor's floats in it;
 * fail the test where they are not there. count: how many there are, or NULL. */
Safetensors tensors_in(const char *format, ...) __attribute__((format(printf, 1, 2)));
float *floats_in(const Safetensors *file, const char *key, size_t *count);

/* Writes the tensors of one file as another, with these metadata in place of its own. */
void copy_tensors(const char *from, const char *to, const Metadata *metadata, size_t count);

/* Cuts *text at its first line's end and returns that line; NULL at the end. */
char *next_line(char **text);

/* Cuts the line at its tabs; returns how many fields there are, at most `most`. */
size_t split(char *line, char **fields, size_t most);

#endif
