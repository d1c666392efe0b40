/* The same work done several times, from the plainest loops to the library's kernel, each version
 * one idea away from the one before it. docs/speed.md tells the story. */
#ifndef SPEED_H
#define SPEED_H

#include <stdbool.h>
#include <stddef.h>

/* A product as a 1x1 convolution needs it: c = relu(a·b + bias), a [m,k], b [k,n], c [m,n].
 * Versions that work on tiles need m >= TILE_ROWS and n >= TILE_COLUMNS. */
typedef struct {
    int m, n, k;
    const float *a, *b, *bias;
    float *c;
    float *packed_a, *packed_b; /* for versions that pack, m·k and k·n floats and a few more */
    float *ready_b;             /* b as the library packs it */
    float *work;                /* the library's */
} Product;

/* A depthwise convolution of one image, stride 1: x, y [h,w,channels],
 * weight [kernel,kernel,channels], zeros around the image. Needs w >= STRIP and channels a
 * multiple of VEC. */
typedef struct {
    int h, w, channels;
    const float *x, *weight;
    float *y;
    float *padded; /* [h+6, w+6, channels] */
    float *work;   /* the library's */
} Depthwise;

enum { KERNEL = 7, PAD = KERNEL / 2 };

/* Floats of scratch memory that the library wants. */
size_t depthwise_work(const Depthwise *d);

typedef struct {
    const char *name, *change;
    bool threads; /* runs on all of them */
    union {
        void (*product)(const Product *);
        void (*depthwise)(const Depthwise *);
    };
} Version;

/* They end with a version without a name. */
extern const Version product_versions[], depthwise_versions[];

/* c's part of rows first … end-1: what follows the product where nothing better is done. */
void add_bias_and_relu(const Product *p, int first, int end);

#endif
