#include "data/loader.h"

#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { BATCHES = 2 }; /* one in use, one in the making */

struct Loader {
    LoaderOptions options;
    Preparer *preparer;
    uint32_t *order; /* [count] places in the data set, in this epoch's order */
    int batches;
    size_t image;        /* floats in one */
    Batch made[BATCHES]; /* batch i lies in made[i % BATCHES] */

    pthread_t thread;
    bool alone; /* without that thread, where there are none: the caller's makes the batches */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex. Batches first … taken-1 were given out, taken … ready-1 wait. */
    int ready, taken;
    bool stop;
};

/* --- an epoch's order ------------------------------------------------------------------------ */

uint32_t *loader_order(const LoaderOptions *o)
{
    uint32_t *order = mem_alloc((size_t)o->count, sizeof *order);
    for (int i = 0; i < o->count; i++)
        order[i] = (uint32_t)i;
    if (o->shuffle) {
        Random epochs = { o->seed, random_stream("order") };
        Random r = { o->seed, random_bits(epochs, o->epoch) };
        random_permutation(r, order, (uint32_t)o->count);
    }
    for (int i = 0; o->list && i < o->count; i++)
        order[i] = o->list[order[i]];
    return order;
}

int loader_batches(const LoaderOptions *options)
{
    int full = options->count / options->batch_size;
    return full + (!options->drop_last && options->count % options->batch_size != 0);
}

/* --- making a batch -------------------------------------------------------------------------- */

/* The image at a place of the epoch's order; the one after the last is the first again. */
static uint32_t image_at(const Loader *loader, int place)
{
    return loader->order[place % loader->options.count];
}

static void load_image(Loader *loader, uint32_t image, float *x)
{
    const LoaderOptions *o = &loader->options;
    augment_image(augment_random(o->seed, o->epoch, image), o->augment, o->data,
                  o->data->pixels + image * dataset_image_bytes(o->data), loader->preparer,
                  o->height, o->width, x);
}

/* Mixes every image with its successor, from the first on, so that each of them meets one that is
 * not mixed yet: the batch's memory has room for the one that follows its last. */
static void mix_batch(Loader *loader, int start, Batch *batch)
{
    const LoaderOptions *o = &loader->options;
    for (int i = 0; i < batch->count; i++) {
        Random r = augment_random(o->seed, o->epoch, image_at(loader, start + i));
        Mix mix = augment_mix(r, o->augment, o->height, o->width);
        float *x = batch->x + (size_t)i * loader->image;
        augment_mix_images(mix, x, x + loader->image, o->height, o->width, o->channels);
        batch->b[i] = o->data->labels[image_at(loader, start + i + 1)];
        batch->lambda[i] = mix.lambda;
    }
}

static void make_batch(Loader *loader, int index)
{
    const LoaderOptions *o = &loader->options;
    Batch *batch = &loader->made[index % BATCHES];
    int start = index * o->batch_size, left = o->count - start;
    bool mixing = o->augment.mixup || o->augment.cutmix;
    batch->count = left < o->batch_size ? left : o->batch_size;
    for (int i = 0; i < batch->count + mixing; i++)
        load_image(loader, image_at(loader, start + i), batch->x + (size_t)i * loader->image);
    for (int i = 0; i < batch->count; i++) {
        batch->a[i] = batch->b[i] = o->data->labels[image_at(loader, start + i)];
        batch->lambda[i] = 1;
    }
    if (mixing)
        mix_batch(loader, start, batch);
    size_t rest = (size_t)(o->batch_size - batch->count) * loader->image;
    memset(batch->x + (size_t)batch->count * loader->image, 0, rest * sizeof(float));
}

/* --- the thread ------------------------------------------------------------------------------ */

/* Batch `ready` may be made when the one that lay in its place before is no longer used: that is
 * so once the batch after that one was taken. */
static bool may_make(const Loader *loader)
{
    return loader->ready - loader->taken < BATCHES - 1;
}

