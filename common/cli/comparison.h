/* Two networks, layer by layer side by side. */
#ifndef CLI_COMPARISON_H
#define CLI_COMPARISON_H

#include "cli/align.h"
#include "cli/layers.h"

typedef struct {
    Layers before, after;
    Pair *units; /* of before and after, side by side */
    int unit_count;
    char *told; /* the option that the other program alone was given, " --row 7", or NULL */
} Comparison;

/* Puts the units of the two networks, which have been read, side by side. */
void comparison_make(Comparison *c);
void comparison_free(Comparison *c);

/* The layers of two units side by side, or those of one that is alone. To be freed. */
Pair *comparison_layers(const Comparison *c, Pair units, int *count);

/* '+': came; '-': went; '~': changed; '=': has another name only; ' ': as before. a or b: NULL
 * where there is none. */
char comparison_mark(const Layer *a, const Layer *b);

/* Prints the comparison for people: rows of what changed, unit by unit, and sums. */
void comparison_print(const Comparison *c);

#endif
