#include "runs.h"

#include "base/error.h"
#include "base/memory.h"
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char columns[] = "step\tseed\theld_out_top1\ttest_top1\ttest_loss\tepochs\tseconds\t"
                              "threads\tcommit\tcompiler\tcpu";

typedef struct {
    const char *path; /* of its run.tsv */
    char *line;       /* the run, with those columns */
} Run;

typedef struct {
    Run *list;
    size_t count;
} Runs;

/* --- reading --------------------------------------------------------------------------------- */

/* Another file of a run, of its own memory. */
static char *beside(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return str_format("%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name);
}

static int step_length(const Run *run)
{
    return (int)strcspn(run->line, "\t");
}

static bool same_step(const Run *a, const Run *b)
{
    return strncmp(a->line, b->line, (size_t)step_length(a) + 1) == 0;
}

/* By step, then by seed. */
static int by_step(const void *a, const void *b)
{
    const Run *x = a, *y = b;
    return same_step(x, y) ? atoi(x->line + step_length(x)) - atoi(y->line + step_length(y))
                           : strcmp(x->line, y->line);
}

static Runs read_runs(char *const *paths)
{
    Runs runs = { 0 };
    for (; *paths; paths++) {
        if (access(*paths, F_OK) != 0)
            error_die(EXIT_FAILED, *paths, "there is no complete run (make train)");
        Page page = page_read(*paths);
        if (page.count != 2 || strcmp(page.lines[0].text, columns) != 0)
            error_die(EXIT_FAILED, *paths, "its columns are not those of a run");
        runs.list = mem_grow(runs.list, runs.count + 1, sizeof *runs.list);
        runs.list[runs.count++] =
            (Run){ .path = *paths, .line = str_format("%s", page.lines[1].text) };
        page_free(&page);
    }
    if (runs.count)
        qsort(runs.list, runs.count, sizeof *runs.list, by_step);
    return runs;
}

/* Ends the program where a run is known to be of other data, or of altered ones. */
static void check_data(const char *path, const char *data)
{
    char *made = beside(path, "made_of.txt"), *wanted = str_format(", data %s, ", data);
    if (strcmp(data, "-") != 0 && access(made, F_OK) == 0) {
        Page page = page_read(made);
        const char *recipe = page.count ? page.lines[0].text : "";
        if (strstr(recipe, "--alter") || !strstr(recipe, wanted))
            error_die(EXIT_FAILED, path, "it was not trained on %s as it is: %s", data, recipe);
        page_free(&page);
    }
    free(made);
    free(wanted);
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
        fprintf(text->out, "%.*s\t%d\t%.3f\t%s\t%s\t%d\n", step_length(first), first->line, epoch,
                sum / n, least, most, n);
    free(number);
    return n;
}

static void put_curves(Text *text, const Runs *runs)
{
    fprintf(text->out, "step\tepoch\theld_out_mean\theld_out_min\theld_out_max\tseeds\n");
    for (const Run *first = runs->list, *end; first < runs->list + runs->count; first = end) {
        for (end = first; end < runs->list + runs->count && same_step(first, end);)
            end++;
        for (int epoch = 1; put_epoch(text, first, (size_t)(end - first), epoch);)
            epoch++;
    }
}

static void put_runs(Text *text, const Runs *runs)
{
    fprintf(text->out, "%s\n", columns);
    for (size_t i = 0; i < runs->count; i++)
        fprintf(text->out, "%s\n", runs->list[i].line);
}

void runs_collect(char *const *paths, const char *data, const char *accuracy, const char *curves)
{
    Text text;
    Runs runs = read_runs(paths);
    for (size_t i = 0; i < runs.count; i++)
        check_data(runs.list[i].path, data);
    if (strcmp(curves, "-") != 0) {
        text_open(&text);
        put_curves(&text, &runs);
        text_write(&text, curves);
    }
    text_open(&text);
    put_runs(&text, &runs);
    text_write(&text, accuracy);
    for (size_t i = 0; i < runs.count; i++)
        free(runs.list[i].line);
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
