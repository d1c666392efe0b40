/* ConvNeXt as published: its five sizes, and the names of its tensors in four libraries.
 *
 * A network here can take the authors' own names (official); timm, torchvision and Hugging Face's
 * transformers have other names for the same tensors, each in its own state_dict() order. */
#ifndef GRAPH_SCHEMES_H
#define GRAPH_SCHEMES_H

#include "graph/net.h"
#include "io/safetensors.h"

/* BY_POSITION: by nn.Sequential's rule, in the order of a step's calls. */
typedef enum { BY_POSITION, OFFICIAL, TIMM, TORCHVISION, TRANSFORMERS, SCHEMES } Scheme;

/* Gives the network the official names and shapes (a 1x1 convolution's weight becomes a linear
 * layer's). If a parameter has no counterpart in ConvNeXt, nothing is changed and all names stay by
 * position. */
void scheme_name_officially(Net *net);

/* Tests whether all these parameters have official names, and so names in every scheme. */
bool scheme_fits(const Param *params, int count);

/* Returns an official key's counterpart in another scheme; the caller frees it. */
char *scheme_key(const char *official, Scheme scheme);

/* Converts official entries to another scheme: names, shapes (torchvision's layer_scale is d x 1 x
 * 1) and the order of that library's state_dict(). */
void scheme_convert(Entry *entries, size_t count, Scheme scheme);

/* Returns the published scheme that most of a file's keys follow, or SCHEMES if none does. */
Scheme scheme_of_file(const Safetensors *file);

/* Describes how a ConvNeXt in a file of that scheme (SCHEMES: of none) differs from these
 * parameters, in a sentence that ends with "; " or is empty; the caller frees it. */
char *scheme_difference(const Safetensors *file, Scheme scheme, const Param *params, int count);

/* --- sizes ----------------------------------------------------------------------------------- */

typedef struct {
    const char *name; /* "tiny" */
    int depths[4], widths[4];
} PublishedSize;

enum { PUBLISHED_SIZES = 5 };
extern const PublishedSize
    scheme_published_sizes[PUBLISHED_SIZES]; /* from the smallest to the largest */

/* Returns the variant of that name, which must exist. */
const PublishedSize *scheme_published_size(const char *name);

#endif
