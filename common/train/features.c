#include "train/features.h"

#include "base/memory.h"
#include "base/stop.h"

#include <stdlib.h>
#include <string.h>

/* --- the backbone ---------------------------------------------------------------------------- */

struct Backbone {
    Net *net;
    Engine *engine;
    size_t image, each; /* floats per image, before and after */
};

Net *features_head(const Net *net)
{
    const Tensor *head = net_head(net);
    return head ? net_part(net, head->in[0], net_output(net)) : NULL;
}

static size_t floats_per_image(const Tensor *t)
{
    return tensor_elements(t) / (size_t)t->n;
}

Backbone *features_backbone(EngineKind kind, const Net *net, const Weights *weights)
{
    Backbone *b = mem_alloc(1, sizeof *b);
    b->net = net_part(net, net_tensor(net, 0), net_head(net)->in[0]);
    b->engine = engine_for_inference(kind, b->net, weights);
    b->image = floats_per_image(net_tensor(b->net, 0));
    b->each = floats_per_image(net_output(b->net));
    return b;
}

void features_backbone_free(Backbone *b)
{
    if (!b)
        return;
    engine_free(b->engine);
    net_free(b->net);
    free(b);
}

/* Features of a batch's images, valid until the next call. */
static const float *run_backbone(Backbone *b, const Batch *batch)
{
    memcpy(engine_input(b->engine), batch->x, (size_t)batch->count * b->image * sizeof(float));
    engine_forward(b->engine);
    return engine_output(b->engine);
}

/* --- features that are computed once --------------------------------------------------------- */

bool features_compute(Backbone *b, LoaderOptions options, Features *f, Error *error)
{
    options.augment = (Augment){ 0 };
    options.shuffle = options.drop_last = false;
    options.first_batch = 0;
    size_t count = (size_t)options.count;
    *f = (Features){ .each = b->each };
    Loader *loader = loader_start(&options, error);
    if (!loader)
        return false;
    f->values = mem_alloc(size_mul(count, f->each), sizeof *f->values);
    f->labels = mem_alloc(count, sizeof *f->labels);
    const Batch *batch;
    while (!stop_asked() && loader_next(loader, &batch)) {
        size_t at = (size_t)f->count, n = (size_t)batch->count;
        memcpy(f->values + at * f->each, run_backbone(b, batch), n * f->each * sizeof *f->values);
        memcpy(f->labels + at, batch->a, n * sizeof *f->labels);
        f->count += batch->count;
    }
    loader_stop(loader);
    return true;
}

void features_free(Features *features)
{
    free(features->values);
    free(features->labels);
    *features = (Features){ 0 };
}

/* --- an epoch -------------------------------------------------------------------------------- */

struct Feed {
    Loader *loader;        /* of images; NULL where there are … */
    const Features *known; /* … features already */
    Backbone *backbone;
    uint32_t *order; /* places in `known` */
    int next, batches;
    Batch batch; /* what is handed on of features */
};

Feed *features_feed(const LoaderOptions *options, Backbone *backbone, const Features *known,
                    Error *error)
{
    Feed *feed = mem_alloc(1, sizeof *feed);
    feed->backbone = backbone;
    if (!known) {
        feed->loader = loader_start(options, error);
        if (feed->loader)
            return feed;
        free(feed);
        return NULL;
    }
    size_t size = (size_t)options->batch_size;
    LoaderOptions places = *options;
    places.list = NULL; /* places in the list, instead of places in the data set */
    feed->known = known;
    feed->order = loader_order(&places);
    feed->next = options->first_batch;
    feed->batches = loader_batches(options);
    feed->batch = (Batch){ .count = options->batch_size,
                           .x = mem_alloc(size_mul(size, known->each), sizeof(float)),
                           .a = mem_alloc(size, sizeof(int)),
                           .lambda = mem_alloc(size, sizeof(float)) };
    feed->batch.b = feed->batch.a;
    for (size_t i = 0; i < size; i++)
        feed->batch.lambda[i] = 1;
    return feed;
}

/* The features of the next images in the epoch's order. */
static void gather(Feed *feed)
{
    const Features *f = feed->known;
    for (int i = 0; i < feed->batch.count; i++) {
        uint32_t place = feed->order[feed->next * feed->batch.count + i];
        memcpy(feed->batch.x + (size_t)i * f->each, f->values + place * f->each,
               f->each * sizeof(float));
        feed->batch.a[i] = f->labels[place];
    }
    feed->next++;
}

bool features_next(Feed *feed, const Batch **batch)
{
    if (feed->known) {
        bool more = feed->next < feed->batches;
        if (more)
            gather(feed);
        *batch = more ? &feed->batch : NULL;
        return more;
    }
    if (!loader_next(feed->loader, batch))
        return false;
    if (feed->backbone) {
        feed->batch = **batch;
        feed->batch.x = (float *)run_backbone(feed->backbone, *batch); /* only read */
        *batch = &feed->batch;
    }
    return true;
}

void features_stop(Feed *feed)
{
    if (feed->known) {
        free(feed->batch.x);
        free(feed->batch.a);
        free(feed->batch.lambda);
    }
    loader_stop(feed->loader);
    free(feed->order);
    free(feed);
}
