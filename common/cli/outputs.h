/* What a call writes must not be what it reads, nor two of its outputs one file. */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/options.h"

/* Ends the program with exit status 2 where an output would replace a file that the same call
 * reads, or another output. Files are the same by device and number, whatever they are called;
 * those that are not there yet by their folder and name. Before anything is read. */
void outputs_check(const Options *options);

/* The same where an output would replace one of this data set's files. */
void outputs_check_data(const Options *options, const char *name);

#endif
