/* Weights under the names of the scheme that --scheme names. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "cli/options.h"
#include "graph/schemes.h"
#include "graph/weights.h"

/* Returns the scheme of --scheme, OFFICIAL without it. Ends the program where the network's
 * parameters have no other names. */
Scheme scheme_asked(const Options *o, const Net *net);

/* Writes the weights; ends the program where that fails. */
void keys_save_weights(const Weights *weights, const Form *form, const char *path);

#endif
