/* Output common to several commands. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <stdbool.h>
#include <stdint.h>

/* Writes 1234567 as "1,234,567" into text; returns text. */
enum { COUNT_TEXT = 32 };
const char *print_count_text(uint64_t value, char text[COUNT_TEXT]);

/* Returns a change in per cent; 0 if there was nothing before. */
double print_percent(uint64_t now, double before);

/* Prints the name of a file or a class. Control characters, which a terminal would obey, appear as
 * '?'. */
void print_name(const char *text);

/* Counts the characters of UTF-8, each of which is taken to be a column wide. */
int print_characters(const char *text);

/* Returns the text in at most `most` characters, what is too much of its middle as "…"; to be
 * freed. */
char *print_fitting(const char *text, int most);

/* A class at the beginning of a table's line: its number and its name, in PRINT_CLASS_WIDTH
 * columns; a longer name is cut to those, or printed as it is. Control characters are '?'. */
enum { PRINT_CLASS_WIDTH = 16 };
void print_class(int number, const char *name, bool cut);

/* Prints a field of TSV: tab, newline, carriage return and backslash become \t, \n, \r, \\; on a
 * terminal, any other control character becomes ?. */
void print_tsv_field(const char *text);

#endif
