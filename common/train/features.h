/* Training the head alone (net_head): the layers in front of it, the backbone, run as in inference,
 * so that an image which is not augmented has the same features, what the head reads, in every
 * epoch. They are computed once then, and the images are not needed again. */
#ifndef TRAIN_FEATURES_H
#define TRAIN_FEATURES_H

#include "data/loader.h"
#include "engine/engine.h"

/* The network's head as a network of its own; NULL where it reads more than one tensor of the
 * backbone. To be freed; the first parameter is number net_head(net)->first_param of `net`. */
Net *features_head(const Net *net);

/* The backbone of a network, which must outlive it, as must the weights, which may not change. */
typedef struct Backbone Backbone;
Backbone *features_backbone(EngineKind kind, const Net *net, const Weights *weights);
void features_backbone_free(Backbone *backbone);

/* Of images of a data set. */
typedef struct {
    int count;
    size_t each;   /* floats per image */
    float *values; /* [count][each] */
    int *labels;   /* [count] */
} Features;

/* Those of the images in the loader's options, in their order, not augmented. Fails, and at a
 * signal (base/stop.h) ends early, with `count` what it got to. */
bool features_compute(Backbone *backbone, LoaderOptions options, Features *features, Error *error);
void features_free(Features *features);

/* An epoch's batches, for whatever is trained: images; with a backbone features of these, in place
 * of which `known`, of the options' images in the order of their list, is read where it is given.
 */
typedef struct Feed Feed;
Feed *features_feed(const LoaderOptions *options, Backbone *backbone, const Features *known,
                    Error *error);
/* As loader_next; batch->x is what the trained layers read. */
bool features_next(Feed *feed, const Batch **batch);
void features_stop(Feed *feed);

#endif
