/* Holding a step of one's own to a step of ours: see main.c. */
#ifndef DOCS_GRADE_GRADE_H
#define DOCS_GRADE_GRADE_H

#include "network.h"
#include "sandbox.h"

#include "base/text.h"

#include <stdint.h>

enum { NETWORKS = 4, MOST_OPTIONS = 24, WORD = 48 };

/* What both programs are called with. */
typedef struct {
    const char *what; /* "the article's sizes" */
    char options[MOST_OPTIONS][WORD];
    int option_count;
    int batch, channels, height, width, classes;
} Sizes;

typedef struct {
    int number;                        /* of the step */
    const char *step;                  /* "05_large_kernel" */
    const char *main_c;                /* the student's */
    const char *folder;                /* the sandbox's */
    const char *build, *ours, *theirs; /* programs, by their whole paths */
    uint64_t seed;
    int seconds;           /* for each run */
    Sizes sizes[NETWORKS]; /* the last HIDDEN of them are drawn */
    int first_hidden, networks;
    Network want[NETWORKS], got[NETWORKS];
    bool unpublished; /* step 12 has the published names, this one the article's */
    Text told;        /* of a stage that fails */
    FILE *why;        /* told.out */
} Grade;

/* Stages, in the order in which one learns: each returns true if all is well, and else tells why.
 */
bool stage_compiles(Grade *g);
bool stage_runs(Grade *g);
bool stage_shapes(Grade *g);
bool stage_names(Grade *g);
bool stage_parameters(Grade *g);
bool stage_macs(Grade *g);
bool stage_evaluation(Grade *g);
bool stage_training(Grade *g);
bool stage_gradients(Grade *g);
bool stage_adamw(Grade *g);

/* Fills the sizes: the step's own, and some drawn by the seed. drops, scales: the network has drop
 * path, layer scale. */
void sizes_draw(Grade *g, bool drops, bool scales);
/* Writes weights and a batch for drawn sizes into the sandbox's folder, w and b: random numbers in
 * all parameters, so that none can be forgotten. */
void values_write(const Grade *g, const Sizes *sizes);

/* Runs a program with a command, the sizes' options and others, NULL behind the last. */
Outcome grade_run(const Grade *g, const char *program, const char *command, const Sizes *sizes,
                  const char *const *more);

/* Tells of a pair in which one of these facts differs, with the erratum if it is one. */
void tell_pair(Grade *g, const Sizes *sizes, Paired pair);
/* Tells which erratum it is, or that the layer is still as in the step before. */
void tell_mistake(Grade *g, const Sizes *sizes, Paired pair);
/* Tells the title of an erratum. */
void tell_erratum(Grade *g, int number);
/* Tells what a run said that failed. */
void tell_run(Grade *g, const Outcome *run, const char *what, const Sizes *sizes);

#endif
