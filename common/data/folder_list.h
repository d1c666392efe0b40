/* The files of a folder of images: which classes there are, which images, in which order and part,
 * as data/folder.h says. Nothing of an image is read here. */
#ifndef DATA_FOLDER_LIST_H
#define DATA_FOLDER_LIST_H

#include "data/dataset.h"

enum { FOLDER_CLASSES_MAX = 256 };

typedef struct {
    char *path;
    int label, turn; /* turn: its place among the files of its class and part */
    uint64_t hash;   /* of its name */
    char *why;       /* the error that it ends with, or NULL */
} FolderFile;

typedef struct {
    FolderFile *items;
    int count;
} FolderFiles;

typedef struct {
    const char *name, *path;
    const DatasetWish *wish;
    char **classes; /* [class_count], in byte order */
    int class_count;
    FolderFiles parts[2]; /* by DatasetPart */
    FolderFiles strays;   /* what is in the way: files among classes */
} Folder;

/* Fills a folder of which name, path and wish are set. Fails where a folder is not as it should be;
 * a file among the classes is a stray. Free also after that. */
bool folder_list(Folder *folder, Error *error);
void folder_free(Folder *folder);

/* The paths of all files that would be looked at; each and the list malloc'd. */
char **folder_files(const char *path, int *count);

#endif
