/* grade STEP MINE [--seed N] [--format text|tsv|json] [--seconds N]: holds the program of MINE, a
 * step's folder or its main.c, to that of our step, and says of the first thing that differs where
 * it is, what is there and what should be.
 *
 * Both run with the step's own sizes, with preset small and with sizes, weights and a batch drawn
 * by the seed. MINE is compiled by $GRADE_COMPILE, with $GRADE_WITH behind it, in a folder of its
 * own; it is only read. To be run where steps/ stands; our steps' programs are in the folder of
 * this one.
 *
 * Exit status: 0 for all points, 1 for fewer, 2 for a wrong call. */
#include "grade.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/stop.h"
#include "io/json.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the stages ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int points;
    bool (*passes)(Grade *g);
} stages[] = {
    { "compiles", 5, stage_compiles },
    { "runs", 5, stage_runs },
    { "shapes", 15, stage_shapes },
    { "names", 15, stage_names },
    { "parameters", 15, stage_parameters },
    { "MACs", 5, stage_macs },
    { "logits in evaluation", 20, stage_evaluation },
    { "logits in training", 10, stage_training },
    { "gradients", 5, stage_gradients },
    { "five AdamW steps", 5, stage_adamw },
};
enum { STAGES = sizeof stages / sizeof *stages };

typedef struct {
    int passed; /* stages */
    int score, most;
    char *why; /* of the stage that follows */
} Marks;

static Marks grade(Grade *g)
{
    Marks m = { 0 };
    text_open(&g->told);
    g->why = g->told.out;
    while (m.passed < STAGES && stages[m.passed].passes(g))
        m.score += stages[m.passed++].points;
    for (int i = 0; i < STAGES; i++)
        m.most += stages[i].points;
    text_close(&g->told);
    m.why = g->told.bytes;
    return m;
}

static const char *output_of(const Marks *m, int stage)
{
    return stage < m->passed ? "" : stage == m->passed ? m->why : "Not looked at: it comes later.";
}

/* --- printing --------------------------------------------------------------------------------- */

static void print_text(const Grade *g, const Marks *m)
{
    printf("%s against step %s (seed %llu)\n", g->main_c, g->step, (unsigned long long)g->seed);
    for (int i = 0; i <= m->passed && i < STAGES; i++)
        printf("  %-22s %2d of %2d\n", stages[i].name, i < m->passed ? stages[i].points : 0,
               stages[i].points);
    for (char *at = m->why; *at; at += strcspn(at, "\n"), at += *at == '\n')
        printf("    %.*s\n", (int)strcspn(at, "\n"), at);
    printf("%d of %d points\n", m->score, m->most);
}

static void put_escaped(const char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            printf(text[1] ? "\\n" : "");
        else if (*text == '\t' || *text == '\r' || *text == '\\')
            printf("\\%c", *text == '\t' ? 't' : *text == '\r' ? 'r' : '\\');
        else
            putchar(*text);
}

static void print_tsv(const Marks *m)
{
    printf("stage\tscore\tmax_score\toutput\n");
    for (int i = 0; i < STAGES; i++) {
        printf("%s\t%d\t%d\t", stages[i].name, i < m->passed ? stages[i].points : 0,
               stages[i].points);
        put_escaped(output_of(m, i));
        printf("\n");
    }
    printf("total\t%d\t%d\t\n", m->score, m->most);
}

/* A string in quotes; bytes that are not UTF-8, which a program may print, become '?'. */
static void print_string(const char *text)
{
    char *copy = str_format("%s", text);
    bool good = json_holds(copy);
    for (char *c = copy; *c && !good; c++)
        if ((unsigned char)*c >= 128)
            *c = '?';
    json_put_string(stdout, copy);
    free(copy);
}

/* As Gradescope reads it: gradescope-autograders.readthedocs.io, "Autograder Specifications". */
static void print_json(const Grade *g, const Marks *m)
{
    char *what = str_format("%s against step %s (seed %llu)", g->main_c, g->step,
                            (unsigned long long)g->seed);
    printf("{\n \"score\": %d,\n \"max_score\": %d,\n \"output\": ", m->score, m->most);
    print_string(what);
    printf(",\n \"output_format\": \"text\",\n \"visibility\": \"visible\",\n"
           " \"stdout_visibility\": \"hidden\",\n \"tests\": [");
    for (int i = 0; i < STAGES; i++) {
        printf("%s   {\"name\": \"%s\", \"number\": \"%d\", \"score\": %d, \"max_score\": %d, "
               "\"status\": \"%s\", \"output_format\": \"text\", \"visibility\": \"visible\", "
               "\"output\": ",
               i ? ",\n" : "\n", stages[i].name, i + 1, i < m->passed ? stages[i].points : 0,
               stages[i].points, i < m->passed ? "passed" : "failed");
        print_string(output_of(m, i));
        printf("}");
    }
    printf("]\n}\n");
    free(what);
}

/* --- the call --------------------------------------------------------------------------------- */

