/* Formulas: the part of TeX that the pages have, as MathML. */
#ifndef PAGE_MATHML_H
#define PAGE_MATHML_H

#include <stddef.h>

/* Text that grows; starts as { 0 }. */
typedef struct {
    char *bytes;
    size_t length;
} Text;

void text_put(Text *text, const char *from);

/* Writes the formula as a <math display="block">. A command that it does not know ends the program.
 */
void mathml(const char *tex, size_t length, Text *out);

#endif
