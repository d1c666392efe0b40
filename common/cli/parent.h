/* The parent of a step: the step that it was made from. */
#ifndef CLI_PARENT_H
#define CLI_PARENT_H

#include "cli/commands.h"

/* Returns the path of the program that this one is compared with, or NULL if it is not built: the
 * one that the step names (.from; if none or several of that name are built, the program ends with
 * status 2), else, among the steps of lower number, the one with the nearest network.
 *
 * The distance of two networks: their reports in the paper's sizes, in which even an edited step
 * can be built, are aligned (cli/align.h), and a pair counts 2 if op, parameters and MACs agree, 1
 * if only the op does. The distance is the highest possible count less that. Of two equally near
 * steps the later one is taken; a program with rows is never a parent. The caller frees the path.
 */
char *parent_of(const Run *run);

#endif
