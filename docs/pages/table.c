#include "table.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --------------------------------------------------------------------------------- */

/* Cuts a line at its tabs into so many cells. */
static void cut(char *line, char **cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cells[i] = line;
        line += strcspn(line, "\t");
        if (*line)
            *line++ = 0;
    }
}

const Table *table_read(const char *path)
{
    static struct Read {
        Table table;
        struct Read *next;
    } * all;
    for (struct Read *r = all; r; r = r->next)
        if (strcmp(r->table.page.path, path) == 0)
            return &r->table;
    struct Read *read = mem_alloc(1, sizeof *read);
    Table *t = &read->table;
    read->next = all;
    all = read;
    t->page = page_read(path);
    if (t->page.count == 0)
        error_die(EXIT_FAILED, path, "it is empty");
    t->columns = 1;
    for (const char *at = t->page.lines[0].text; *at; at++)
        t->columns += *at == '\t';
    t->rows = t->page.count - 1;
    t->cells = mem_alloc(t->page.count * t->columns, sizeof *t->cells);
    for (size_t i = 0; i < t->page.count; i++)
        cut(t->page.lines[i].text, t->cells + i * t->columns, t->columns);
    return t;
}

/* --- looking --------------------------------------------------------------------------------- */

static size_t column_of(const Table *table, const char *name)
{
    size_t i = 0;
    while (i < table->columns && strcmp(table->cells[i], name) != 0)
        i++;
    return i;
}

bool table_has(const Table *table, const char *column)
{
    return column_of(table, column) < table->columns;
}

/* Returns the column's cells: that of row i is i * columns further. */
static char **column_cells(const Table *table, const char *name)
{
    size_t i = column_of(table, name);
    if (i == table->columns)
        error_die(EXIT_FAILED, table->page.path, "it has no column %s", name);
    return table->cells + table->columns + i;
}

const char *table_cell(const Table *table, size_t row, const char *column)
{
    return column_cells(table, column)[row * table->columns];
}

double table_number(const Table *table, size_t row, const char *column)
{
    return strtod(table_cell(table, row, column), NULL);
}

size_t table_find(const Table *table, const char *column, const char *value)
{
    size_t row = 0;
    while (row < table->rows && strcmp(table_cell(table, row, column), value) != 0)
        row++;
    return row;
}

/* --- several runs ---------------------------------------------------------------------------- */

void sample_add(Sample *s, double value)
{
    double apart = value - s->mean;
    s->n++;
    s->mean += apart / s->n;
    if (s->n > 1)
        s->variance += apart * apart / s->n - s->variance / (s->n - 1);
}

Sample sample_where(const Table *t, const char *const (*where)[2], const char *column)
{
    Sample s = { 0 };
    bool *other = mem_alloc(t->rows, sizeof *other);
    for (; where[0][0]; where++) {
        char **cells = column_cells(t, where[0][0]);
        for (size_t i = 0; i < t->rows; i++)
            other[i] = other[i] || strcmp(cells[i * t->columns], where[0][1]) != 0;
    }
    for (size_t i = 0; i < t->rows; i++)
        if (!other[i])
            sample_add(&s, table_number(t, i, column));
    free(other);
    return s;
}

Sample sample_of(const Table *runs, const char *step, const char *column)
{
    return sample_where(runs, (const char *const[][2]){ { "step", step }, { NULL, NULL } }, column);
}

Cell sample_spread(Sample s)
{
    Cell cell;
    if (s.n > 1)
        snprintf(cell.text, sizeof cell.text, "%.2f ± %.2f", s.mean, sqrt(s.variance));
    else
        snprintf(cell.text, sizeof cell.text, "%.2f", s.mean);
    return cell;
}

Cell sample_difference(Sample s, Sample from)
{
    Cell cell;
    int used = snprintf(cell.text, sizeof cell.text, "%+.2f", s.mean - from.mean);
    if (s.n > 1 && from.n > 1)
        snprintf(cell.text + used, sizeof cell.text - (size_t)used, " ± %.2f",
                 sqrt(s.variance / s.n + from.variance / from.n));
    return cell;
}
