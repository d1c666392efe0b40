/* What a step tells about itself, and what it gets for it: every command of cli/. */
#ifndef CLI_STEP_H
#define CLI_STEP_H

#include "graph/net.h"

/* What the article's functions are called with. A step uses the fields its network needs. */
typedef struct {
    int out, stride;
    float layer_scale, drop_p;
} Block;

typedef struct {
    int out, depth, stride;
    float layer_scale;
    double drop_p, drop_step; /* the first block's rate; what each has more than the one before */
} Stage;

typedef struct {
    int stem, depths[4], widths[4];
    int classes; /* the preset's, --classes' or the data set's */
    float layer_scale, drop_p;
    int row; /* of a step that has rows */
} Config;

/* Is the residual stream wide (bottleneck) or narrow (inverted bottleneck)? Presets follow from it.
 */
typedef enum { WIDE, NARROW } Trunk;

/* A network among several in one program, and what the paper prints of it: accuracy in %, its
 * standard deviation, GFLOPs. */
typedef struct {
    const char *change;
    double accuracy, spread, gflops;
} Row;

typedef struct {
    const char *title;
    const char *from; /* the step that it was made from, "11"; else the nearest (cli/parent.h) */
    Trunk trunk;
    Tensor *(*block)(Tensor *x, Block b); /* block, stage: for the article's checks, or NULL */
    Tensor *(*stage)(Tensor *x, Stage s);
    /* The network is these two, one behind the other: images to features, features to logits. Their
     * layers' names begin with "encoder" and "head". */
    Tensor *(*encoder)(Tensor *x, Config c);
    Tensor *(*head)(Tensor *x, Config c);
    Config article; /* the configuration they are called with; in most steps the article's */
    /* ConvNeXt as its authors published it: their names for the parameters (graph/schemes.h), their
     * first weights, and their sizes by --variant in place of presets. */
    bool published;
    /* A road of its own: networks that --row picks, the last without it. */
    const Row *rows;
    int row_count;
    Config (*config)(int row); /* a row's configuration */
} Step;

/* Runs the command line; returns the exit status. */
int step_main(int argc, char **argv, Step step);

#endif
