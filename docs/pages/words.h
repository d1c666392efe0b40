/* Phrases that stand in tables and programs in English only. */
#ifndef DOCS_PAGES_WORDS_H
#define DOCS_PAGES_WORDS_H

/* Returns the phrase in Chinese; the phrase itself where it is not known. */
const char *words_chinese(const char *english);

#endif
