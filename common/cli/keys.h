/* Weights under the names that --scheme asks for. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "cli/options.h"
#include "graph/schemes.h"
#include "graph/weights.h"

/* The scheme asked for, OFFICIAL without --scheme. Ends the program where the network's parameters
 * have no other names. */
Scheme scheme_asked(const Options *o, const Net *net);

/* Writes the weights; ends the program where that fails. */
void keys_save_weights(const Weights *weights, const Form *form, const char *path);

#endif
