/* Checks that a call does not write a file that it reads, nor two outputs to one file. */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/options.h"

/* Ends the program with exit status 2 if an output would replace a file that the same call reads,
 * or another output. Files are identified by device and number, whatever their names; files that do
 * not exist yet by their folder and name. To be called before anything is read. */
void outputs_check(const Options *options);

/* Ends the program likewise if an output would replace one of this data set's files. */
void outputs_check_data(const Options *options, const char *name);

/* The same where a training run in that folder would replace the weights it starts from. */
void outputs_check_run(const Options *options, const char *out);

#endif
