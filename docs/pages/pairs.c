/* The English pages beside the Chinese: each has its counterpart, with the same numbers in its
 * text, as many fences and as many generated blocks. */
#include "base/memory.h"
#include "page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char **list; /* sorted */
    size_t count, fences, blocks;
} Numbers;

/* Takes out, in place, the targets of links and the commas between thousands. */
static void strip(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        if (after(from, "](")) {
            int open = 0;
            for (from++; *from; from++) {
                open += (*from == '(') - (*from == ')');
                if (open == 0)
                    break;
            }
            *to++ = ' ';
            from += *from != 0;
        } else if (*from == ',' && to > text && isdigit((unsigned char)to[-1]) &&
                   strspn(from + 1, "0123456789") >= 3) {
            from++;
        } else
            *to++ = *from++;
    }
    *to = 0;
}

/* Adds the line's numbers of two digits and more, or with a point. */
static void collect(Numbers *numbers, char *text)
{
    strip(text);
    for (text += strcspn(text, "0123456789"); *text; text += strcspn(text, "0123456789")) {
        size_t length = strspn(text, "0123456789."), digits = length;
        while (text[digits - 1] == '.')
            digits--;
        if (digits > 1) {
            numbers->list = mem_grow(numbers->list, numbers->count + 1, sizeof *numbers->list);
            numbers->list[numbers->count++] = str_format("%.*s", (int)digits, text);
        }
        text += length;
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static Numbers numbers_of(const char *path)
{
    Numbers numbers = { 0 };
    Page page = page_read(path);
    for (size_t i = 0; i < page.count; i++) {
        char *text = page.lines[i].text;
        numbers.fences += page.lines[i].kind == OPENS;
        numbers.blocks += after(text, "<!-- begin") != NULL;
        if (page.lines[i].kind == TEXT && !after(text, "<!-- "))
            collect(&numbers, text);
    }
    if (numbers.count)
        qsort(numbers.list, numbers.count, sizeof *numbers.list, by_text);
    page_free(&page);
    return numbers;
}

static void numbers_free(Numbers *numbers)
{
    for (size_t i = 0; i < numbers->count; i++)
        free(numbers->list[i]);
    free(numbers->list);
}

static int differences(const char *page, const Numbers *english, const Numbers *chinese)
{
    int mistakes = 0;
    for (size_t i = 0, j = 0; i < english->count || j < chinese->count;) {
        int order = i == english->count   ? 1
                    : j == chinese->count ? -1
                                          : strcmp(english->list[i], chinese->list[j]);
        if (order != 0) {
            printf("%s: %s only in %s\n", page, order < 0 ? english->list[i] : chinese->list[j],
                   order < 0 ? "English" : "Chinese");
            mistakes++;
        }
        i += order <= 0;
        j += order >= 0;
    }
    if (english->fences != chinese->fences || english->blocks != chinese->blocks) {
        printf("%s: %zu fences and %zu generated blocks in English, %zu and %zu in Chinese\n", page,
               english->fences, english->blocks, chinese->fences, chinese->blocks);
        mistakes++;
    }
    return mistakes;
}

/* 1 where `page` has no counterpart of that name. */
static int alone(const char *page, const char *counterpart)
{
    bool there = access(counterpart, F_OK) == 0;
    if (!there)
        printf("%s has no counterpart %s\n", page, counterpart);
    return !there;
}

int check_pairs(void)
{
    int mistakes = 0;
    for (char **page = english_pages(); *page; page++) {
        char *pair = chinese_of(*page);
        int missing = alone(*page, pair);
        mistakes += missing;
        if (!missing) {
            Numbers english = numbers_of(*page), chinese = numbers_of(pair);
            mistakes += differences(*page, &english, &chinese);
            numbers_free(&english);
            numbers_free(&chinese);
        }
        free(pair);
    }
    for (char **page =
             paths("docs/zh/*.md docs/zh/answers/*.md docs/zh/tasks/*.md docs/zh/diffs/*.md");
         *page; page++) {
        char *pair = english_of(*page);
        mistakes += alone(*page, pair);
        free(pair);
    }
    return mistakes;
}
