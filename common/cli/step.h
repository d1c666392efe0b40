/* The description of a step and its entry into the commands of cli/. */
#ifndef CLI_STEP_H
#define CLI_STEP_H

#include "graph/net.h"

/* The arguments of the article's functions. A step uses the fields that its network needs. */
typedef struct {
    int out, stride;
    float layer_scale, drop_p;
} Block;

typedef struct {
    int out, depth, stride;
    float layer_scale;
    double drop_p, drop_step; /* the first block's drop rate, and its increase per block */
} Stage;

typedef struct {
    int stem, depths[4], widths[4];
    int classes; /* from the preset, --classes or the data set */
    float layer_scale, drop_p;
    int row; /* for a step that has rows */
} Config;

/* The width of the residual stream: wide (bottleneck) or narrow (inverted bottleneck). Presets
 * depend on it. */
typedef enum { WIDE, NARROW } Trunk;

/* One of several networks in one program, with the paper's numbers: accuracy in %, its standard
 * deviation, GFLOPs. */
typedef struct {
    const char *change;
    double accuracy, spread, gflops;
} Row;

typedef struct {
    const char *title;
    const char *from; /* the parent step, "11"; NULL: the nearest (cli/parent.h) */
    Trunk trunk;
    Tensor *(*block)(Tensor *x, Block b); /* for the article's checks, or NULL */
    Tensor *(*stage)(Tensor *x, Stage s);
    /* The network is these two in sequence: images to features, features to logits. Their layers'
     * names begin with "encoder" and "head". */
    Tensor *(*encoder)(Tensor *x, Config c);
    Tensor *(*head)(Tensor *x, Config c);
    Config article; /* the configuration passed to them; in most steps the article's */
    /* ConvNeXt as its authors published it: with their names for the parameters (graph/schemes.h),
     * their initial weights, and their sizes by --variant instead of presets. */
    bool published;
    /* A roadmap of its own: the networks that --row selects; the default is the last. */
    const Row *rows;
    int row_count;
    Config (*config)(int row); /* a row's configuration */
} Step;

/* Runs the command line; returns the exit status. */
int step_main(int argc, char **argv, Step step);

#endif
