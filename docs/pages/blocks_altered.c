/* Blocks of accuracy on altered images, of a table such as results/altered.tsv. */
#include "base/error.h"
#include "base/memory.h"
#include "block.h"
#include "blocks.h"
#include "data/alter.h"
#include "page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network, as a line of the table names it: all with its name, row and batch size. */
typedef struct {
    const Table *table;
    size_t line;
} Network;

static bool is_of(const Network *n, size_t line)
{
    static const char *const columns[] = { "network", "row", "batch" };
    bool same = true;
    for (size_t i = 0; same && i < sizeof columns / sizeof *columns; i++)
        same = strcmp(table_cell(n->table, line, columns[i]),
                      table_cell(n->table, n->line, columns[i])) == 0;
    return same;
}

/* Returns the network's accuracy with this seed; NULL: its mean over the seeds. */
static double top1(const Network *n, const char *seed, const char *alteration)
{
    const Table *t = n->table;
    const char *const where[][2] = { { "network", table_cell(t, n->line, "network") },
                                     { "row", table_cell(t, n->line, "row") },
                                     { "batch", table_cell(t, n->line, "batch") },
                                     { "alteration", alteration },
                                     { seed ? "seed" : NULL, seed },
                                     { NULL, NULL } };
    Sample s = sample_where(t, where, "top1");
    if (s.n == 0)
        error_die(EXIT_FAILED, "altered images", "no row of %s, seed %s, %s", where[0][1],
                  seed ? seed : "any", alteration);
    return s.mean;
}

/* What is told of a network: one alteration's accuracy, or a mean over several. */
typedef struct {
    const char *single; /* NULL: a mean */
    bool few;           /* over noise and blur alone */
    bool other;         /* over all but noise */
    bool error;         /* of the error relative to the table's first network's */
} Measure;

static double measure(const Network *n, const char *seed, Measure m)
{
    const Network first = { n->table, 0 };
    double sum = 0;
    int count = 0;
    if (m.single)
        return top1(n, seed, m.single);
    for (int i = 0; i < ALTER_STANDARD; i++) {
        const char *kind = alter_standard[i];
        bool noise = after(kind, "noise");
        if ((m.few && !noise && !after(kind, "blur")) || (m.other && noise))
            continue;
        double value = top1(n, seed, kind);
        sum += m.error ? 100 * (100 - value) / (100 - top1(&first, NULL, kind)) : value;
        count++;
    }
    return sum / count;
}

/* Returns mean and variance over the network's seeds. */
static Sample measured(const Network *n, Measure m)
{
    Sample s = { 0 };
    for (size_t i = 0; i < n->table->rows; i++)
        if (is_of(n, i) && strcmp(table_cell(n->table, i, "alteration"), "clean") == 0)
            sample_add(&s, measure(n, table_cell(n->table, i, "seed"), m));
    return s;
}

/* Tests for the first line of a network. */
static bool begins_network(const Network *n)
{
    size_t before = 0;
    while (before < n->line && !is_of(n, before))
        before++;
    return before == n->line;
}

/* Names a network by its step; a row, which "15-std0.04" may qualify, by the paper's words. */
static void put_name(const Block *b, const char *network, const char *row)
{
    const Table *rows = table_read("tests/data/paper_roadmap.tsv");
    char *number = str_format("%.*s", (int)strcspn(row, "-"), row);
    const char *std = strstr(row, "-std");
    if (!*number)
        fprintf(b->out, "| %s", network);
    else
        fprintf(b->out, "| %s %s", number,
                block_phrase(b, table_cell(rows, table_find(rows, "row", number), "change")));
    if (std)
        fprintf(b->out, "%s σ %s", block_say(b, ", initial weights with", "，权重初值"), std + 4);
    fprintf(b->out, " |");
    free(number);
}

/* Ends a line with the number of seeds and with what is told of the network. */
static void put_values(const Block *b, const Network *n, const Measure *list, size_t count)
{
    fprintf(b->out, " %d |", measured(n, (Measure){ .single = "clean" }).n);
    for (size_t i = 0; i < count; i++) {
        Sample s = measured(n, list[i]);
        fprintf(b->out, s.n > 1 ? " %.1f ± %.1f |" : " %.1f |", s.mean, sqrt(s.variance));
    }
    fprintf(b->out, "\n");
}

static void put_measures(const Block *b, const Measure *list, size_t count)
{
    const Table *t = table_read(block_step(b));
    for (size_t line = 0; line < t->rows; line++) {
        const Network n = { t, line };
        if (!begins_network(&n))
            continue;
        put_name(b, table_cell(t, line, "network"), table_cell(t, line, "row"));
        put_values(b, &n, list, count);
    }
}

