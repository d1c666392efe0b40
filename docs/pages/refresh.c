/* What is generated: blocks in pages, the fences of Chinese pages, docs/diffs, docs/drawings. */
#include "base/error.h"
#include "base/memory.h"
#include "blocks.h"
#include "io/file.h"
#include "page.h"
#include "steps.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file as it should be. */
typedef struct {
    char *path;
    Text text;
    FileWriter *writer;
} Fresh;

typedef struct {
    Fresh list[256];
    size_t count;
} All;

/* Another file, to be printed to. */
static Text *add(All *all, const char *format, const char *name)
{
    if (all->count == sizeof all->list / sizeof *all->list)
        error_die(EXIT_FAILED, name, "more pages than there is room for");
    Fresh *fresh = all->list + all->count++;
    fresh->path = str_format(format, name);
    text_open(&fresh->text);
    return &fresh->text;
}

/* --- pages ----------------------------------------------------------------------------------- */

static const char *begins_block(const char *line)
{
    return after(line, "<!-- begin generated: ");
}

static bool ends_block(const char *line)
{
    return strcmp(line, "<!-- end generated -->") == 0;
}

/* The block that a line begins, of its own memory. */
static char *block_of(const char *page, const char *line)
{
    enum { MOST = 16 };
    char *copy = str_format("%s", begins_block(line)), *words[MOST + 1] = { strtok(copy, " ") };
    size_t count = 0;
    while (words[count] && strcmp(words[count], "-->") != 0 && count < MOST)
        words[++count] = strtok(NULL, " ");
    if (!count || !words[count])
        error_die(EXIT_FAILED, page, "what is '%s'?", line);
    words[count] = NULL;
    char *text = block_text(page, words);
    free(copy);
    return text;
}

/* Puts the page with its blocks made anew. */
static void put_page(Text *to, const char *path)
{
    Page page = page_read(path);
    bool inside = false;
    for (size_t i = 0; i < page.count; i++) {
        const char *line = page.lines[i].text;
        inside = inside && !ends_block(line);
        if (inside)
            continue;
        inside = begins_block(line);
        char *block = inside ? block_of(path, line) : NULL;
        fprintf(to->out, "%s\n%s", line, block ? block : "");
        free(block);
    }
    if (inside)
        error_die(EXIT_FAILED, path, "a generated block does not end");
    page_free(&page);
    text_close(to);
}

/* --- fences ---------------------------------------------------------------------------------- */

/* The first line from `at` on that opens a fence outside of generated blocks. */
static size_t next_fence(const Page *page, size_t at)
{
    bool generated = false;
    for (; at < page->count; at++) {
        const char *line = page->lines[at].text;
        generated = (generated || begins_block(line)) && !ends_block(line);
        if (!generated && page->lines[at].kind == OPENS)
            break;
    }
    return at;
}

/* The line behind the fence that line `at` opens. */
static size_t behind_fence(const Page *page, size_t at)
{
    while (at < page->count && page->lines[at].kind != CLOSES)
        at++;
    return at + (at < page->count);
}

static void put_lines(Text *to, const Page *page, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        fprintf(to->out, "%s\n", page->lines[i].text);
}

/* Copies a line of code without its comment, which begins with # or //, and spaces before it. */
static char *without_comment(const char *line)
{
    size_t end = 0;
    while (line[end] && !after(line + end, "//") &&
           !(line[end] == '#' && (end == 0 || line[end - 1] == ' ')))
        end++;
    while (end && line[end - 1] == ' ')
        end--;
    return str_format("%.*s", (int)end, line);
}

/* Copies a line of a formula without its words, which are in \text{}. */
static char *without_words(const char *line)
{
    char *formula = str_format("%s", line), *to = formula;
    for (const char *end; *line; line = end) {
        const char *words = after(line, "\\text{");
        end = words ? strchr(words, '}') : NULL;
        if (!end) {
            *to++ = *line;
            end = line + 1;
        }
    }
    *to = 0;
    return formula;
}

/* Are two fences the same code but for comments, or the same formula but for words? What is marked
 * text is always each language's own. */
