/* The commands: each a function of a step and its options, in a file of its name or near it. They
 * return the exit status; errors end the program where they are found. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/network.h"
#include "cli/options.h"
#include "cli/step.h"

/* A step on its command line. */
typedef struct {
    const Step *step;
    const char *name;         /* the program's: "05_large_kernel" */
    const char *path;         /* the program's file, by which its neighbours are found */
    const char *const *words; /* the words behind the command, as they were given */
    int word_count;
    Options options;
} Run;

int report(const Run *run);
int keys(const Run *run);
int init(const Run *run);
int forward(const Run *run);
int gradient(const Run *run);
int fit(const Run *run);
int train(const Run *run);
int evaluate(const Run *run);
int bench(const Run *run);

#endif
