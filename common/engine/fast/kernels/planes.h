/* The planes that depthwise and grouped convolutions read, see planes.c. */
#ifndef ENGINE_FAST_KERNELS_PLANES_H
#define ENGINE_FAST_KERNELS_PLANES_H

#include "base/ints.h"
#include "engine/fast/kernels/conv.h"
#include "engine/fast/kernels/simd.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    WIDE = VEC == 16 ? 14 : 7, /* pixels in registers at once: what 32 or 16 registers can hold */
    NARROW = 7,
    LEAST = 4
};

/* A convolution as the kernels see it. */
typedef struct {
    ConvShape s;             /* pad may be negative */
    int spacing;             /* the input's pixels lie so far apart, zeros between them */
    bool turned;             /* the kernel is turned round, its weights are [tap, out, in] */
    int slices;              /* input channels that an output channel reads */
    int group_out;           /* output channels that read the same ones */
    int spread;              /* 0, or a group's channels that the kernel spreads over the lanes */
    int plane_slices;        /* vectors per pixel of the plane */
    int blocks, bands, band; /* of VEC output channels; of `band` output rows each */
    int joined, runs;        /* blocks side by side that a task takes, and runs of so many */
    int left, width;         /* of the plane: columns before the image, columns in all */
    int plane_rows;          /* input rows that a band reads at most */
    size_t slice_floats;     /* of a row of the plane: width vectors */
    size_t packed_floats;    /* of a block's weights */
    size_t row_floats;       /* of a row of results */
    size_t block_floats;     /* of scratch memory for each block of a task … */
    size_t work_floats;      /* … and for every worker */
    const Conv *conv;        /* the arrays */
    float *work;             /* from a cache line on */
} Planes;

Planes planes_forward(const ConvShape *s);
/* For the input's gradient, with dy in x's place. */
Planes planes_backward(const ConvShape *s);
void planes_set(Planes *p, const Conv *conv, float *work);

/* a modulo b, 0 … b-1 for a negative a too. */
static inline int modulo(int a, int b)
{
    return b == 1 ? 0 : (a % b + b) % b;
}

/* The number of 0 … count-1 that are `first` modulo `step`. */
static inline int every(int count, int first, int step)
{
    if (step == 1)
        return count - first;
    return first < count ? ceil_div(count - first, step) : 0;
}

static inline int lanes_of(const Planes *p, int block)
{
    return int_min(VEC, p->s.out - block * VEC);
}

/* The input channel of slice j that output channel o reads. */
static inline int channel_read(const Planes *p, int o, int j)
{
    return o / p->group_out * p->slices + j;
}

/* The first tap that meets a value, as then every spacing-th does, of the output columns phase,
 * phase + spacing, …; column: the input column that it meets for the first of them. */
int planes_first_tap(const Planes *p, int phase, int *column);

/* The number of the kernel's rows that meet rows of the input for output row y; the first of them,
 * and the input row that it meets. */
int planes_kernel_rows(const Planes *p, int y, int *first_ky, int *in_row);

/* A run's first block, and its count of them. */
int planes_run(const Planes *p, int run, int *count);

/* Block b's part of a worker's memory: packed weights (or their gradient's sums), a row of the
 * output, and the plane. */
float *planes_packed(const Planes *p, float *work, int b);
float *planes_row(const Planes *p, float *work, int b);
float *planes_plane(const Planes *p, float *work, int b);

/* Gathers the input rows that output rows start … stop-1 of an image read into the planes of
 * `count` blocks from `block` on, zeros from column `used` on. Returns the first of these rows. */
typedef struct {
    int image, block, count, start, stop, used;
} Gather;

int planes_gather(const Planes *p, const Gather *g, float *work);

/* Gathers `count` vectors of one lane per channel from pixels `stride` floats apart, and fetches
 * the channels beside them, which will probably be gathered next. */
void planes_gather_channels(const float *from, size_t stride, int lanes, int count, float *to);

#endif
