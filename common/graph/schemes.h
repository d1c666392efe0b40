/* ConvNeXt as published: its five sizes, and what four libraries call the same tensors.
 *
 * The authors' own names (official) are those of a network here; timm, torchvision and Hugging
 * Face's transformers have others for the same tensors, and each its own order in state_dict(). */
#ifndef GRAPH_SCHEMES_H
#define GRAPH_SCHEMES_H

#include "graph/net.h"
#include "io/safetensors.h"

/* BY_POSITION: by nn.Sequential's rule, as the layers come from a step's functions. */
typedef enum { BY_POSITION, OFFICIAL, TIMM, TORCHVISION, TRANSFORMERS, SCHEMES } Scheme;

/* Gives the network the official names and shapes (a 1x1 convolution's weight as a linear layer's).
 * Where a parameter has no counterpart in ConvNeXt nothing is changed, and all keep their names by
 * position. */
void scheme_name_officially(Net *net);

/* Have all these parameters official names? Then they have names in every scheme. */
bool scheme_fits(const Param *params, int count);

/* What an official key is called in another scheme; the caller frees it. */
char *scheme_key(const char *official, Scheme scheme);

/* Official entries become those of another scheme: names, shapes (torchvision's layer_scale is
 * d x 1 x 1) and the order in which that library's state_dict() has them. */
void scheme_convert(Entry *entries, size_t count, Scheme scheme);

/* The published scheme that most of a file's keys follow, or SCHEMES where none does. */
Scheme scheme_of_file(const Safetensors *file);

/* What is different between a ConvNeXt in a file of that scheme (SCHEMES: of none) and these
 * parameters, in a sentence that ends with "; " or is empty; the caller frees it. */
char *scheme_difference(const Safetensors *file, Scheme scheme, const Param *params, int count);

/* --- sizes ----------------------------------------------------------------------------------- */

typedef struct {
    const char *name; /* "tiny" */
    int depths[4], widths[4];
} PublishedSize;

enum { PUBLISHED_SIZES = 5 };
extern const PublishedSize scheme_published_sizes[PUBLISHED_SIZES]; /* the smallest first */

/* The variant that is called so; there is one. */
const PublishedSize *scheme_published_size(const char *name);

#endif
