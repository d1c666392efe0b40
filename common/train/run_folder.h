/* The folder of a training run: last.safetensors, best.safetensors, log.tsv and result.tsv. */
#ifndef TRAIN_RUN_FOLDER_H
#define TRAIN_RUN_FOLDER_H

#include "base/error.h"

#include <stdbool.h>

typedef struct {
    const char *path;
    bool found; /* was it there before the run? */
    int held;   /* the folder, locked; -1: it is not */
    char *log;  /* the text of log.tsv so far, to be appended to; owned */
} RunFolder;

/* Makes the folder where there is none, and locks it until it is freed or the program ends, however
 * that is. Fails where no file can be made in it or another run is working in it. Removes what
 * killed runs were writing. Free it in either case. */
bool run_folder_hold(RunFolder *folder, const char *path, Error *error);
void run_folder_free(RunFolder *folder);

/* The path of a file in it; the caller frees it. */
char *run_folder_file(const RunFolder *folder, const char *name);

bool run_folder_has(const RunFolder *folder, const char *name);

/* Fails where a file that continuing the run takes is not there. */
bool run_folder_needs(const RunFolder *folder, const char *name, Error *error);

/* The first of a run's files that is there, or NULL. */
const char *run_folder_taken(const RunFolder *folder);

/* Writes a file: all of it or nothing. */
bool run_folder_write(const RunFolder *folder, const char *name, const char *text, Error *error);

/* Takes over the lines of log.tsv that are of the first `epochs` epochs. */
void run_folder_resume_log(RunFolder *folder, int epochs);

/* The seconds that the epochs in the log took together. */
double run_folder_seconds(const RunFolder *folder);

#endif
