/* Checks the pages: README and docs, in English, and their counterparts in Chinese.
 *
 *   pages links        dead links, anchors and lines
 *   pages pairs        pages without a counterpart, and pairs whose numbers differ
 *   pages code         C in a lesson's table that is not in the step
 *   pages run PAGE…    runs the ```sh fences and compares what they print with the fence that
 *                      follows; what is marked ```sh slow is only checked for its syntax, ```sh
 *                      fails must fail. A command has $SECONDS_PER_COMMAND, 600 without it
 *   pages fill PAGE…   the same, and writes what they print into fences that are empty
 *
 * Ends with status 1 where something is wrong. To be run where steps/ stands; the commands of a
 * page build steps and write files there. */
#include "base/error.h"
#include "page.h"

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

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    bool fill = strcmp(command, "fill") == 0;
    int mistakes = 0;
    forget_callers();
    if (strcmp(command, "links") == 0)
        mistakes = check_links();
    else if (strcmp(command, "pairs") == 0)
        mistakes = check_pairs();
    else if (strcmp(command, "code") == 0)
        mistakes = check_code();
    else if (fill || strcmp(command, "run") == 0)
        for (int i = 2; i < argc; i++)
            mistakes += run_page(argv[i], fill, seconds_per_command());
    else
        error_die(EXIT_USAGE, "pages", "links, pairs, code, run PAGE… or fill PAGE…");
    return mistakes ? EXIT_FAILED : 0;
}
