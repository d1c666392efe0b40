/* What several commands print. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdint.h>

/* 1234567 as "1,234,567", into text. */
enum { COUNT_TEXT = 32 };
const char *print_count_text(uint64_t value, char text[COUNT_TEXT]);

/* A change in per cent; 0 where nothing was before. */
double print_percent(uint64_t now, double before);

/* A string of JSON, with its quotes, to standard output. */
void print_json_text(const char *text);

#endif
