/* What several commands print. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdint.h>

/* 1234567 as "1,234,567", into text. */
enum { COUNT_TEXT = 32 };
const char *print_count_text(uint64_t value, char text[COUNT_TEXT]);

/* A change in per cent; 0 where nothing was before. */
double print_percent(uint64_t now, double before);

/* What a file or a class is called, to standard output. Control characters, which a terminal would
 * obey, are shown there as '?'. */
void print_name(const char *text);

/* The same as a field of TSV: tab, newline, carriage return and backslash are \t, \n, \r, \\. */
void print_tsv_field(const char *text);

/* A string of JSON, with its quotes, to standard output. */
void print_json_text(const char *text);

#endif
