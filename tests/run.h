/* Running the steps' programs from a test. The environment's BUILD names their folder ("build"
 * without it); tests run in the Makefile's folder. */
#ifndef TESTS_RUN_H
#define TESTS_RUN_H

#include "io/safetensors.h"

#include <stdbool.h>
#include <stddef.h>

/* The result of a command. */
typedef struct {
    int status;      /* the exit status; 128 + the signal's number if one ended it */
    char *out, *err; /* all output; 0-terminated, owned by the caller */
    long peak_kib;   /* peak memory */
} Result;

/* Runs a shell command, given like printf's arguments. */
Result run(const char *format, ...) __attribute__((format(printf, 1, 2)));
void result_free(Result *result);

/* Runs a command that must succeed, and frees the result; fails the test otherwise. */
void run_well(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a program in a folder; the rest of the line, directly after its name, is given like printf's
 * arguments. */
Result run_in(const char *folder, const char *program, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns what a step's program prints, given these words; fails the test unless it succeeds and
 * says nothing on standard error. */
Result run_step(const char *step, const char *words);

/* Expects the piece in the text. */
void has(const char *text, const char *piece);

/* Expects that the command ended with that status and one line on standard error that has all the
 * words, separated by "|"; a failed one must have printed nothing. Frees the result. what: the
 * command, for messages. */
void expect_line(Result result, int status, const char *words, const char *what);

/* Returns the folder of the programs. */
const char *build_folder(void);

/* The number and the names of all steps in steps/, in order: "00_resnet", … */
size_t step_count(void);
const char *step_name(size_t i);
/* The article's steps, 00 to 11. */
enum { LADDER = 12 };
/* Those and the published network, 00 to 12: each differs by one change from the one before, and
 * PyTorch ran the same networks. */
enum { RUNGS = 13 };

/* Creates an empty folder; removes one with its contents. */
char *folder_new(void);
void folder_remove(char *folder);
/* Copies this tree, with the build folder as build/, so that anything may be written and made in
 * the copy: it has no link into this tree. Only steps with a lesson are copied; a reader's own are
 * none of the tests'. Removed like a folder. */
char *tree_copy(void);

/* Builds a step's program from its main.c in `folder` (steps/NAME/main.c) as folder/b/NAME. */
void build_step(const char *folder, const char *name);

/* Returns true if built with AddressSanitizer or ThreadSanitizer, which change memory use. */
bool sanitized(void);

/* The engines that are built (with make PLAIN=1 only one, listed twice). */
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
/* Returns true if the plain engine is the only one: layers are then not timed and use one
 * thread. */
bool plain_only(void);

/* Returns a file's bytes, with a 0 byte after them; the path is given like printf's arguments.
 * Fails the test if it cannot be read. */
char *contents(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Read a safetensors file, its path given like printf's arguments, and a copy of one of its
 * tensors' floats; fail the test if absent. count: the number of floats, or NULL. */
Safetensors tensors_in(const char *format, ...) __attribute__((format(printf, 1, 2)));
float *floats_in(const Safetensors *file, const char *key, size_t *count);

/* Writes the tensors of one file to another, with these metadata instead of its own. */
void copy_tensors(const char *from, const char *to, const Metadata *metadata, size_t count);

/* Cuts *text at its first line's end and returns the line; NULL at the end. */
char *next_line(char **text);

/* Splits the line at its tabs; returns the number of fields, at most `most`. */
size_t split(char *line, char **fields, size_t most);

#endif
