/* The parts in which a comparison is shown: a pair of units with its layers side by side, standing
 * for the pairs behind it that are alike. */
#ifndef CLI_GROUP_H
#define CLI_GROUP_H

#include "cli/comparison.h"

typedef struct {
    const Comparison *c;
    Pair units;  /* the first of … */
    int count;   /* … so many pairs in a row that are alike */
    Pair *pairs; /* its layers side by side, [rows] */
    int rows;
} Group;

/* The group that begins with c->units[i]. To be freed by group_free. */
Group group_at(const Comparison *c, int i);
void group_free(Group *g);

/* A row's layers; NULL where there is none. */
const Layer *group_before(const Group *g, int row);
const Layer *group_after(const Group *g, int row);
/* Their names behind the unit's; "" where there is none. */
const char *group_rest_before(const Group *g, int row);
const char *group_rest_after(const Group *g, int row);

/* The row's mark, as comparison_mark has it. */
char group_mark(const Group *g, int row);
/* Is the row's layer the same one for images of another size? Often that is all there is behind a
 * change of stride. */
bool group_is_resized(const Group *g, int row);
/* Did the row's layer come, go or change in more than size? */
bool group_is_changed(const Group *g, int row);

/* The units' names, "encoder.stages.0.1 … 2", "(outside)" for layers without a scope; NULL where
 * there are none. To be freed. */
char *group_name_before(const Group *g);
char *group_name_after(const Group *g);

/* The changed rows without their widths and sizes: equal for groups in which the same changed; ""
 * where nothing did. To be freed. */
char *group_pattern(const Group *g);

/* The sums of parameters and MACs of the first units; names and shapes are "". */
void group_sums(const Group *g, Layer *before, Layer *after);

#endif
