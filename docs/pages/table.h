/* Tables in results/: tabs between the columns, whose names are the first line. */
#ifndef DOCS_PAGES_TABLE_H
#define DOCS_PAGES_TABLE_H

#include "page.h"

#include <stddef.h>

typedef struct {
    Page page;
    char **cells; /* the names of the columns, then row after row */
    size_t columns, rows;
} Table;

/* A short text, by value. */
typedef struct {
    char text[64];
} Cell;

/* Reads a table, which is kept to the end; ends the program where it cannot be read. */
const Table *table_read(const char *path);

bool table_has(const Table *table, const char *column);
/* A cell as it stands there, "" where its line is too short; ends the program where there is no
 * such column. */
const char *table_cell(const Table *table, size_t row, const char *column);
double table_number(const Table *table, size_t row, const char *column);
/* The first row that has this value in this column; the number of rows where there is none. */
size_t table_find(const Table *table, const char *column, const char *value);

/* What several runs came to. The variance is that of a sample (n - 1), 0 of a single one. */
typedef struct {
    int n;
    double mean, variance;
} Sample;

/* Adds a value (Welford's update). */
void sample_add(Sample *sample, double value);
/* The numbers of a column in the rows that have these values: pairs of column and value, NULL after
 * the last. */
Sample sample_where(const Table *table, const char *const (*where)[2], const char *column);
/* The same of the rows of a step. */
Sample sample_of(const Table *runs, const char *step, const char *column);
/* "92.10 ± 0.19", mean and standard deviation; of one value "92.10". */
Cell sample_spread(Sample sample);
/* The difference of two means and its standard error: "+0.12 ± 0.15"; of single values "+0.12". */
Cell sample_difference(Sample sample, Sample from);

#endif
