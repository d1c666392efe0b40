/* report --plan: the memory plan of training a network: each array's storage and lifetime. */
#ifndef CLI_REPORT_PLAN_H
#define CLI_REPORT_PLAN_H

#include "cli/commands.h"

/* Prints the plan for the network's batch size: as text a line per tensor, as TSV a line per array
 * of a tensor, with the header
 *
 * tensor name op inputs array how storage shared_with offset bytes first last
 *
 * tensor, inputs: numbers in the order of forward, the input's is 0. array: values, recomputed,
 * gradient, statistics, factors. how, of values: kept for backward; forward, which alone needs
 * them; recomputed for backward; view, which is another tensor's. Of a gradient: own; same as
 * another tensor's, from which it is passed through; over another tensor's. shared_with: the other
 * tensors whose arrays of that kind lie in the storage. offset: in the block of memory. first,
 * last: the lifetime in time steps. The last two rows are the arrays workspace and total. */
void report_plan(const Run *run, const Net *net);

#endif
