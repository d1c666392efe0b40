/* Formulas: the part of TeX that the pages have, as MathML. */
#ifndef PAGE_MATHML_H
#define PAGE_MATHML_H

#include <stddef.h>
#include <stdio.h>

/* Writes the formula as a <math display="block">. A command that it does not know ends the program.
 */
void mathml(const char *tex, size_t length, FILE *out);

#endif
