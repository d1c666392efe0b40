/* A text in memory that is printed to; without room for it the program ends. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdio.h>

typedef struct {
    FILE *out;
    char *bytes; /* once it is closed: to be freed */
    size_t size;
} Text;

void text_open(Text *text);
void text_close(Text *text);

#endif