/* The step of ours with that number or name: one that has a program, and is one network. */
static void find_step(Grade *g, const char *wanted)
{
    char *pattern = str_format("docs/tasks/%s%.2s.md", strlen(wanted) == 1 ? "0" : "", wanted);
    bool number = strspn(wanted, "0123456789") == strlen(wanted) && strlen(wanted) < 3;
    glob_t found = { 0 };
    if (access(pattern, F_OK) != 0 || (!number && strlen(wanted) < 4))
        error_die(EXIT_USAGE, "STEP", "%s: there is no such task in docs/tasks", wanted);
    g->number = atoi(pattern + strlen("docs/tasks/"));
    char *program = number ? str_format("%s/%02d_*", g->build, g->number)
                           : str_format("%s/%s", g->build, wanted);
    for (int i = glob(program, 0, NULL, &found) == 0 ? (int)found.gl_pathc - 1 : -1; i >= 0; i--) {
        char *lesson = str_format("steps/%s/main.c", path_base(found.gl_pathv[i]));
        char *page = str_format("docs/%s.md", path_base(found.gl_pathv[i]));
        if (access(lesson, F_OK) == 0 && access(page, F_OK) == 0)
            g->ours = str_format("%s", found.gl_pathv[i]);
        free(lesson);
        free(page);
    }
    if (!g->ours)
        error_die(EXIT_USAGE, "STEP", "%s: the step is not here, or not built", wanted);
    g->step = path_base(g->ours);
    globfree(&found);
    free(pattern);
    free(program);
}

static void find_mine(Grade *g, const char *mine)
{
    struct stat status;
    size_t length = strlen(mine);
    while (length > 1 && mine[length - 1] == '/')
        length--;
    if (stat(mine, &status) != 0)
        error_die(EXIT_USAGE, "MINE", "%s: %s", mine, strerror(errno));
    if (strchr(mine, '\''))
        error_die(EXIT_USAGE, "MINE", "%s: a name with ' cannot be compiled", mine);
    g->main_c = S_ISDIR(status.st_mode) ? str_format("%.*s/main.c", (int)length, mine) : mine;
    if (access(g->main_c, R_OK) != 0)
        error_die(EXIT_USAGE, "MINE", "%s: %s", g->main_c, strerror(errno));
}

static uint64_t number_of(const char *name, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = text ? strtoull(text, &end, 10) : 0;
    if (!text || errno || *end || end == text || *text == '-')
        error_die(EXIT_USAGE, name, "'%s' is no whole number", text ? text : "");
    return value;
}

/* The program finds the steps that it may be made from beside itself, as at home. */
static void link_steps(const Grade *g)
{
    char *pattern = str_format("%s/[0-9][0-9]_*", g->build);
    glob_t found = { 0 };
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *link = str_format("%s%s", g->folder, strrchr(found.gl_pathv[i], '/'));
        if (symlink(found.gl_pathv[i], link) != 0)
            error_die(EXIT_FAILED, link, "%s", strerror(errno));
        free(link);
    }
    globfree(&found);
    free(pattern);
}

static const char usage[] =
    "usage: grade STEP FOLDER [--seed N] [--seconds N] [--format text|tsv|json]\n\n"
    "holds the step in FOLDER (steps/14_mine) to STEP (05), as make grade does\n\n"
    "  --seed N     draws some of the sizes (1)\n"
    "  --seconds N  processor time that one call of a program may take (20)\n"
    "  --format F   text, tsv or json (text)\n\n"
    "exit status: 0 for full marks, 1 for fewer, 2 for a wrong call\n";

/* Tells LeakSanitizer (make sanitize) that what a grade reads is kept to its end. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "detect_leaks=0";
}

int main(int argc, char **argv)
{
    Grade g = { .seed = 1, .seconds = 20 };
    const char *format = "text", *words[2] = { NULL, NULL };
    int count = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--seed") == 0)
            g.seed = number_of("SEED", argv[++i]);
        else if (strcmp(argv[i], "--seconds") == 0)
            g.seconds = (int)number_of("SECONDS", argv[++i]) % 100000;
        else if (strcmp(argv[i], "--format") == 0 && i + 1 < argc)
            format = argv[++i];
        else if (count < 2 && argv[i][0] != '-')
            words[count++] = argv[i];
        else
            error_die(EXIT_USAGE, argv[i], "unknown; --help says what there is");
    if (!words[0] || !words[1] || !*words[1])
        error_die(EXIT_USAGE, "MINE",
                  "is to be a step's folder: make grade STEP=05 "
                  "MINE=steps/14_mine");
    bool tsv = strcmp(format, "tsv") == 0, json = strcmp(format, "json") == 0;
    if (!tsv && !json && strcmp(format, "text") != 0)
        error_die(EXIT_USAGE, "FORMAT", "%s: text, tsv or json is wanted", format);
    char *own = realpath(argv[0], NULL), *slash = own ? strrchr(own, '/') : NULL;
    if (!slash)
        error_die(EXIT_FAILED, argv[0], "cannot be found");
    *slash = 0;
    g.build = own;
    find_step(&g, words[0]);
    find_mine(&g, words[1]);
    stop_catch();
    g.folder = sandbox_new();
    g.theirs = str_format("%s/mine", g.folder);
    link_steps(&g);
    Marks m = grade(&g);
    if (tsv)
        print_tsv(&m);
    else if (json)
        print_json(&g, &m);
    else
        print_text(&g, &m);
    return m.score == m.most ? 0 : EXIT_FAILED;
}
