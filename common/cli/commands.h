/* The commands: each a function of a step and its options, in a file of its name or near it. They
 * return the exit status; errors end the program where they are found. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/network.h"
#include "cli/options.h"
#include "cli/step.h"
#include "data/dataset.h"

/* A step on its command line. */
typedef struct {
    const Step *step;
    const char *name; /* the program's: "05_large_kernel" */
    const char *path; /* the program's file, by which its neighbours are found */
    Options options;
} Run;

int cmd_report(const Run *run);
int cmd_keys(const Run *run);
int cmd_init(const Run *run);
int cmd_forward(const Run *run);
int cmd_gradient(const Run *run);
int cmd_fit(const Run *run);
int cmd_train(const Run *run);
int cmd_evaluate(const Run *run);
int cmd_data(const Run *run);
int cmd_bench(const Run *run);
int cmd_classify(const Run *run);
int cmd_field(const Run *run);
int cmd_show(const Run *run);

/* The network for images of a data set: of these weights (NULL: of none), the preset small, or
 * what the options say; channels and classes are the set's. */
struct Origin;
Shape network_shape_for_data(const Run *run, const struct Origin *origin, const Dataset *data);
int cmd_compare(const Run *run);
int cmd_export(const Run *run);

#endif
