/* A line on a terminal that says how far an epoch is; nothing where the output is not a terminal.
 */
#ifndef TRAIN_PROGRESS_H
#define TRAIN_PROGRESS_H

#include <stdbool.h>

typedef struct {
    bool terminal;
    int steps, first;
    double start, shown; /* clock_seconds() */
} Progress;

/* steps: of the epoch; first: how many were done before. */
Progress progress_start(int steps, int first);
void progress_show(Progress *p, int epoch, int epochs, int step, double loss);
void progress_clear(const Progress *p);

#endif
