/* The other steps' programs, in the folder of this one. A program learns of them by running them.
 */
#ifndef CLI_SIBLINGS_H
#define CLI_SIBLINGS_H

/* The path of the step before (the one of the next lower number that is there), or NULL. Owned by
 * the caller. path: this program's. */
char *sibling_before(const char *path);

/* The path of the step of that number ("04") or name, or NULL; likewise. */
char *sibling_named(const char *path, const char *name);

/* What a program prints as its report in that format ("tsv", "json"), given some options besides;
 * NULL if it fails. */
char *sibling_report(const char *path, const char *format, const char *const *options, int count);

/* The last part of a path. */
const char *sibling_base_name(const char *path);

#endif