static void *run(void *context)
{
    Loader *loader = context;
    pthread_mutex_lock(&loader->mutex);
    while (loader->ready < loader->batches) {
        while (!loader->stop && !may_make(loader))
            pthread_cond_wait(&loader->changed, &loader->mutex);
        if (loader->stop)
            break;
        int index = loader->ready;
        pthread_mutex_unlock(&loader->mutex);
        make_batch(loader, index);
        pthread_mutex_lock(&loader->mutex);
        loader->ready++;
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* Signals are for the thread that trains. */
static int start_thread(Loader *loader)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = pthread_create(&loader->thread, NULL, run, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why;
}

/* --- from outside ---------------------------------------------------------------------------- */

static bool check_options(const LoaderOptions *o, Error *error)
{
    if (o->batch_size < 1)
        return error_set(error, "batch size", "%d is below 1", o->batch_size);
    if (o->count < 0 || o->first_batch < 0 || o->first_batch > loader_batches(o))
        return error_set(error, "batch", "batch %d of %d: there is no such batch", o->first_batch,
                         loader_batches(o));
    for (int i = 0; o->list && i < o->count; i++)
        if (o->list[i] >= (uint32_t)o->data->count)
            return error_set(error, o->data->name, "no image %u, there are %d", o->list[i],
                             o->data->count);
    return true;
}

static void allocate_batches(Loader *loader)
{
    const LoaderOptions *o = &loader->options;
    size_t size = (size_t)o->batch_size;
    loader->image = size_mul(size_mul((size_t)o->height, (size_t)o->width), (size_t)o->channels);
    for (int i = 0; i < BATCHES; i++)
        loader->made[i] = (Batch){ .x = mem_alloc(size_mul(size + 1, loader->image), sizeof(float)),
                                   .a = mem_alloc(size, sizeof(int)),
                                   .b = mem_alloc(size, sizeof(int)),
                                   .lambda = mem_alloc(size, sizeof(float)) };
}

static void loader_free(Loader *loader)
{
    for (int i = 0; i < BATCHES; i++) {
        free(loader->made[i].x);
        free(loader->made[i].a);
        free(loader->made[i].b);
        free(loader->made[i].lambda);
    }
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->mutex);
    preparer_free(loader->preparer);
    free(loader->order);
    free(loader);
}

Loader *loader_start(const LoaderOptions *options, Error *error)
{
    if (!check_options(options, error))
        return NULL;
    Preparer *preparer =
        preparer_new(options->data, options->channels, options->height, options->width, error);
    if (!preparer)
        return NULL;
    Loader *loader = mem_alloc(1, sizeof *loader);
    loader->options = *options;
    loader->preparer = preparer;
    loader->batches = loader_batches(options);
    loader->ready = loader->taken = options->first_batch;
    pthread_mutex_init(&loader->mutex, NULL);
    pthread_cond_init(&loader->changed, NULL);
    loader->order = loader_order(&loader->options);
    allocate_batches(loader);
    int why = start_thread(loader);
    loader->alone = why == ENOTSUP;
    if (why == 0 || loader->alone)
        return loader;
    error_set(error, "loader", "cannot start a thread: %s", strerror(why));
    loader_free(loader);
    return NULL;
}

bool loader_next(Loader *loader, const Batch **batch)
{
    bool more = loader->taken < loader->batches;
    *batch = NULL;
    if (!more)
        return false;
    if (loader->alone)
        make_batch(loader, loader->ready++);
    pthread_mutex_lock(&loader->mutex);
    while (loader->ready == loader->taken)
        pthread_cond_wait(&loader->changed, &loader->mutex);
    *batch = &loader->made[loader->taken % BATCHES];
    loader->taken++;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->mutex);
    return true;
}

void loader_stop(Loader *loader)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->mutex);
    loader->stop = true;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->mutex);
    if (!loader->alone)
        pthread_join(loader->thread, NULL);
    loader_free(loader);
}
