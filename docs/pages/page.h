/* The pages' Markdown, line by line, and what is done with it: see main.c. Paths are relative to
 * the folder where steps/ stands. */
#ifndef DOCS_PAGES_PAGE_H
#define DOCS_PAGES_PAGE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum { TEXT, OPENS, CODE, CLOSES } Kind; /* OPENS and CLOSES: a fence's ``` */

typedef struct {
    char *text; /* without its newline */
    Kind kind;
    char *added; /* text to write behind this line, or NULL */
} Line;

typedef struct {
    char *path, *bytes;
    Line *lines;
    size_t count;
} Page;

/* Reads a page; ends the program where it cannot be read. */
Page page_read(const char *path);
/* The same of a text, which the page owns from now on. */
Page page_of(const char *path, char *text);
void page_free(Page *page);
/* The lines from `first` to before `end`, each with its newline, as a string of its own memory. */
char *page_text(const Page *page, size_t first, size_t end);

/* The paths that match each of some patterns, sorted, NULL behind the last. Never freed. */
char **paths(const char *patterns);
/* README.md, docs/…, docs/answers/… and so on, in English. */
char **english_pages(void);
/* The other page of a pair, of its own memory: docs/zh/x.md for docs/x.md, and back. */
char *chinese_of(const char *page);
char *english_of(const char *page);

/* The text without its first `prefix`; NULL where it begins otherwise. */
const char *after(const char *text, const char *prefix);
/* Makes every run of white space one space in place, and none at the ends. */
char *squeeze(char *text);

/* Each prints the mistakes it finds and returns how many there are. */
int check_links(void);
int check_pairs(void);
int check_code(void);
int check_language(void);

/* Runs a page's commands, each for at most so many seconds; fill: writes what they print into the
 * fences that are empty. */
int run_page(const char *path, bool fill, int seconds);

/* Writes the generated blocks, the Chinese pages' fences and docs/diffs again, all of them or none
 * where something fails; prints where something was not fresh, and returns how much. check: prints
 * what would change, and writes nothing. */
int refresh_pages(bool check);

/* Closes the text, replaces a file by it and frees it; ends the program where that cannot be. */
void text_write(Text *text, const char *path);

#endif
