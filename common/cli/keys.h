/* Weights under the names of a --scheme. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include "cli/options.h"
#include "graph/schemes.h"
#include "graph/weights.h"

/* Returns the scheme asked for, OFFICIAL without --scheme. Ends the program if the network's
 * parameters have no names in other schemes. */
Scheme scheme_asked(const Options *o, const Net *net);

/* Writes the weights; ends the program on failure. */
void keys_save_weights(const Weights *weights, const Form *form, const char *path);

#endif
