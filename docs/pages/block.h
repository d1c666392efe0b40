/* A generated block, and what those who print one share. */
#ifndef DOCS_PAGES_BLOCK_H
#define DOCS_PAGES_BLOCK_H

#include "table.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    const char *page;
    bool chinese;
    FILE *out;
    char *const *word; /* after the block's name, NULL after the last */
} Block;

const char *block_say(const Block *b, const char *english, const char *chinese);
/* Says a phrase of a table or a program in the language of the page; in Chinese as it is where
 * words.c does not know it. */
const char *block_phrase(const Block *b, const char *english);
/* Prints a table's first two lines. */
void block_head(const Block *b, const char *english, const char *chinese, const char *line);
/* Returns the way from the page to the folder where steps/ stands: "", "../" and so on. */
const char *block_up(const Block *b);
/* Returns the step that a block is about, its first word. */
const char *block_step(const Block *b);
/* Finds the row of a network's measurement; the number of rows where there is none. */
size_t block_speed_row(const Table *t, const char *network, const char *mode, const char *batch);

/* nav STEP: where to go from here; in answers/ back to the lesson. */
void block_nav(const Block *b);
/* diff STEP */
void block_diff(const Block *b);
/* diffs: the table of all diffs. */
void block_diffs(const Block *b);
/* drawing STEP: the step beside the one before it. */
void block_drawing(const Block *b);
/* lessons: the table of all lessons. */
void block_lessons(const Block *b);
/* numbers STEP: the whole network in figures, before and after the step. */
void block_numbers(const Block *b);
/* parts STEP PRESET: shape, parameters and MACs of stem, stages and head, before and after the
 * step. */
void block_parts(const Block *b);
/* op FILE FUNCTION…: these functions of common/ops/FILE.c as they stand there. */
void block_op(const Block *b);
/* measured STEP [ALTERATION…]: accuracy before and after the step, and on altered images. */
void block_measured(const Block *b);
/* variants [VARIANT…] [ALTERATION…]: steps with one more edit beside the steps as they are, also on
 * altered images; all of them without a name. */
void block_variants(const Block *b);
/* rows FILE ROW… [ALTERATION…]: accuracy of rows of step 13 in a table such as results/rows.tsv. */
void block_rows(const Block *b);
/* exercise NUMBER [noise]: what the training exercise of a lesson came to, results/exercises.tsv.
 */
void block_exercise(const Block *b);
/* altered FILE: every network of a table such as results/altered.tsv on clean images, with noise
 * and blur, and in the mean of all alterations; alterations FILE: with the others. */
void block_altered(const Block *b);
void block_alterations(const Block *b);
/* trainings FILE OPTION: the networks of a table such as results/trainings.tsv that were trained
 * with this option, each below itself as results/altered.tsv has it. */
void block_trainings(const Block *b);

#endif
