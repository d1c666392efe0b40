/* Links that lead nowhere: no such file, no such heading, no such line of code. */
#include "anchor.h"
#include "base/memory.h"
#include "base/path.h"
#include "page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_anchor(const char *path, const char *anchor)
{
    Page page = page_read(path);
    char *id = str_format("<a id=\"%s\">", anchor);
    bool found = false;
    for (size_t i = 0; i < page.count && !found; i++) {
        char *text = page.lines[i].text, *title = text + strspn(text, "#");
        if (page.lines[i].kind != TEXT)
            continue;
        found = strstr(text, id) ||
                (title > text && *title == ' ' && strcmp(anchor_of(title + 1), anchor) == 0);
    }
    free(id);
    page_free(&page);
    return found;
}

static long lines_in(const char *path)
{
    Page page = page_read(path);
    long count = (long)page.count;
    page_free(&page);
    return count;
}

/* What is wrong with a link from `page`, or NULL. */
static const char *wrong(const char *page, const char *link)
{
    const char *mark = strchr(link, '#');
    int length = mark ? (int)(mark - link) : (int)strlen(link);
    char *path = length == 0
                     ? str_format("%s", page)
                     : str_format("%.*s%.*s", (int)(path_base(page) - page), page, length, link);
    const char *end = strrchr(path, '.'), *what = NULL;
    if (access(path, F_OK) != 0)
        what = "dead link";
    else if (mark && (strcmp(end, ".c") == 0 || strcmp(end, ".h") == 0)) {
        const char *last = strrchr(mark, 'L');
        if (!last || atol(last + 1) < 1 || atol(last + 1) > lines_in(path))
            what = "no such line";
    } else if (mark && !has_anchor(path, mark + 1))
        what = "no such anchor";
    free(path);
    return what;
}

/* The links of a line that lead to something of ours; what stands in `` is no link. */
static int check_line(const char *page, char *text)
{
    int mistakes = 0;
    for (char *code; (code = strchr(text, '`')) && strchr(code + 1, '`');) {
        char *end = strchr(code + 1, '`') + 1;
        memmove(code, end, strlen(end) + 1);
    }
    while ((text = strstr(text, "]("))) {
        text += 2;
        size_t length = strcspn(text, "() ");
        if (text[length] != ')')
            continue;
        text[length] = 0;
        const char *what = strstr(text, "://") ? NULL : wrong(page, text);
        if (what) {
            printf("%s: %s: %s\n", page, text, what);
            mistakes++;
        }
        text += length + 1;
    }
    return mistakes;
}

int check_links(void)
{
    int mistakes = 0;
    static const char pages[] =
        "README*.md docs/*.md docs/answers/*.md docs/tasks/*.md docs/zh/*.md "
        "docs/zh/answers/*.md docs/zh/tasks/*.md docs/diffs/*.md docs/zh/diffs/*.md";
    for (char **path = paths(pages); *path; path++) {
        Page page = page_read(*path);
        for (size_t i = 0; i < page.count; i++)
            if (page.lines[i].kind == TEXT)
                mistakes += check_line(*path, page.lines[i].text);
        page_free(&page);
    }
    return mistakes;
}
