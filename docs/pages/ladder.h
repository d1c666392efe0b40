/* The ladder in figures: what every step's network costs at the article's widths and at the
 * paper's.
 *
 * ladder.tsv: step, title, parameters and MACs of the article's network and of the paper's, the
 * article's encoder's output, parameters and MACs of the small network: all that is counted, and so
 * the same everywhere. "-" stands for a network that a step does not have. BUILD/ladder.tsv has
 * besides: the step it was made from; own, for a step that has no lesson; what it came to in
 * results/accuracy.tsv (mean and standard deviation of the test accuracy in per cent, seeds) and
 * the accuracy that the paper has for its change. stages.tsv: step, part, parameters and MACs of
 * the paper's network. Steps of several networks are in none of them. */
#ifndef DOCS_PAGES_LADDER_H
#define DOCS_PAGES_LADDER_H

#include <stdbool.h>
#include <stdio.h>

/* Writes BUILD/ladder.tsv, with a reader's own steps. */
void ladder_write(void);
/* Writes what is counted, of our own steps: ladder.tsv and stages.tsv in a folder. */
void ladder_write_counts(const char *folder);

/* Prints a ladder.tsv as text, or its rows in Markdown. Changes are those against the step that a
 * row names, where the table has it; in a table that names none, against the row above. */
void ladder_print(FILE *out, const char *path, bool markdown);

#endif
