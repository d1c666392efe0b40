/* Suggestions for misspelt words. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

enum { WORD_MOST = 40 }; /* letters of a word that anything is near to */

/* The best of several candidates so far; initialised with { 0 }. */
typedef struct {
    const char *word; /* NULL: no candidate is near */
    size_t length;
    int distance;
} Nearest;

/* Tries one more candidate for the word `written`: one letter in three may differ, or one word may
 * be a prefix of the other. */
void nearest_try(Nearest *nearest, const char *written, const char *word, size_t length);

#endif
