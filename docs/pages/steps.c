#include "steps.h"

#include "base/error.h"
#include "base/memory.h"
#include "io/json.h"
#include "page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *build;

void steps_begin(const char *path)
{
    const char *slash = strrchr(path, '/');
    build = str_format("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

const char *steps_build(void)
{
    return build;
}

/* --- names ----------------------------------------------------------------------------------- */

/* Cuts paths to the name between the folder before it and what begins with `end`. */
static char **cut_to_names(char **path, const char *folder, const char *end)
{
    for (size_t i = 0; path[i]; i++) {
        path[i] += strlen(folder);
        path[i][strcspn(path[i], end)] = 0;
    }
    return path;
}

char **lessons(void)
{
    static char **names;
    if (!names)
        names = cut_to_names(paths("docs/[0-9][0-9]_*.md"), "docs/", ".");
    return names;
}

char **steps_all(void)
{
    return cut_to_names(paths("steps/*/main.c"), "steps/", "/");
}

bool is_lesson(const char *step)
{
    char *lesson = str_format("docs/%s.md", step);
    bool there = access(lesson, F_OK) == 0;
    free(lesson);
    return there;
}

const char *step_named(const char *beginning)
{
    bool digit = strlen(beginning) == 1;
    char *pattern = str_format("steps/%s%s*/main.c", digit ? "0" : "", beginning);
    char **found = cut_to_names(paths(pattern), "steps/", "/");
    free(pattern);
    if (!found[0])
        error_die(EXIT_USAGE, "STEPS", "there is no step %s in steps/", beginning);
    for (size_t i = 0; found[i]; i++)
        if (strcmp(found[i], beginning) == 0)
            return found[i];
    if (found[1])
        error_die(EXIT_USAGE, "STEPS", "%s is %s and %s: which?", beginning, found[0], found[1]);
    return found[0];
}

/* --- running --------------------------------------------------------------------------------- */

/* What a command line prints, of its own memory, and how it ends. It complains to stderr by itself.
 */
static __attribute__((format(printf, 2, 3))) char *printed_by(int *status, const char *format, ...)
{
    char line[4096], *text = NULL;
    size_t room = 0;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    FILE *from = length < (int)sizeof line ? popen(line, "r") : NULL;
    if (!from)
        error_die(EXIT_FAILED, line, "cannot run it");
    if (getdelim(&text, &room, 0, from) < 0) { /* to the end: it prints no 0 byte */
        free(text);
        text = str_format("%s", "");
    }
    int ended = pclose(from);
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : EXIT_FAILED;
    return text;
}

/* --- reading --------------------------------------------------------------------------------- */

/* A number of any size. */
static bool read_number(Json *json, double *number)
{
    const char *start = json->text + json->at;
    *number = strtod(start, NULL);
    return json_skip(json);
}

static bool read_bool(Json *json, bool *value)
{
    const char *start = json->text + json->at;
    *value = after(start + strspn(start, " "), "true");
    return json_skip(json);
}

static bool read_text(Json *json, const char **text)
{
    char *string;
    if (!json_string(json, &string))
        return false;
    *text = string;
    return true;
}

static bool part_member(void *context, Json *json, char *key)
{
    Part *part = context;
    if (strcmp(key, "part") == 0 || strcmp(key, "name") == 0)
        return read_text(json, &part->name);
    if (strcmp(key, "output") == 0)
        return read_text(json, &part->output);
    if (strcmp(key, "parameters") == 0)
        return read_number(json, &part->parameters);
    if (strcmp(key, "macs") == 0)
        return read_number(json, &part->macs);
    return json_skip(json);
}

static bool read_part(void *context, Json *json)
{
    Parts *parts = context;
    Part part = { .name = "", .output = "" };
    if (!json_object(json, part_member, &part))
        return false;
    parts->list = mem_grow(parts->list, parts->count + 1, sizeof part);
    parts->list[parts->count++] = part;
    return true;
}

static bool report_member(void *context, Json *json, char *key)
{
    Report *report = context;
    if (strcmp(key, "title") == 0)
        return read_text(json, &report->title);
    if (strcmp(key, "from") == 0)
        return json_null(json) || read_text(json, &report->from);
    if (strcmp(key, "published") == 0)
        return read_bool(json, &report->published);
    if (strcmp(key, "layers") == 0)
        return json_array(json, read_part, &report->layers);
    if (strcmp(key, "parts") == 0)
        return json_array(json, read_part, &report->parts);
    if (strcmp(key, "parameters") == 0)
        return read_number(json, &report->parameters);
    if (strcmp(key, "macs") == 0)
        return read_number(json, &report->macs);
    report->road |= strcmp(key, "rows") == 0;
    return json_skip(json);
}

/* 100352 for "1x32x56x56". */
static double elements(const char *shape)
{
    char *end;
    double product = (double)strtol(shape, &end, 10);
    while (*end == 'x')
        product *= (double)strtol(end + 1, &end, 10);
    return product;
}

/* Fills a report from its text, which is used up. */
static void read_report(Report *report)
{
    Error error;
    Json json = {
        .name = report->step, .text = report->text, .size = strlen(report->text), .error = &error
    };
    if (!json_object(&json, report_member, report) || !json_end(&json))
        error_die_of(EXIT_FAILED, &error);
    for (size_t i = 0; i < report->layers.count; i++)
        report->largest = fmax(report->largest, elements(report->layers.list[i].output));
    for (size_t i = 0; i < report->parts.count; i++)
        if (strcmp(report->parts.list[i].name, "head") != 0)
            report->encoder = report->parts.list[i].output;
}

/* Runs the program for a report's text, which stays NULL where it has no such network, or where a
 * reader's own fails. small: what it says of its small network; NULL: that is what is asked. */
static void ask(Report *report, const Report *small)
{
    bool alone = small && (small->published || small->road); /* has no presets but small */
    int status;
    if (alone && strcmp(report->preset, "article") == 0)
        return;
    char *text = printed_by(&status, "'%s/%s' report --format json %s%s", build, report->step,
                            alone ? "" : "--preset ", alone ? "" : report->preset);
    if (status == 0)
        report->text = text;
    else if ((status != EXIT_USAGE || !small) && is_lesson(report->step))
        error_die(EXIT_FAILED, report->step, "its program fails");
    else
        free(text);
}

static Report *report_of(const char *step, const char *preset)
{
    static Report *asked;
    Report *report = asked;
    while (report && (strcmp(report->step, step) != 0 || strcmp(report->preset, preset) != 0))
        report = report->next;
    if (report)
        return report;
    bool is_small = strcmp(preset, "small") == 0;
    const Report *small = is_small ? NULL : step_report(step, "small");
    report = mem_alloc(1, sizeof *report);
    *report = (Report){ .title = "-", .encoder = "-", .preset = preset, .next = asked };
    report->step = str_format("%s", step);
    asked = report;
    if (is_small || small || !is_lesson(step))
        ask(report, small);
    if (report->text)
        read_report(report);
    return report;
}

const Report *step_report(const char *step, const char *preset)
{
    const Report *report = report_of(step, preset);
    return report->text ? report : NULL;
}

const char *step_diff(const char *step)
{
    Report *report = report_of(step, "small");
    int status = 0;
    if (!report->diff)
        report->diff = printed_by(&status, "docs/diffs.sh '%s' %s", build, step);
    if (status != 0)
        error_die(EXIT_FAILED, step, "its diff cannot be made");
    return report->diff;
}

const char *lesson_beside(const char *step, int places)
{
    char **all = lessons();
    int count = 0, at = -1;
    for (; all[count]; count++)
        if (strcmp(all[count], step) == 0)
            at = count;
    if (at < 0)
        error_die(EXIT_FAILED, step, "there is no such lesson");
    return at + places >= 0 && at + places < count ? all[at + places] : NULL;
}

/* Runs the step's program; its drawing, for the caller to free. */
static char *drawn(const char *step, const char *words)
{
    int status;
    char *svg = printed_by(&status, "'%s/%s' %s", build, step, words);
    if (status != 0)
        error_die(EXIT_FAILED, step, "its drawing, %s, cannot be made", words);
    return svg;
}

/* Has a layer come, gone or changed? */
static bool shows_change(const char *svg)
{
    return strstr(svg, "class=\"gone\"><title>") || strstr(svg, "class=\"come\"><title>") ||
           strstr(svg, "class=\"changed\"><title>");
}

/* One block in each of two stages is enough to draw, unless it is the number of blocks that
 * changed.
 */
const char *step_drawing(const char *step, const char **words)
{
    Report *report = report_of(step, "small");
    const char *before = lesson_beside(step, -1);
    const char *call = report->road ? "compare --to-row 0" : before ? "compare" : "report";
    for (int all = 0; all < 2 && !(report->drawing && (!before || shows_change(report->drawing)));
         all++) {
        free(report->drawing);
        free(report->drawing_words);
        report->drawing_words =
            str_format("%s%s%.2s%s --format svg", call, before && !report->road ? " " : "",
                       before && !report->road ? before : "", all ? "" : " --depths 1,1,0,0");
        report->drawing = drawn(step, report->drawing_words);
    }
    *words = report->drawing_words;
    return report->drawing;
}

bool is_rung(const char *step, bool ours)
{
    const Report *small = !ours || is_lesson(step) ? step_report(step, "small") : NULL;
    return ours ? small && !small->road : !small || !small->road;
}
