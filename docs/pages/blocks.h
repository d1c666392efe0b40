/* What stands in a page between <!-- begin generated: NAME WORD… --> and <!-- end generated -->. */
#ifndef DOCS_PAGES_BLOCKS_H
#define DOCS_PAGES_BLOCKS_H

/* The block of this name and words, NULL behind the last, as `page` has it, in its language, of its
 * own memory; ends the program where there is no such block or something that it is made from is
 * not there. */
char *block_text(const char *page, char *const *words);

/* Prints the means of a table of altered runs (altered.tsv, rows.tsv, norms.tsv): a line per
 * network, row and batch size, with tabs: network, row, batch, seeds, then two columns, mean and
 * standard deviation over the seeds, of each of
 *
 *   5 clean   7 noise:16   9 noise:32   11 noise:64   13 blur:3   15 noise and blur, the mean of
 *   these four   17 all fourteen alterations' mean   19 their error relative to the table's first
 *   network's, as ImageNet-C has it: the mean over the alterations of error / error of that
 * network, in per cent   21 of these four   23 the mean of all alterations but noise */
void altered_print_means(const char *path);

#endif
