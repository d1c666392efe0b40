/* Names of headings, which the check of links and the site both need. */
#ifndef PAGES_ANCHOR_H
#define PAGES_ANCHOR_H

/* Makes the heading's text, in place, its anchor as GitHub spells it: small letters, - for a space,
 * no punctuation. Returns the text. */
char *anchor_of(char *heading);

#endif
