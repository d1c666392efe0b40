#include "runs.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/path.h"
#include "io/file.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const columns[] = { "step",      "seed",      "held_out_top1",
                                       "test_top1", "test_loss", "epochs",
                                       "seconds",   "threads",   "commit",
                                       "compiler",  "cpu" };
enum { COLUMNS = sizeof columns / sizeof *columns };

/* What decides about bytes, and should be the same in all runs of a table. */
static const char *const origins[] = { "commit", "compiler", "cpu" };
enum { ORIGINS = sizeof origins / sizeof *origins };

typedef struct {
    const char *path; /* of its run.tsv */
    const Table *row; /* what that says */
} Run;

typedef struct {
    Run *list;
    size_t count;
} Runs;

/* --- reading --------------------------------------------------------------------------------- */

/* Another file of a run, of its own memory. */
static char *beside(const char *path, const char *name)
{
    return str_format("%.*s%s", (int)(path_base(path) - path), path, name);
}

static const char *cell(const Run *run, const char *column)
{
    return table_cell(run->row, 0, column);
}

static bool same(const Run *a, const Run *b, const char *column)
{
    return strcmp(cell(a, column), cell(b, column)) == 0;
}

/* By step, then by seed, then by path. */
static int by_step(const void *a, const void *b)
{
    const Run *x = a, *y = b;
    int seeds = atoi(cell(x, "seed")) - atoi(cell(y, "seed"));
    return !same(x, y, "step") ? strcmp(cell(x, "step"), cell(y, "step"))
           : seeds             ? seeds
                               : strcmp(x->path, y->path);
}

static bool is_run(const Table *table)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (table->columns != COLUMNS || strcmp(table->cells[i], columns[i]) != 0)
            return false;
    return table->rows == 1;
}

static Runs read_runs(char *const *paths)
{
    Runs runs = { 0 };
    for (; *paths; paths++) {
        if (access(*paths, F_OK) != 0)
            error_die(EXIT_FAILED, *paths, "there is no complete run (make train)");
        const Table *row = table_read(*paths);
        if (!is_run(row))
            error_die(EXIT_FAILED, *paths, "its columns are not those of a run");
        runs.list = mem_grow(runs.list, runs.count + 1, sizeof *runs.list);
        runs.list[runs.count++] = (Run){ .path = *paths, .row = row };
    }
    if (runs.count)
        qsort(runs.list, runs.count, sizeof *runs.list, by_step);
    return runs;
}

/* What made a run: its network, data and recipe, as train.sh leaves it, of its own memory; "" where
 * it isn't known. */
static char *recipe_of(const char *path)
{
    char *made = beside(path, "made_of.txt"), *recipe = NULL;
    if (access(made, F_OK) == 0) {
        Page page = page_read(made);
        recipe = str_format("%s", page.count ? page.lines[0].text : "");
        page_free(&page);
    }
    free(made);
    return recipe ? recipe : str_format("%s", "");
}

/* Ends the program where a run is known to be of other data, or of altered ones. */
static void check_data(const char *path, const char *data)
{
    char *recipe = recipe_of(path), *wanted = str_format(", data %s, ", data);
    const char *told = strstr(recipe, "data "); /* without the network's checksum */
    if (strcmp(data, "-") != 0 && *recipe && (strstr(recipe, "--alter") || !strstr(recipe, wanted)))
        error_die(EXIT_FAILED, path, "it was not trained on %s as it is: %s", data,
                  told ? told : recipe);
    free(recipe);
    free(wanted);
}

/* --- runs that do not go together ------------------------------------------------------------ */

/* Do both have weights, and the same? 1, 0, or -1 where one has none. */
static int same_weights(const Run *a, const Run *b)
{
    char *paths[] = { beside(a->path, "best.safetensors"), beside(b->path, "best.safetensors") };
    char *bytes[2] = { 0 };
    size_t size[2];
    bool read[2];
    for (int i = 0; i < 2; i++) {
        Error error;
        read[i] = file_read(paths[i], &bytes[i], &size[i], &error);
        free(paths[i]);
    }
    int answer =
        !read[0] || !read[1] ? -1 : size[0] == size[1] && memcmp(bytes[0], bytes[1], size[0]) == 0;
    free(bytes[0]);
    free(bytes[1]);
    return answer;
}

/* Says of a double what is the same and what is not. */
static void say_double(const Run *first, const Run *second)
{
    Text text;
    text_open(&text);
    int weights = same_weights(first, second);
    bool results = same(first, second, "held_out_top1") && same(first, second, "test_loss");
    fprintf(text.out, "%s",
            weights == 1   ? "the same bytes"
            : weights == 0 ? "other bytes"
            : results      ? "the same results"
                           : "other results");
    for (size_t i = 0; i < ORIGINS; i++)
        if (!same(first, second, origins[i]))
            fprintf(text.out, ", %s %s and not %s", origins[i], cell(second, origins[i]),
                    cell(first, origins[i]));
    text_close(&text);
    error_note(second->path, "step and seed are those of %s: %s", first->path, text.bytes);
    free(text.bytes);
}

/* Ends the program, when all that is so has been said, where a step's seed is there twice, or its
 * runs are known to be of several recipes. */
