/* An option's value: from its text to its field in Options. */
#ifndef CLI_OPTION_VALUE_H
#define CLI_OPTION_VALUE_H

#include "cli/options.h"

#include <stddef.h>

/* WRITTEN: a file or folder to write. CHOICE: one of the choices, stored as its number from 1.
 * NAMED: one of the choices, stored as its text, for a lookup by name. */
typedef enum {
    NUMBER,
    REAL,
    SEED,
    PAIR,
    FOUR,
    SHAPE,
    TEXT,
    WRITTEN,
    CHOICE,
    NAMED,
    FLAG
} OptionKind;

typedef struct {
    const char *name;
    OptionKind kind;
    size_t offset;
    double least, most;   /* NUMBER, REAL and each of PAIR, FOUR and SHAPE */
    const char *choices;  /* CHOICE, NAMED: "a|b|c"; else what the value is called */
    const char *help;     /* what it is */
    const char *standard; /* its value where it is not given, as one would write it, or NULL */
    const char *instead;  /* in words, where there is no such value: "a tenth of the epochs" */
    const char *all;      /* CHOICE: the choices that are numbered; `choices` may be fewer */
} OptionSpec;

/* Sets the option's field. A wrong text ends the program with exit status 2. */
void option_set(const OptionSpec *spec, const char *text, Options *options);

#endif
