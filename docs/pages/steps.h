/* The steps, and what their programs say of their networks. All of it is kept to the end. */
#ifndef DOCS_PAGES_STEPS_H
#define DOCS_PAGES_STEPS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;   /* of a layer, or of a part: stem, stage1 to stage4, head */
    const char *output; /* 1x768x7x7 */
    double parameters, macs;
} Part;

typedef struct {
    Part *list;
    size_t count;
} Parts;

/* `report --format json` of a network. Counts are double, whole to 2^53 where size_t has 32 bits.
 */
typedef struct Report {
    const char *title;
    const char *from; /* the step that it was made from; NULL: it names none */
    bool published;   /* a published network, which has its own widths only */
    bool road;        /* several networks, row by row */
    Parts layers, parts;
    const char *encoder; /* the output before the head */
    double parameters, macs;
    double largest; /* numbers in the largest output of a layer */
    /* Of the cache: */
    const char *step, *preset;
    char *text; /* where the strings lie; NULL: there is no such network */
    char *diff;
    char *drawing, *drawing_words; /* step_drawing's, or NULL */
    struct Report *next;
} Report;

/* The folder of the steps' programs: that of the running program, which steps_begin gets the path
 * of.
 */
void steps_begin(const char *path);
const char *steps_build(void);

/* What a step's program says of its network "article", "paper" or "small"; NULL where it has none.
 * The paper's of a published network is the network itself. Ends the program where that one fails.
 */
const Report *step_report(const char *step, const char *preset);

/* What docs/diffs.sh prints of a step. */
const char *step_diff(const char *step);

/* The step beside the one before it, or alone where it is the first, as SVG; of several networks
 * the last beside the first. *words: what its program was told, of the function's memory. */
const char *step_drawing(const char *step, const char **words);

/* The lessons: our steps, whether they are one network or several, sorted, NULL behind the last. */
char **lessons(void);
/* The lesson so many places behind `step`; NULL where there is none. */
const char *lesson_beside(const char *step, int places);
/* Is there a lesson of that name? A reader's own step has none. */
bool is_lesson(const char *step);

/* All of steps/, a reader's own too; likewise. */
char **steps_all(void);
/* The whole name of the step whose name begins so ("05", "5"); ends the program where there is none
 * or more than one. */
const char *step_named(const char *beginning);
/* Has the ladder a row for it? A step of several networks has none; ours: nor has a reader's own.
 */
bool is_rung(const char *step, bool ours);

#endif
