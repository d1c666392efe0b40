/* The groups of a comparison's output: a pair of units with its aligned layers, which also stands
 * for the equal pairs after it. */
#ifndef CLI_GROUP_H
#define CLI_GROUP_H

#include "cli/comparison.h"

typedef struct {
    const Comparison *c;
    Pair units;  /* the first of … */
    int count;   /* … `count` equal pairs in sequence */
    Pair *pairs; /* its aligned layers, [rows] */
    int rows;
} Group;

/* Returns the group that begins with c->units[i]; freed by group_free. */
Group group_at(const Comparison *c, int i);
void group_free(Group *g);

/* Return a row's layers; NULL if missing. */
const Layer *group_before(const Group *g, int row);
const Layer *group_after(const Group *g, int row);
/* Return their names without the unit's; "" for a missing layer. */
const char *group_rest_before(const Group *g, int row);
const char *group_rest_after(const Group *g, int row);

/* Returns the row's mark, as comparison_mark does. */
char group_mark(const Group *g, int row);
/* Tests for a layer that differs only in its image size, which is often all that follows from a
 * change of stride. */
bool group_is_resized(const Group *g, int row);
/* Tests for a layer that was added, removed, or changed in more than its image size. */
bool group_is_changed(const Group *g, int row);

/* Return the units' names, "encoder.stages.0.1 … 2", "(outside)" for layers without a scope; NULL
 * for missing units. To be freed. */
char *group_name_before(const Group *g);
char *group_name_after(const Group *g);

/* Returns the changed rows without widths and sizes: equal for groups with the same changes; ""
 * without changes. To be freed. */
char *group_pattern(const Group *g);

/* The patterns so far, each with the name of the first group that has it; start with { 0 }. */
typedef struct {
    int count;
    char **patterns, **names;
} Patterns;

/* Returns the name of an earlier group with that pattern, else NULL, and notes the group's; takes
 * the pattern over. "" is no pattern: NULL. */
const char *group_seen(Patterns *patterns, const Group *g, char *pattern);
void group_patterns_free(Patterns *patterns);

/* Sums the parameters and MACs of the first units; names and shapes are "". */
void group_sums(const Group *g, Layer *before, Layer *after);

#endif
