/* Texts in memory, printed to or read; without room for one the program ends. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    FILE *out;
    char *bytes; /* once it is closed: to be freed */
    size_t size;
} Text;

void text_open(Text *text);
void text_close(Text *text);

/* Reads all bytes of an open file into malloc'd memory, with a 0 byte after the last. Returns
 * false, and errno, on failure: EFBIG for more than 64 MiB of a device, which may have no end. */
bool text_read(int from, char **bytes, size_t *size);

#endif
