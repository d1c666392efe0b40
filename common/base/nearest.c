#include "base/nearest.h"

#include "base/ints.h"

#include <stdbool.h>
#include <string.h>

/* Returns the edit distance between two words: the letters to insert, delete, replace or exchange
 * with their neighbour (optimal string alignment); of longer words than WORD_MOST, that. */
static int distance_of(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int d[WORD_MOST + 1][WORD_MOST + 1]; /* [i][j]: between a's first i letters and b's first j */
    if (a_length > WORD_MOST || b_length > WORD_MOST)
        return WORD_MOST;
    for (size_t i = 0; i <= a_length; i++)
        for (size_t j = 0; j <= b_length; j++) {
            if (!i || !j) {
                d[i][j] = (int)(i + j);
                continue;
            }
            int substitution = a[i - 1] != b[j - 1];
            d[i][j] = int_min(d[i - 1][j] + 1, d[i][j - 1] + 1);
            d[i][j] = int_min(d[i][j], d[i - 1][j - 1] + substitution);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = int_min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a_length][b_length];
}

/* Tests whether one word is a prefix of the other, of at least three letters: "--dataset", "eval".
 */
static bool is_prefix(const char *a, const char *b, size_t b_length)
{
    size_t length = strlen(a) < b_length ? strlen(a) : b_length;
    return length - strspn(a, "-") >= 3 && strncmp(a, b, length) == 0;
}

void nearest_try(Nearest *nearest, const char *written, const char *word, size_t length)
{
    int distance = distance_of(written, strlen(written), word, length);
    if ((3 * (size_t)distance > length && !is_prefix(written, word, length)) ||
        (nearest->word && distance >= nearest->distance))
        return;
    *nearest = (Nearest){ word, length, distance };
}
