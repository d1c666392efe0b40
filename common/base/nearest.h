/* What somebody may have meant who wrote something else. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* How many letters have to be put in, left out, replaced or exchanged with their neighbour to make
 * one word of the other (optimal string alignment). Words longer than WORD_MOST are that far. */
enum { WORD_MOST = 40 };
int nearest_distance(const char *a, size_t a_length, const char *b, size_t b_length);

/* The best of several words so far; start with { 0 }. */
typedef struct {
    const char *word; /* NULL: none is near */
    size_t length;
    int distance;
} Nearest;

/* One more candidate for what `written` was meant to be: one letter in three may differ, or one
 * be the other's beginning. */
void nearest_try(Nearest *nearest, const char *written, const char *word, size_t length);

#endif
