/* Batches of images, made ready on a thread of their own while the network is busy.
 *
 * What is in a batch is a function of the options alone. An image that is mixed (mixup, cutmix) is
 * so with the one after it in the epoch's order (the last with the first), so that it does not
 * depend on the batch size either. */
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include "data/augment.h"

typedef struct {
    const Dataset *data;  /* must outlive the loader, as must the list */
    const uint32_t *list; /* [count], places in the data set; NULL: the first `count` */
    int count;
    int channels, height, width; /* the network's input */
    int batch_size, first_batch; /* first_batch: of this epoch, when going on in the middle */
    bool shuffle;                /* another order every epoch; else the list's */
    bool drop_last;              /* leave out the last batch when it is not full */
    Augment augment;             /* all false: none */
    uint64_t seed, epoch;
} LoaderOptions;

typedef struct {
    int count;     /* images in it: fewer than the batch size in the last one */
    float *x;      /* [batch_size,height,width,channels], zero beyond count */
    int *a, *b;    /* [batch_size] labels, the same where nothing is mixed */
    float *lambda; /* [batch_size] weight of a; 1 - lambda is b's */
} Batch;

typedef struct Loader Loader;

/* The images of an epoch in their order, [count] places in the data set. The caller frees it. */
uint32_t *loader_order(const LoaderOptions *options);

/* How many batches an epoch has. */
int loader_batches(const LoaderOptions *options);

/* NULL and why on failure. */
Loader *loader_start(const LoaderOptions *options, Error *error);

/* The next batch, valid until the next call; false at the end of the epoch. */
bool loader_next(Loader *loader, const Batch **batch);

/* At any time, whether all batches were taken or not. NULL is fine. */
void loader_stop(Loader *loader);

#endif
