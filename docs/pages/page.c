#include "page.h"

#include "base/error.h"
#include "base/memory.h"
#include "io/file.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

const char *after(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

char *squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool space = strchr(" \t\r\n", *from);
        if (!space)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > text && to[-1] == ' ')
        to--;
    *to = 0;
    return text;
}

Page page_read(const char *path)
{
    char *bytes;
    size_t size;
    Error error;
    if (!file_read(path, &bytes, &size, &error))
        error_die_of(EXIT_FAILED, &error);
    return page_of(path, bytes);
}

Page page_of(const char *path, char *text)
{
    Page page = { .path = str_format("%s", path), .bytes = text };
    size_t size = strlen(text);
    Kind before = TEXT;
    for (char *at = text; at < text + size; page.count++) {
        page.lines = mem_grow(page.lines, page.count + 1, sizeof *page.lines);
        bool inside = before == OPENS || before == CODE, fence = after(at, "```");
        before = fence ? (inside ? CLOSES : OPENS) : inside ? CODE : TEXT;
        page.lines[page.count] = (Line){ .text = at, .kind = before };
        at += strcspn(at, "\n");
        *at++ = 0;
    }
    return page;
}

void page_free(Page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->lines[i].added);
    free(page->lines);
    free(page->bytes);
    free(page->path);
}

char *page_text(const Page *page, size_t first, size_t end)
{
    Text text;
    text_open(&text);
    for (size_t i = first; i < end; i++)
        fprintf(text.out, "%s\n", page->lines[i].text);
    text_close(&text);
    return text.bytes;
}

char **paths(const char *patterns)
{
    static struct Found {
        glob_t glob;
        struct Found *next;
    } * all; /* never freed */
    struct Found *found = mem_alloc(1, sizeof *found);
    found->next = all;
    all = found;
    char *copy = str_format("%s", patterns);
    for (char *one = strtok(copy, " "); one; one = strtok(NULL, " ")) {
        int status = glob(one, GLOB_APPEND, NULL, &found->glob);
        if (status != 0 && status != GLOB_NOMATCH)
            error_die(EXIT_FAILED, one, "cannot list such files");
    }
    free(copy);
    if (!found->glob.gl_pathv)
        found->glob.gl_pathv = mem_alloc(1, sizeof(char *));
    return found->glob.gl_pathv;
}

char **english_pages(void)
{
    return paths("README.md docs/*.md docs/answers/*.md docs/tasks/*.md docs/diffs/*.md");
}

char *chinese_of(const char *page)
{
    const char *name = after(page, "docs/");
    return name ? str_format("docs/zh/%s", name) : str_format("README.zh-CN.md");
}

char *english_of(const char *page)
{
    const char *name = after(page, "docs/zh/");
    return name ? str_format("docs/%s", name) : str_format("README.md");
}

void text_write(Text *text, const char *path)
{
    Error error;
    text_close(text);
    if (!file_write(path, text->bytes, text->size, &error))
        error_die_of(EXIT_FAILED, &error);
    free(text->bytes);
}
