/* Running a program that may do anything, with limits: guards against accidents, not malice. */
#ifndef DOCS_GRADE_SANDBOX_H
#define DOCS_GRADE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* How a program ended. */
typedef struct {
    int status;       /* its exit status; 128 + the signal's number */
    const char *over; /* the limit that it ran into, in words; NULL: none */
    char *out, *err;  /* what it printed, cut, each with a 0 byte at its end */
    size_t out_size;
} Outcome;

/* Makes a folder below $TMPDIR, which is removed with what is in it when this program ends. */
const char *sandbox_new(void);

/* Runs argv[0] in `where`. It may use so many seconds of processor time, three times as many by the
 * clock, 4 GiB of memory, 64 processes and threads (of which the system counts none of root's),
 * write files of 256 MiB and 512 MiB in `folder`, and print 4 MiB; past one of these, and at its
 * end, all that it started is killed. TMPDIR and HOME are `folder` to it. Ends this program where
 * SIGINT or its like ends the other. */
Outcome sandbox_run(const char *folder, const char *where, const char *const *argv, int seconds);
void outcome_free(Outcome *outcome);

#endif
