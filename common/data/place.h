/* Where a data set's files lie, and what to say where they don't. */
#ifndef DATA_PLACE_H
#define DATA_PLACE_H

#include "base/error.h"

/* A file or folder that people have where the set is looked for. */
typedef struct {
    const char *name, *what; /* "data_batch_1", "that is the Python version; …" */
} Clue;

typedef struct {
    const char *set, *variable; /* variable: the environment's that names the folder */
    const char *const *folders; /* looked in where it names none; NULL after the last */
    const char *const *below;   /* folders in those that may hold the files; NULL after the last */
    bool (*holds)(const char *folder);
    const char *wanted; /* the file by which `holds` knows the set */
    const char *get;    /* how to get the set */
    const Clue *clues;  /* NULL name after the last */
} Place;

/* The folder that holds the set, malloc'd. NULL where there is none: *error says where it was
 * looked for, what was found there, and how to get it. */
char *place_find(const Place *place, Error *error);

bool place_has(const char *folder, const char *file);

/* The names in a folder but hidden ones, in byte order; each and the list malloc'd. count: -1, and
 * errno, where it cannot be read; then NULL. */
char **place_list(const char *folder, int *count);

#endif
