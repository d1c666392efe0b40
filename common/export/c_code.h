/* A network as one file of C11: one function that computes the logits of one image, in static
 * memory, without threads, with libm alone. Its loops add in the order of the ops' definitions, in
 * double precision: the logits are those of the plain engine, but for the last bit of a libm's
 * erfc.
 *
 * The function is called step_NAME, with an underscore for what C has not in its names. The weights
 * are in the file or, since compilers take long and much memory for millions of numbers, beside
 * it; then the function takes them as its first argument. */
#ifndef EXPORT_C_CODE_H
#define EXPORT_C_CODE_H

#include "base/error.h"
#include "graph/net.h"
#include "graph/weights.h"

enum { C_CODE_MOST_WEIGHTS = 1 << 22 }; /* that a file of C may hold */

/* What the file says about the network. data: what it was trained on, with a mean and std per
 * channel and the classes' names (NULL: unknown); NULL: nothing is known of that. */
typedef struct {
    const char *name, *title, *data;
    int channels, classes;
    const float *mean, *std;
    const char *const *class_names;
} CAbout;

/* Writes the network, of batch size 1, to path. weights_path: where its weights go, little-endian
 * floats; NULL: into the file itself. The same weights give the same bytes. Fails, and writes
 * nothing, where a layer has no counterpart or the file would hold too many weights. */
bool c_code_write(const Net *net, const Weights *weights, const CAbout *about, const char *path,
                  const char *weights_path, Error *error);

#endif
