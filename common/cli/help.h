/* What a program says about itself. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/options.h"
#include "cli/step.h"

/* The commands, a line each. called: as the program was. */
void help_overview(const char *called, const Step *step, const Command *commands, int count);

/* One command: what it does, an example, its options and what holds where they are not given. */
void help_command(const char *called, const Step *step, const Command *command);

/* "05_large_kernel (convnext-steps) 2.0" */
void help_version(const char *called);

#endif
