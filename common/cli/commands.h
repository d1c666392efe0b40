/* The commands: each a function of a step and its options, in a file of its name or near it. They
 * return the exit status; errors end the program where they are found. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/network.h"
#include "cli/options.h"
#include "cli/step.h"
#include "train/dataset.h"

/* A step on its command line. */
typedef struct {
    const Step *step;
    const char *name; /* the program's: "05_large_kernel" */
    const char *path; /* the program's file, by which its neighbours are found */
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
int classify(const Run *run);
int field(const Run *run);
int filters(const Run *run);

/* The network for pictures of a data set: the preset small, or what the options say; channels and
 * classes are the set's. */
Shape shape_for_data(const Run *run, const Dataset *data);
int compare(const Run *run);
int export(const Run *run);

#endif
