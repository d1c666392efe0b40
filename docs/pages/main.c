/* Pages and tables: what is generated of them, and whether they are right. Pages are README and
 * docs, in English, and their counterparts in Chinese.
 *
 *   pages links            dead links, anchors and lines
 *   pages pairs            pages without a counterpart, and pairs whose numbers differ
 *   pages code             C in a lesson's table that is not in the step
 *   pages language         words, signs and forms that docs/language or language.c rules out
 *   pages run PAGE…        runs the ```sh fences and compares what they print with the fence that
 *                          follows; what is marked ```sh slow is only checked for its syntax, ```sh
 *                          fails must fail. A command has $SECONDS_PER_COMMAND, 600 without it
 *   pages fill PAGE…       the same, and writes what they print into fences that are empty
 *
 *   pages write            writes again what is generated: blocks in the pages, fences of Chinese
 *                          pages but their comments and a formula's \text{} (of ```text fences
 *                          nothing), docs/diffs, docs/drawings; all of it, or nothing where
 *                          something fails
 *   pages check            says what that would change
 *   pages block NAME WORD… prints a block, as <!-- begin generated: NAME WORD… --> has it
 *
 *   pages ladder           writes the table of all steps: ladder.tsv beside the programs
 *   pages counts FOLDER    writes what is counted, of our own steps: ladder.tsv and stages.tsv
 *   pages text FILE        prints a ladder.tsv
 *   pages means FILE       prints the means of altered runs, for plots: blocks.h
 *   pages steps            prints the steps that are one network each, a line per step; behind a
 *                          tab "published", or nothing
 *   pages steps ours       the same of those that have a lesson
 *   pages steps NUMBER…    the same of these, be they one network or not
 *   pages collect DATA ACCURACY CURVES RUN…
 *                          writes tables of what runs came to: runs.h
 *   pages join ACCURACY CURVES RUN…
 *                          the same of runs from many places: marks what differs
 *   pages runs ACCURACY    prints what runs came to, by step
 *
 *   pages line FOLDER NAME… -- WORD…
 *                          prints a command as a line for the shell: launch.h
 *   pages launch WORD…     runs that command on the lines of standard input, passes signals on
 *
 * The steps' programs are in the folder of this one; RUN is a path of a run.tsv. Ends with status 1
 * where something is wrong. To be run where steps/ stands; the commands of a page build steps and
 * write files there. */
#include "base/error.h"
#include "base/memory.h"
#include "blocks.h"
#include "io/file.h"
#include "ladder.h"
#include "launch.h"
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

static int run_pages(char **pages, bool fill)
{
    int mistakes = 0;
    for (; *pages; pages++)
        mistakes += run_page(*pages, fill, seconds_per_command());
    return mistakes;
}

static void print_step(const char *step)
{
    const Report *small = step_report(step, "small");
    printf("%s\t%s\n", step, small && small->published ? "published" : "");
}

/* Those of these numbers, of our own ("ours"), or all of the ladder. */
static void print_steps(char **numbers)
{
    bool ours = *numbers && strcmp(*numbers, "ours") == 0;
    if (*numbers && !ours)
        for (; *numbers; numbers++)
            print_step(step_named(*numbers));
    else
        for (char **step = steps_all(); *step; step++)
            if (is_rung(*step, ours))
                print_step(*step);
}

static void print_block(char **words)
{
    char *text = block_text("docs/README.md", words);
    printf("%s", text);
    free(text);
}

/* The words behind the command, NULL behind the last, where it is this one and has so many; NULL
 * otherwise. */
static char **call(char **argv, const char *name, int least, int most)
{
    int count = 0;
    if (!argv[1] || strcmp(argv[1], name) != 0)
        return NULL;
    while (argv[2 + count])
        count++;
    return count >= least && count <= most ? argv + 2 : NULL;
}

int main(int argc, char **argv)
{
    enum { ANY = INT_MAX };
    int mistakes = 0;
    char **words;
    (void)argc;
    if ((words = call(argv, "line", 1, ANY)))
        return launch_line(words), 0;
    if ((words = call(argv, "launch", 1, ANY)))
        return launch_run(words);
    forget_callers();
    file_clean_at_end();
    steps_begin(argv[0]);
    if (call(argv, "links", 0, 0))
        mistakes = check_links();
    else if (call(argv, "pairs", 0, 0))
        mistakes = check_pairs();
    else if (call(argv, "code", 0, 0))
        mistakes = check_code();
    else if (call(argv, "language", 0, 0))
        mistakes = check_language();
    else if ((words = call(argv, "run", 0, ANY)))
        mistakes = run_pages(words, false);
    else if ((words = call(argv, "fill", 0, ANY)))
        mistakes = run_pages(words, true);
    else if (call(argv, "write", 0, 0))
        refresh_pages(false);
    else if (call(argv, "check", 0, 0))
        mistakes = refresh_pages(true);
    else if ((words = call(argv, "block", 1, ANY)))
        print_block(words);
    else if (call(argv, "ladder", 0, 0))
        ladder_write();
    else if ((words = call(argv, "counts", 1, 1)))
        ladder_write_counts(words[0]);
    else if ((words = call(argv, "text", 1, 1)))
        ladder_print(stdout, words[0], false);
    else if ((words = call(argv, "means", 1, 1)))
        altered_print_means(words[0]);
    else if ((words = call(argv, "steps", 0, ANY)))
        print_steps(words);
    else if ((words = call(argv, "collect", 4, ANY)))
        runs_collect(words + 3, words[0], words[1], words[2]);
    else if ((words = call(argv, "join", 3, ANY)))
        runs_join(words + 2, words[0], words[1]);
    else if ((words = call(argv, "runs", 1, 1)))
        runs_print(words[0]);
    else
        error_die(EXIT_USAGE, "pages", "which command? docs/pages/main.c has them all");
    return mistakes ? EXIT_FAILED : 0;
}
