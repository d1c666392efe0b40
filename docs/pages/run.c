/* Commands that print something else than is shown. In a shown output `…` stands for anything:
 * alone on a line for any lines, else for any text. White space counts as one space. */
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "page.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANY "…"

/* --- running ---------------------------------------------------------------------------------- */

typedef struct {
    int status; /* 128 + its number for a signal, NOT_IN_TIME for a command that was ended */
    char *text; /* what was printed, errors too */
} Output;

enum { NOT_IN_TIME = -1 };

static volatile pid_t running;

/* What this program started ends with it. */
static void end_with(int number)
{
    if (running > 0)
        kill(-running, SIGTERM);
    signal(number, SIG_DFL);
    raise(number);
}

static _Noreturn void become_shell(const char *option, const char *script, int output)
{
    setpgid(0, 0);
    int input = open("/dev/null", O_RDONLY);
    if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        _exit(126);
    execlp("sh", "sh", option, "-c", script, (char *)NULL);
    _exit(127);
}

/* All that comes from `input`; false where `seconds` are over before its end. */
static bool read_all(int input, int seconds, char **text)
{
    size_t size = 0;
    double end = clock_seconds() + seconds;
    for (;;) {
        *text = mem_grow(*text, size + 4096, 1);
        (*text)[size] = 0;
        double left = end - clock_seconds();
        struct pollfd ready = { .fd = input, .events = POLLIN };
        if (left <= 0 || poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
            return false;
        ssize_t got = read(input, *text + size, 4095);
        if (got <= 0)
            return got == 0;
        size += (size_t)got;
    }
}

/* sh OPTION -c SCRIPT, without input. */
static Output shell(const char *option, const char *script, int seconds)
{
    int ends[2];
    if (pipe(ends) != 0)
        error_die(EXIT_FAILED, "pages", "cannot make a pipe");
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        error_die(EXIT_FAILED, "pages", "cannot start a process");
    if (child == 0)
        become_shell(option, script, ends[1]);
    setpgid(child, child);
    running = child;
    close(ends[1]);
    Output out = { 0 };
    bool in_time = read_all(ends[0], seconds, &out.text);
    if (!in_time)
        kill(-child, SIGKILL);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    running = 0;
    out.status = !in_time            ? NOT_IN_TIME
                 : WIFEXITED(status) ? WEXITSTATUS(status)
                                     : 128 + WTERMSIG(status);
    return out;
}

/* --- comparing -------------------------------------------------------------------------------- */

/* Is the text what is shown? After a difference only the last … is tried again: what came before it
 * matches as early as it can. */
static bool like(const char *text, const char *shown)
{
    const char *retry = NULL, *from = NULL;
    while (*text) {
        if (after(shown, ANY)) {
            retry = shown += strlen(ANY);
            from = text;
        } else if (*shown == *text) {
            shown++;
            text++;
        } else if (retry) {
            shown = retry;
            text = ++from;
        } else
            return false;
    }
    while (after(shown, ANY))
        shown += strlen(ANY);
    return !*shown;
}

typedef struct {
    char **line;
    size_t count;
} Lines;

/* The lines of a text, which is cut, squeezed. */
static Lines lines_of(char *text)
{
    Lines lines = { 0 };
    for (char *next; *text; text = next) {
        next = text + strcspn(text, "\n");
        if (*next)
            *next++ = 0;
        lines.line = mem_grow(lines.line, lines.count + 1, sizeof *lines.line);
        lines.line[lines.count++] = squeeze(text);
    }
    return lines;
}

/* The same of lines: as like() goes through letters. */
static bool all_like(const Lines *got, const Lines *shown)
{
    size_t g = 0, s = 0, from = 0, retry = 0;
    while (g < got->count) {
        if (s < shown->count && strcmp(shown->line[s], ANY) == 0) {
            retry = ++s;
            from = g;
        } else if (s < shown->count && like(got->line[g], shown->line[s])) {
            s++;
            g++;
        } else if (retry) {
            s = retry;
            g = ++from;
        } else
            return false;
    }
    while (s < shown->count && strcmp(shown->line[s], ANY) == 0)
        s++;
    return s == shown->count;
}

/* 1, and both, where a command printed something else. */
static int compare(const char *where, char *printed, char *expected)
{
    Lines got = lines_of(printed), shown = lines_of(expected);
    bool same = all_like(&got, &shown);
    if (!same) {
        printf("%s: prints something else (>) than is shown (<):\n", where);
        for (size_t i = 0; i < shown.count; i++)
            printf("< %s\n", shown.line[i]);
        for (size_t i = 0; i < got.count; i++)
            printf("> %s\n", got.line[i]);
    }
    free(got.line);
    free(shown.line);
    return !same;
}

/* --- a page's fences -------------------------------------------------------------------------- */

/* The text of the fence that line `at` opens; *end: the line that closes it. */
static char *fence_text(const Page *page, size_t at, size_t *end)
{
    *end = at + 1;
    while (*end < page->count && page->lines[*end].kind == CODE)
        ++*end;
    return page_text(page, at + 1, *end);
}

/* The line that opens the fence of what is shown: without a word behind ```, and with at most an
 * empty line between it and `end`. NULL where there is none. */
static Line *shown_after(const Page *page, size_t end)
{
    size_t at = end + 1;
    at += at < page->count && !*page->lines[at].text;
    bool there = at < page->count && page->lines[at].kind == OPENS &&
                 strcmp(page->lines[at].text, "```") == 0;
    return there ? page->lines + at : NULL;
}

/* Runs a script as its mark says: 1, and why, where it went wrong. */
static int run_script(const char *where, const char *mark, const char *script, int seconds,
                      Output *out)
{
    Output syntax = shell("-n", script, seconds);
    free(syntax.text);
    if (syntax.status != 0)
        return printf("%s: not for the shell\n", where) > 0;
    if (strcmp(mark, "slow") == 0)
        return 0;
    bool fails = strcmp(mark, "fails") == 0;
    if (*mark && !fails)
        return printf("%s: what is ```sh %s?\n", where, mark) > 0;
    *out = shell("-eu", script, seconds);
    if (out->status == NOT_IN_TIME)
        return printf("%s: not done after %d s:\n%s", where, seconds, out->text) > 0;
    if (fails && out->status == 0)
        return printf("%s: does not fail\n", where) > 0;
    if (!fails && out->status != 0)
        return printf("%s: status %d:\n%s", where, out->status, out->text) > 0;
    return 0;
}

static int run_fence(Page *page, size_t at, bool fill, int seconds)
{
    size_t end, shown_end;
    char *where = str_format("%s:%zu", page->path, at + 1);
    char *mark = squeeze(str_format("%s", page->lines[at].text + strlen("```sh")));
    char *script = fence_text(page, at, &end);
    Output out = { 0 };
    int mistakes = run_script(where, mark, script, seconds, &out);
    Line *shown = shown_after(page, end);
    if (!mistakes && shown && out.text) {
        char *expected = fence_text(page, (size_t)(shown - page->lines), &shown_end);
        if (fill && !*expected)
            shown->added = str_format("%s", out.text);
        else
            mistakes = compare(where, out.text, expected);
        free(expected);
    }
    free(out.text);
    free(script);
    free(mark);
    free(where);
    return mistakes;
}

/* Writes the page with what was added; spaces at the ends of added lines are left out. */
static void write_page(const Page *page)
{
    Text text;
    text_open(&text);
    for (size_t i = 0; i < page->count; i++) {
        fprintf(text.out, "%s\n", page->lines[i].text);
        for (char *at = page->lines[i].added; at && *at;) {
            size_t length = strcspn(at, "\n"), kept = length;
            while (kept && strchr(" \t", at[kept - 1]))
                kept--;
            fprintf(text.out, "%.*s\n", (int)kept, at);
            at += length + (at[length] != 0);
        }
    }
    text_write(&text, page->path);
}

int run_page(const char *path, bool fill, int seconds)
{
    signal(SIGINT, end_with);
    signal(SIGTERM, end_with);
    signal(SIGHUP, end_with);
    Page page = page_read(path);
    int mistakes = 0;
    for (size_t i = 0; i < page.count; i++)
        if (page.lines[i].kind == OPENS && after(page.lines[i].text, "```sh"))
            mistakes += run_fence(&page, i, fill, seconds);
    if (fill)
        write_page(&page);
    page_free(&page);
    return mistakes;
}
