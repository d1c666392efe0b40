/* Which step a step was made from. */
#ifndef CLI_PARENT_H
#define CLI_PARENT_H

#include "cli/commands.h"

/* The path of the program that this one is compared with, or NULL where it isn't built: the one
 * that the step names (.from; where it names none or several of those that are built, the program
 * ends with status 2), else, of the steps of lower number, the one with the nearest network.
 *
 * Near is what two networks' layers, in order, have in common: both reports of the preset small are
 * put side by side (cli/align.h), and a pair counts 2 where op, parameters and MACs agree, 1 where
 * only the op does. The distance is what all layers could have counted less that. Where two are as
 * near it is the later one; a program with rows is nobody's parent. Owned by the caller. */
char *parent_of(const Run *run);

#endif
