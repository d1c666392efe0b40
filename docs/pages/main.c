/* Pages and tables: what is generated of them, and whether they are right. Pages are README and
 * docs, in English, and their counterparts in Chinese.
 *
 *   pages links            dead links, anchors and lines
 *   pages pairs            pages without a counterpart, and pairs whose numbers differ
 *   pages code             C in a lesson's table that is not in the step
 *   pages run PAGE…        runs the ```sh fences and compares what they print with the fence that
 *                          follows; what is marked ```sh slow is only checked for its syntax, ```sh
 *                          fails must fail. A command has $SECONDS_PER_COMMAND, 600 without it
 *   pages fill PAGE…       the same, and writes what they print into fences that are empty
 *
 *   pages write            writes again what is generated: blocks in the pages, fences of Chinese
 *                          pages, docs/diffs; all of it, or nothing where something fails
 *   pages check            says what that would change
 *   pages block NAME WORD… prints a block, as <!-- begin generated: NAME WORD… --> has it
 *
 *   pages ladder           writes the table of all steps: ladder.tsv beside the programs
 *   pages counts FOLDER    writes what is counted, of our own steps: ladder.tsv and stages.tsv
 *   pages text FILE        prints a ladder.tsv
 *   pages steps            prints the steps that are one network each, a line per step; behind a
 * tab "published", or nothing pages steps ours       the same of those that have a lesson pages
 * steps NUMBER…    the same of these, be they one network or not pages collect DATA ACCURACY CURVES
 * RUN…   writes tables of what runs came to: runs.h pages runs ACCURACY    prints what runs came
 * to, by step
 *
 * The steps' programs are in the folder of this one; RUN is a path of a run.tsv. Ends with status 1
 * where something is wrong. To be run where steps/ stands; the commands of a page build steps and
 * write files there. */
#include "base/error.h"
#include "base/memory.h"
#include "blocks.h"
#include "io/file.h"
#include "ladder.h"
#include "page.h"
#include "runs.h"
#include "steps.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What a test runner or an outer make says to its children does not concern a page's commands: a
 * make in a page builds into build/. */
static void forget_callers(void)
{
    static const char *const names[] = { "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES",
                                         "MAKELEVEL", "BUILD",  "BXFI_MAP" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("LC_ALL", "C.UTF-8", 1);
}

static int seconds_per_command(void)
{
    const char *text = getenv("SECONDS_PER_COMMAND");
    int seconds = text ? atoi(text) : 600;
    if (seconds < 1)
        error_die(EXIT_USAGE, "SECONDS_PER_COMMAND", "%s is not a number of seconds", text);
    return seconds;
}

/* --- commands -------------------------------------------------------------------------------- */

/* Each gets the words behind its name, NULL behind the last, and returns how much is wrong. */

static int cmd_links(char **words)
{
    (void)words;
    return check_links();
}

static int cmd_pairs(char **words)
{
    (void)words;
    return check_pairs();
}

static int cmd_code(char **words)
{
    (void)words;
    return check_code();
}

static int run_pages(char **pages, bool fill)
{
    int mistakes = 0;
    for (; *pages; pages++)
        mistakes += run_page(*pages, fill, seconds_per_command());
    return mistakes;
}

static int cmd_run(char **pages)
{
    return run_pages(pages, false);
}

static int cmd_fill(char **pages)
{
    return run_pages(pages, true);
}

static int cmd_write(char **words)
{
    (void)words;
    refresh_pages(false);
    return 0;
}

static int cmd_check(char **words)
{
    (void)words;
    return refresh_pages(true);
}

static int cmd_block(char **words)
{
    char *text = block_text("docs/README.md", words);
    printf("%s", text);
    free(text);
    return 0;
}

static int cmd_ladder(char **words)
{
    (void)words;
    ladder_write();
    return 0;
}

static int cmd_counts(char **words)
{
    ladder_write_counts(words[0]);
    return 0;
}

static int cmd_text(char **words)
{
    ladder_print(stdout, words[0], false);
    return 0;
}

static int cmd_steps(char **words)
{
    bool ours = words[0] && strcmp(words[0], "ours") == 0;
    char **step = words[0] && !ours ? steps_named(words) : steps_of_one_network(ours);
    for (; *step; step++)
        printf("%s\t%s\n", *step, step_report(*step, "small")->published ? "published" : "");
    return 0;
}

static int cmd_collect(char **words)
{
    runs_collect(words + 3, words[0], words[1], words[2]);
    return 0;
}

static int cmd_runs(char **words)
{
    runs_print(words[0]);
    return 0;
}

static const struct {
    const char *name;
    int least, most; /* words */
    int (*run)(char **words);
} commands[] = {
    { "links", 0, 0, cmd_links },
    { "pairs", 0, 0, cmd_pairs },
    { "code", 0, 0, cmd_code },
    { "run", 0, INT_MAX, cmd_run },
    { "fill", 0, INT_MAX, cmd_fill },
    { "write", 0, 0, cmd_write },
    { "check", 0, 0, cmd_check },
    { "block", 1, INT_MAX, cmd_block },
    { "ladder", 0, 0, cmd_ladder },
    { "counts", 1, 1, cmd_counts },
    { "text", 1, 1, cmd_text },
    { "steps", 0, INT_MAX, cmd_steps },
    { "collect", 4, INT_MAX, cmd_collect },
    { "runs", 1, 1, cmd_runs },
};

int main(int argc, char **argv)
{
    forget_callers();
    file_clean_at_end();
    steps_begin(argv[0]);
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, argv[1]) == 0 && argc - 2 >= commands[i].least &&
            argc - 2 <= commands[i].most)
            return commands[i].run(argv + 2) ? EXIT_FAILED : 0;
    error_die(EXIT_USAGE, "pages", "which command? docs/pages/main.c has them all");
}