static bool same_code(const Page *a, size_t a_at, const Page *b, size_t b_at)
{
    const char *mark = a->lines[a_at].text;
    size_t lines = behind_fence(a, a_at) - a_at;
    bool same = strcmp(mark, b->lines[b_at].text) == 0;
    if (same && strcmp(mark, "```text") == 0)
        return true;
    char *(*bare)(const char *) = strcmp(mark, "```math") == 0 ? without_words : without_comment;
    same = same && strlen(mark) > 3 && lines == behind_fence(b, b_at) - b_at;
    for (size_t i = 0; i < lines && same; i++) {
        char *ours = bare(a->lines[a_at + i].text);
        char *theirs = bare(b->lines[b_at + i].text);
        same = strcmp(ours, theirs) == 0;
        free(ours);
        free(theirs);
    }
    return same;
}

/* Puts a page with the fences of another in place of its own, the first for the first, and so on,
 * but for those in generated blocks and those that differ in comments or words only. Ends the
 * program where it has not as many. */
static void put_with_fences(Text *to, const Page *page, const Page *other)
{
    size_t at = 0, theirs = 0;
    while (at < page->count) {
        size_t fence = next_fence(page, at);
        put_lines(to, page, at, fence);
        theirs = next_fence(other, theirs);
        if ((fence == page->count) != (theirs == other->count))
            error_die(EXIT_FAILED, page->path, "it has not as many fences as %s", other->path);
        at = behind_fence(page, fence);
        if (fence < page->count && same_code(page, fence, other, theirs))
            put_lines(to, page, fence, at);
        else
            put_lines(to, other, theirs, behind_fence(other, theirs));
        theirs = behind_fence(other, theirs);
    }
    text_close(to);
}

static void add_pages(All *all)
{
    for (char **english = english_pages(); *english; english++) {
        Text *text = add(all, "%s", *english), own;
        put_page(text, *english);
        char *chinese = chinese_of(*english);
        if (access(chinese, F_OK) == 0) {
            text_open(&own);
            put_page(&own, chinese);
            Page page = page_of(chinese, own.bytes);
            Page other = page_of(*english, str_format("%s", text->bytes));
            put_with_fences(add(all, "%s", chinese), &page, &other);
            page_free(&page);
            page_free(&other);
        }
        free(chinese);
    }
}

/* --- what lessons show -------------------------------------------------------------------------
 */

/* What each step changes. */
static void add_diffs(All *all)
{
    for (char **step = lessons(); *step; step++) {
        const char *diff = step_diff(*step);
        if (!after(diff, "--- "))
            continue;
        Text *text = add(all, "docs/diffs/%s.diff", *step);
        fprintf(text->out, "%s", diff);
        text_close(text);
    }
}

/* The drawings that lessons have in them. */
static void add_drawings(All *all)
{
    for (char **step = lessons(); *step; step++) {
        const char *words;
        Text *text = add(all, "docs/drawings/%s.svg", *step);
        fprintf(text->out, "%s", step_drawing(*step, &words));
        text_close(text);
        text = add(all, "docs/drawings/zh/%s.svg", *step);
        words_put_drawing(text->out, step_drawing(*step, &words));
        text_close(text);
    }
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Is the file as it should be? */
static bool is_fresh(const Fresh *fresh)
{
    char *bytes;
    size_t size;
    bool there = file_read(fresh->path, &bytes, &size, NULL);
    bool same = there && strcmp(bytes, fresh->text.bytes) == 0;
    if (there)
        free(bytes);
    return same;
}

static void print_changes(const Fresh *fresh)
{
    char *line = str_format("diff -u '%s' -", fresh->path);
    printf("%s, by make docs:\n", fresh->path);
    fflush(stdout);
    FILE *diff = popen(line, "w");
    if (!diff)
        error_die(EXIT_FAILED, line, "cannot run it");
    fputs(fresh->text.bytes, diff);
    pclose(diff);
    free(line);
}

/* Puts the text beside the file that it replaces. */
static void prepare(Fresh *fresh)
{
    Error error;
    fresh->writer = file_create(fresh->path, &error);
    if (!fresh->writer)
        error_die_of(EXIT_FAILED, &error);
    file_put(fresh->writer, fresh->text.bytes, fresh->text.size);
}

int refresh_pages(bool check)
{
    static All all;
    Error error;
    int stale = 0;
    add_diffs(&all);
    add_drawings(&all);
    add_pages(&all);
    for (Fresh *f = all.list; f < all.list + all.count; f++) {
        if (is_fresh(f))
            continue;
        stale++;
        if (check)
            print_changes(f);
        else
            prepare(f);
    }
    for (Fresh *f = all.list; f < all.list + all.count; f++)
        if (f->writer && !file_commit(f->writer, &error))
            error_die_of(EXIT_FAILED, &error);
    return stale;
}
