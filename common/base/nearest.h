/* Suggestions for misspelt words. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* Returns the edit distance between two words: the letters to insert, delete, replace or exchange
 * with their neighbour (optimal string alignment). For words longer than WORD_MOST it returns
 * WORD_MOST. */
enum { WORD_MOST = 40 };
int nearest_distance(const char *a, size_t a_length, const char *b, size_t b_length);

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
