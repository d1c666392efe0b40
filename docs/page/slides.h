/* A lesson as slides. */
#ifndef PAGE_SLIDES_H
#define PAGE_SLIDES_H

#include <stdbool.h>
#include <stdio.h>

/* Returns the name of the page's slides where the page is a lesson, for the caller to free; NULL
 * where it is none. */
char *slides_name(const char *page);

/* Writes the slides as one file that needs no other: a lesson's HTML with its images in it, and
 * what cuts it into slides when it is opened (slides.js). */
void slides_put(const char *page, bool chinese, const char *title, const char *body, FILE *out);

#endif
