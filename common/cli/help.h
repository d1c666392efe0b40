/* A program's help texts. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/options.h"
#include "cli/step.h"

/* Prints the commands, a line for each. called: the program's name as called. */
void help_overview(const char *called, const Step *step, const Command *commands, int count);

/* Prints a command's purpose, an example, its options and their defaults. */
void help_command(const char *called, const Step *step, const Command *command);

/* Prints "05_large_kernel (convnext-steps) 2.0". */
void help_version(const char *called);

#endif