/* What is told of each network, in this order: the first of other trainings as well, the last in
 * altered_print_means alone. */
static const Measure measures[] = {
    { .single = "clean" },    { .single = "noise:16" }, { .single = "noise:32" },
    { .single = "noise:64" }, { .single = "blur:3" },   { .few = true },
    { .few = false },         { .error = true },        { .few = true, .error = true },
    { .other = true },
};
enum { TOLD_OF_TRAININGS = 7, TOLD, MEASURES = sizeof measures / sizeof *measures };

/* The heads of their columns after the first. */
#define COLUMNS_EN                                                                                 \
    "`noise:16` | `noise:32` | `noise:64` | `blur:3` | mean of noise and blur | mean of all "      \
    "fourteen"
#define COLUMNS_ZH                                                                                 \
    "`noise:16` | `noise:32` | `noise:64` | `blur:3` | 噪声与模糊的均值 | 全部十四种的均值"

void block_altered(const Block *b)
{
    block_head(b, "| network | seeds | clean | " COLUMNS_EN " | corruption error |",
               "| 网络 | 种子数 | 原图 | " COLUMNS_ZH " | 损坏误差 |",
               "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    put_measures(b, measures, TOLD);
}

void block_alterations(const Block *b)
{
    Measure others[ALTER_STANDARD];
    size_t count = 0;
    fprintf(b->out, "%s", block_say(b, "| network | seeds |", "| 网络 | 种子数 |"));
    for (int i = 0; i < ALTER_STANDARD; i++)
        if (!after(alter_standard[i], "noise") && !after(alter_standard[i], "blur")) {
            others[count++] = (Measure){ .single = alter_standard[i] };
            fprintf(b->out, " `%s` |", alter_standard[i]);
        }
    fprintf(b->out, "\n|---|---:|");
    for (size_t i = 0; i < count; i++)
        fprintf(b->out, "---:|");
    fprintf(b->out, "\n");
    put_measures(b, others, count);
}

/* --- the same networks by other trainings ----------------------------------------------------- */

/* Prints how a network was trained, with a space for a comma, and what it came to. */
static void put_training(const Block *b, const Network *n, const char *training)
{
    fprintf(b->out, "| %s | ", table_cell(n->table, n->line, "network"));
    for (const char *c = training; *c; c++)
        fputc(*c == ',' ? ' ' : *c, b->out);
    fprintf(b->out, " |");
    put_values(b, n, measures, TOLD_OF_TRAININGS);
}

/* Prints a network, and below it what it came to by those trainings of the table that have the
 * block's option; nothing where there are none. */
static void put_trainings(const Block *b, const Network *n, const Table *trainings)
{
    bool told = false;
    for (size_t i = 0; i < trainings->rows; i++) {
        const Network other = { trainings, i };
        const char *options = table_cell(trainings, i, "row");
        if (!begins_network(&other) || !strstr(options, b->word[1]) ||
            strcmp(table_cell(trainings, i, "network"), table_cell(n->table, n->line, "network")) !=
                0)
            continue;
        if (!told)
            put_training(b, n, block_say(b, "our own", "本项目的方案"));
        char *code = str_format("`%s`", options);
        put_training(b, &other, code);
        free(code);
        told = true;
    }
}

void block_trainings(const Block *b)
{
    const Table *ours = table_read("results/altered.tsv"), *trainings = table_read(block_step(b));
    if (!b->word[1])
        error_die(EXIT_FAILED, b->page, "trainings: no option is named");
    block_head(b, "| network | training | seeds | clean | " COLUMNS_EN " |",
               "| 网络 | 训练 | 种子数 | 原图 | " COLUMNS_ZH " |",
               "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (size_t line = 0; line < ours->rows; line++) {
        const Network n = { ours, line };
        if (begins_network(&n))
            put_trainings(b, &n, trainings);
    }
}

void altered_print_means(const char *path)
{
    const Table *t = table_read(path);
    for (size_t line = 0; line < t->rows; line++) {
        const Network n = { t, line };
        if (!begins_network(&n))
            continue;
        printf("%s\t%s\t%s\t%d", table_cell(t, line, "network"), table_cell(t, line, "row"),
               table_cell(t, line, "batch"), measured(&n, measures[0]).n);
        for (size_t i = 0; i < MEASURES; i++) {
            Sample s = measured(&n, measures[i]);
            printf("\t%.6f\t%.6f", s.mean, sqrt(s.variance));
        }
        printf("\n");
    }
}
