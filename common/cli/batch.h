/* A batch from a file: x [N,C,H,W] and, if wanted, labels [N]. */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "cli/origin.h"
#include "io/safetensors.h"

typedef struct {
    const char *path; /* for messages */
    int n, c, h, w;
    float *x;    /* [n,h,w,c] */
    int *labels; /* [n], or NULL if not wanted */
} FileBatch;

/* Reads --batch; an invalid file, a shape that does not match the network, or a label not below
 * `classes` ends the program. classes = 0: no labels wanted. */
FileBatch batch_read(const char *path, int classes);
void batch_free(FileBatch *batch);

/* Returns the shape of these weights' network for this batch: the batch size is the batch's, and so
 * is the input's unless an option sets it. */
Shape batch_shape(const Origin *origin, const FileBatch *batch);

#endif
