/* Phrases that stand in tables and programs in English only. */
#ifndef DOCS_PAGES_WORDS_H
#define DOCS_PAGES_WORDS_H

#include <stdio.h>

/* Returns the phrase in Chinese; the phrase itself where it is not known. */
const char *words_chinese(const char *english);

/* Puts a drawing of report or compare, in SVG, with its words in Chinese. */
void words_put_drawing(FILE *out, const char *drawing);

#endif
