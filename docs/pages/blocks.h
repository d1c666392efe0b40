/* What stands in a page between <!-- begin generated: NAME WORD… --> and <!-- end generated -->. */
#ifndef DOCS_PAGES_BLOCKS_H
#define DOCS_PAGES_BLOCKS_H

/* The block of this name and words, NULL behind the last, as `page` has it, in its language, of its
 * own memory; ends the program where there is no such block or something that it is made from is
 * not there. */
char *block_text(const char *page, char *const *words);

#endif
