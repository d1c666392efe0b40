/* The commands: functions of a step and its options, each in a file of its own name or a related
 * one. They return the exit status; errors end the program at once. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/network.h"
#include "cli/options.h"
#include "cli/step.h"
#include "data/dataset.h"

/* A step and its command line. */
typedef struct {
    const Step *step;
    const char *name; /* the program's: "05_large_kernel" */
    const char *path; /* the program's file, used to find its siblings */
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

/* Returns the shape of the network for images of a data set, from its weights (NULL: none), the
 * preset small, or the options; channels and classes are the set's. */
struct Origin;
Shape network_shape_for_data(const Run *run, const struct Origin *origin, const Dataset *data);
int cmd_compare(const Run *run);
int cmd_export(const Run *run);

#endif
