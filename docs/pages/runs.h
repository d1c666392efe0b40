/* What complete runs of training came to: the run.tsv that results/train.sh leaves of each, with
 * the log.tsv and made_of.txt beside it. */
#ifndef DOCS_PAGES_RUNS_H
#define DOCS_PAGES_RUNS_H

/* Collects runs, named by the paths of their run.tsv, into two tables. accuracy: a line per run,
 * sorted by step and seed; accuracies in per cent. curves: a line per step and epoch, the held-out
 * accuracy's mean, least and most over the seeds; "-": none. data: runs on others are refused, and
 * on altered ones; "-": any. Ends the program where there is no run, or one cannot be read, a
 * step's seed is there twice, or its runs are of several recipes; then nothing is written. */
void runs_collect(char *const *paths, const char *data, const char *accuracy, const char *curves);

/* The same of runs of many people and machines, on any data, and prints them as runs_print does.
 * What is of another commit, compiler or processor than most runs is said, and named in a last
 * column, "differs". */
void runs_join(char *const *paths, const char *accuracy, const char *curves);

/* Prints a line per step of such an accuracy ("-": standard input): mean and deviation of its runs.
 */
void runs_print(const char *path);

#endif
