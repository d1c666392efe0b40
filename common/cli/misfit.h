/* What is said of weights that do not fit the network. */
#ifndef CLI_MISFIT_H
#define CLI_MISFIT_H

#include "cli/origin.h"

/* Ends the program with the error of weights_from_file. Where the file does not say which network
 * it is of, the steps built beside this one are asked: if the file's keys are those of one of them,
 * that is said in place of the keys that are wrong. weights: this network's, of that shape. */
_Noreturn void misfit_die(const Origin *origin, const Shape *shape, const Weights *weights,
                          Error *error);

#endif
