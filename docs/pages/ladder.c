#include "ladder.h"

#include "base/memory.h"
#include "steps.h"
#include "table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- writing --------------------------------------------------------------------------------- */

static void put_number(FILE *out, bool there, int digits, double number)
{
    if (there)
        fprintf(out, "\t%.*g", digits, number);
    else
        fprintf(out, "\t-");
}

static void put_costs(FILE *out, const Report *r)
{
    put_number(out, r, 15, r ? r->parameters : 0);
    put_number(out, r, 15, r ? r->macs : 0);
}

static const char counted[] = "step\ttitle\tarticle_parameters\tarticle_macs\tpaper_parameters\t"
                              "paper_macs\toutput\tsmall_parameters\tsmall_macs";

static void put_counts(FILE *out, const char *step)
{
    const Report *article = step_report(step, "article"), *small = step_report(step, "small");
    const Report *any = small ? small : article;
    fprintf(out, "%s\t%s", step, any ? any->title : "-");
    put_costs(out, article);
    put_costs(out, step_report(step, "paper"));
    fprintf(out, "\t%s", article ? article->encoder : "-");
    put_costs(out, small);
}

/* Where a step came from, whose it is, and what its runs came to. */
static void put_rest(FILE *out, const char *step, const Table *runs, const Table *paper)
{
    const Report *small = step_report(step, "small"),
                 *any = small ? small : step_report(step, "article");
    Sample test = sample_of(runs, step, "test_top1");
    size_t row = table_find(paper, "step", step);
    fprintf(out, "\t%s\t%s", any && any->from ? any->from : "-", is_lesson(step) ? "" : "own");
    put_number(out, test.n, 6, test.mean);
    put_number(out, test.n > 1, 6, sqrt(test.variance));
    put_number(out, test.n, 6, test.n);
    fprintf(out, "\t%s\n", row < paper->rows ? table_cell(paper, row, "accuracy") : "-");
}

void ladder_write(void)
{
    const Table *runs = table_read("results/accuracy.tsv"),
                *paper = table_read("results/paper.tsv");
    char *path = str_format("%s/ladder.tsv", steps_build());
    Text text;
    text_open(&text);
    fprintf(text.out, "%s\tfrom\town\ttest_mean\ttest_std\tseeds\tpaper_top1\n", counted);
    for (char **step = steps_all(); *step; step++) {
        if (!is_rung(*step, false))
            continue;
        put_counts(text.out, *step);
        put_rest(text.out, *step, runs, paper);
    }
    text_write(&text, path);
    free(path);
}

void ladder_write_counts(const char *folder)
{
    Text counts, stages;
    char *path = str_format("%s/ladder.tsv", folder);
    char *stages_path = str_format("%s/stages.tsv", folder);
    text_open(&counts);
    text_open(&stages);
    fprintf(counts.out, "%s\n", counted);
    fprintf(stages.out, "step\tpart\tparameters\tmacs\n");
    for (char **step = steps_all(); *step; step++) {
        if (!is_rung(*step, true))
            continue;
        const Report *paper = step_report(*step, "paper");
        put_counts(counts.out, *step);
        fprintf(counts.out, "\n");
        for (size_t i = 0; paper && i < paper->parts.count; i++)
            fprintf(stages.out, "%s\t%s\t%.0f\t%.0f\n", *step, paper->parts.list[i].name,
                    paper->parts.list[i].parameters, paper->parts.list[i].macs);
    }
    text_write(&counts, path);
    text_write(&stages, stages_path);
    free(path);
    free(stages_path);
}

/* --- printing -------------------------------------------------------------------------------- */

/* The row that a row is compared with; its own where there is none. */
static size_t compared_with(const Table *t, size_t row)
{
    if (!table_has(t, "from"))
        return row ? row - 1 : 0;
    size_t from = table_find(t, "step", table_cell(t, row, "from"));
    return from < row ? from : row;
}

/* The change of a cell in per cent, "" where nothing changed. */
static Cell change(const Table *t, size_t row, const char *column)
{
    Cell cell = { "" };
    const char *now = table_cell(t, row, column);
    const char *before = table_cell(t, compared_with(t, row), column);
    if (*now == '-' || *before == '-' || strcmp(now, before) == 0)
        return cell;
    double p = 100 * (atof(now) - atof(before)) / atof(before);
    int digits = fabs(p) < 0.1 ? 2 : fabs(p) < 99.95 ? 1 : 0;
    snprintf(cell.text, sizeof cell.text, "%+.*f%%", digits, p);
    return cell;
}

static void print_size(FILE *out, const Table *t, size_t row, const char *column, double unit,
                       bool markdown)
{
    Cell size = { "-" }, p = change(t, row, column);
    if (*table_cell(t, row, column) != '-')
        snprintf(size.text, sizeof size.text, "%.2f", table_number(t, row, column) / unit);
    if (markdown)
        fprintf(out, *p.text ? " %s (%s) |" : " %s%s |", size.text, p.text);
    else
        fprintf(out, " %8s %6s", size.text, p.text);
}

void ladder_print(FILE *out, const char *path, bool markdown)
{
    const Table *t = table_read(path);
    if (!markdown)
        fprintf(out, "%-24s %31s %31s\n%-24s %8s %15s %15s %15s         %s\n", "",
                "------ the article's widths ---", "-------- the paper's widths ---", "step",
                "M param.", "G MACs", "M param.", "G MACs", "encoder");
    for (size_t i = 0; i < t->rows; i++) {
        const char *step = table_cell(t, i, "step"), *encoder = table_cell(t, i, "output");
        if (markdown)
            fprintf(out, "| [%s](steps/%s/main.c) |", step, step);
        else
            fprintf(out, "%-24s", step);
        print_size(out, t, i, "article_parameters", 1e6, markdown);
        print_size(out, t, i, "article_macs", 1e9, markdown);
        print_size(out, t, i, "paper_parameters", 1e6, markdown);
        print_size(out, t, i, "paper_macs", 1e9, markdown);
        if (markdown)
            fprintf(out, " %s |\n", encoder);
        else
            fprintf(out, "  %s\n", strlen(encoder) > 2 ? encoder + 2 : "");
    }
}
