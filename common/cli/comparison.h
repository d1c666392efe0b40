/* Two networks, aligned layer by layer. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include "cli/align.h"
#include "cli/commands.h"
#include "cli/layers.h"

typedef struct {
    Layers before, after;
    Pair *units; /* of before and after, aligned */
    int unit_count;
    char *other_option; /* the option given to the other program alone, " --row 7", or NULL */
    char *own_option;   /* which of its own networks this program shows, " --row 8", or NULL */
} Comparison;

/* Reads the program's own network, with the call's options, as the one after the change; ends the
 * program where it cannot be run. */
void comparison_read_own(const Run *run, Comparison *c);

/* Aligns the units of the two networks, which have been read. */
void comparison_make(Comparison *c);
void comparison_free(Comparison *c);

/* Returns the aligned layers of two units, or those of a single one. To be freed. */
Pair *comparison_layers(const Comparison *c, Pair units, int *count);

/* Returns '+': added; '-': removed; '~': changed; '=': only renamed; ' ': unchanged. a or b is NULL
 * if there is no counterpart. */
char comparison_mark(const Layer *a, const Layer *b);

/* Prints the comparison as text: rows of changes, unit by unit, and sums. */
void comparison_print(const Comparison *c);

#endif