static void check_together(const Runs *runs)
{
    size_t wrong = 0;
    for (size_t i = 1; i < runs->count; i++) {
        const Run *before = &runs->list[i - 1], *run = &runs->list[i];
        if (!same(before, run, "step"))
            continue;
        char *was = recipe_of(before->path), *is = recipe_of(run->path);
        if (same(before, run, "seed"))
            say_double(before, run), wrong++;
        else if (*was && *is && strcmp(was, is) != 0)
            error_note(run->path, "it is of another recipe than %s: %s; and not %s", before->path,
                       is, was),
                wrong++;
        free(was);
        free(is);
    }
    if (wrong)
        error_die(EXIT_FAILED, "runs", "these runs cannot be averaged: leave some of them out");
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Puts an epoch of a step's runs; false where none came so far. */
static bool put_epoch(Text *text, const Run *first, size_t count, int epoch)
{
    char *number = str_format("%d", epoch);
    const char *least = NULL, *most = NULL;
    double sum = 0;
    int n = 0;
    for (const Run *run = first; run < first + count; run++) {
        char *path = beside(run->path, "log.tsv");
        const Table *log = table_read(path);
        size_t row = table_find(log, "epoch", number);
        free(path);
        if (row == log->rows)
            continue;
        const char *top1 = table_cell(log, row, "held_out_top1");
        least = !least || atof(top1) < atof(least) ? top1 : least;
        most = !most || atof(top1) > atof(most) ? top1 : most;
        sum += atof(top1);
        n++;
    }
    if (n)
        fprintf(text->out, "%s\t%d\t%.3f\t%s\t%s\t%d\n", cell(first, "step"), epoch, sum / n, least,
                most, n);
    free(number);
    return n;
}

static void put_curves(Text *text, const Runs *runs)
{
    fprintf(text->out, "step\tepoch\theld_out_mean\theld_out_min\theld_out_max\tseeds\n");
    for (const Run *first = runs->list, *end; first < runs->list + runs->count; first = end) {
        for (end = first; end < runs->list + runs->count && same(first, end, "step");)
            end++;
        for (int epoch = 1; put_epoch(text, first, (size_t)(end - first), epoch);)
            epoch++;
    }
}

/* The value of a column that most runs have, of several the first. */
static const char *usual(const Runs *runs, const char *column)
{
    const Run *end = runs->list + runs->count, *best = runs->list;
    size_t most = 0;
    for (const Run *run = runs->list; run < end; run++) {
        size_t count = 0;
        for (const Run *other = runs->list; other < end; other++)
            count += same(run, other, column);
        if (count > most) {
            most = count;
            best = run;
        }
    }
    return cell(best, column);
}

/* marked: with a last column that names the origins that are not those of most runs. */
static void put_runs(Text *text, const Runs *runs, bool marked)
{
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(text->out, "%s%s", i ? "\t" : "", columns[i]);
    fprintf(text->out, marked ? "\tdiffers\n" : "\n");
    for (const Run *run = runs->list; run < runs->list + runs->count; run++) {
        for (size_t i = 0; i < COLUMNS; i++)
            fprintf(text->out, "%s%s", i ? "\t" : "", cell(run, columns[i]));
        const char *before = "\t";
        for (size_t i = 0; marked && i < ORIGINS; i++)
            if (strcmp(cell(run, origins[i]), usual(runs, origins[i])) != 0) {
                fprintf(text->out, "%s%s", before, origins[i]);
                before = " ";
            }
        fprintf(text->out, marked && *before == '\t' ? "\t-\n" : "\n");
    }
}

/* Says which runs are of another commit, compiler or processor than most. */
static void print_origins(const Runs *runs)
{
    for (size_t i = 0; i < ORIGINS; i++) {
        const char *most = usual(runs, origins[i]);
        for (const Run *run = runs->list; run < runs->list + runs->count; run++)
            if (strcmp(cell(run, origins[i]), most) != 0)
                printf("%s: %s %s, where most have %s\n", run->path, origins[i],
                       cell(run, origins[i]), most);
    }
}

static void write_tables(const Runs *runs, const char *accuracy, const char *curves, bool marked)
{
    Text text;
    if (strcmp(curves, "-") != 0) {
        text_open(&text);
        put_curves(&text, runs);
        text_write(&text, curves);
    }
    text_open(&text);
    put_runs(&text, runs, marked);
    text_write(&text, accuracy);
}

void runs_collect(char *const *paths, const char *data, const char *accuracy, const char *curves)
{
    Runs runs = read_runs(paths);
    for (size_t i = 0; i < runs.count; i++)
        check_data(runs.list[i].path, data);
    check_together(&runs);
    write_tables(&runs, accuracy, curves, false);
    free(runs.list);
}

void runs_join(char *const *paths, const char *accuracy, const char *curves)
{
    Runs runs = read_runs(paths);
    check_together(&runs);
    write_tables(&runs, accuracy, curves, true);
    runs_print(accuracy);
    print_origins(&runs);
    free(runs.list);
}

static void print_spread(Sample s)
{
    printf("  %6.2f", s.mean);
    if (s.n > 1)
        printf(" ± %.2f", sqrt(s.variance));
    else
        printf("       ");
}

void runs_print(const char *path)
{
    const Table *t = table_read(path);
    printf("%-28s %5s  %-14s %-14s %s\n", "step", "seeds", "held out, %", "test, %", "test loss");
    for (size_t i = 0; i < t->rows; i++) {
        const char *step = table_cell(t, i, "step");
        if (table_find(t, "step", step) != i)
            continue;
        Sample loss = sample_of(t, step, "test_loss");
        printf("%-28s %5d", step, loss.n);
        print_spread(sample_of(t, step, "held_out_top1"));
        print_spread(sample_of(t, step, "test_top1"));
        printf("  %.4f\n", loss.mean);
    }
}
