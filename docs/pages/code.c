/* The lessons' tables of PyTorch beside C: what stands in `` in the last column is the step's. */
#include "base/memory.h"
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *source_of(const char *lesson)
{
    const char *name = after(lesson, "docs/");
    char *path = str_format("steps/%.*s/main.c", (int)strcspn(name, "."), name);
    Page page = page_read(path);
    char *text = page_text(&page, 0, page.count);
    page_free(&page);
    free(path);
    return squeeze(text);
}

/* The first `code` in a row's last cell, in place; NULL where there is none. */
static char *code_in(char *row)
{
    char *end = strrchr(row, '|');
    *end = 0;
    char *cell = strrchr(row, '|');
    char *open = cell ? strchr(cell, '`') : NULL, *close = open ? strchr(open + 1, '`') : NULL;
    if (!close)
        return NULL;
    *close = 0;
    return squeeze(open + 1);
}

static int check_lesson(const char *lesson)
{
    char *source = source_of(lesson);
    Page page = page_read(lesson);
    int found = 0, mistakes = 0;
    bool inside = false;
    for (size_t i = 0; i < page.count; i++) {
        char *row = page.lines[i].text;
        inside = after(row, "| PyTorch | C |") || (inside && *row == '|');
        char *code = inside ? code_in(row) : NULL;
        found += code != NULL;
        if (code && !strstr(source, code)) {
            printf("%s:%zu: the step has no line `%s`\n", lesson, i + 1, code);
            mistakes++;
        }
    }
    if (!found)
        printf("%s: no table of PyTorch and C\n", lesson);
    page_free(&page);
    free(source);
    return mistakes + !found;
}

int check_code(void)
{
    int mistakes = 0;
    for (char **lesson = paths("docs/[0-9][0-9]_*.md"); *lesson; lesson++)
        mistakes += check_lesson(*lesson);
    return mistakes;
}
