/* A batch from a file: x [N,C,H,W] and, where wanted, labels [N]. */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "cli/origin.h"
#include "io/safetensors.h"

typedef struct {
    const char *path; /* for messages */
    int n, c, h, w;
    float *x;    /* [n,h,w,c] */
    int *labels; /* [n], or NULL where they were not asked for */
} FileBatch;

/* Reads --batch; a bad file, a shape that is not the network's, or a label that is not below
 * `classes` ends the program. classes = 0: no labels wanted. */
FileBatch batch_read(const char *path, int classes);
void batch_free(FileBatch *batch);

/* The network of these weights for this batch: its size is the batch's, and so is the input where
 * no option says otherwise. */
Shape batch_shape(const Origin *origin, const FileBatch *batch);

#endif
