/* The file given by --weights: its metadata about the network and its training data, checked
 * against the call and this program. All functions end the program on an error. */
#ifndef CLI_ORIGIN_H
#define CLI_ORIGIN_H

#include "cli/commands.h"
#include "data/provenance.h"
#include "graph/weights.h"

/* Metadata beside those of data/provenance.h:
 *   network  the step and the options that build it: "05_large_kernel --stem 24 --widths …"
 *   layers   what it computes, graph/signature.h */
typedef struct Origin {
    const Run *run;
    Safetensors file;
    const char
        *layers; /* NULL: the file does not describe its network; any that it fits is accepted */
    char *name;  /* the step, with its row: "13_paper_roadmap-row5" */
    Shape shape; /* with n = 1 */
    Provenance provenance; /* the training data, if origin_read_trained read the file */
    bool tuned;            /* training starts from the weights */
    const char *hint;      /* shown to users whose weights do not fit, or NULL */
} Origin;

/* Adds the metadata about a network. */
void origin_write(const Run *run, const Shape *shape, const Net *net, MetadataList *list);

/* Returns "05_large_kernel", with the row if the step has rows. The caller frees it. */
char *origin_name(const Run *run, const Config *config);
/* Returns the step and its sizes, without the classes, as options; the caller frees it. */
char *origin_network(const Run *run, const Shape *shape);

/* Returns the file's metadata, updated for the network that has the weights now. */
MetadataList origin_metadata(const Origin *origin, const Shape *shape, const Net *net);

Origin origin_read(const Run *run);
/* Also reads the provenance, which must match --data if that is given. */
Origin origin_read_trained(const Run *run);
/* The same for training that starts from them, on whatever set. */
Origin origin_read_to_tune(const Run *run);
void origin_free(Origin *origin);

/* Returns the shape of the network for these weights: from the call, else the file, else the
 * preset; 0: the command's. */
Shape origin_shape(const Origin *origin, Preset preset);

/* Returns the preset for weights on a data set where nothing says their sizes: small, but the
 * published network's own sizes for training that starts from it. */
Preset origin_preset(const Origin *origin);

/* Reads the weights for a network of that shape. If the file says that its network computes
 * something else, the program ends or, with --as-is, warns. */
Weights *origin_weights(Origin *origin, const Shape *shape, const Net *net);

/* Reads the weights for training to start from. If the network's head (net_head) has another number
 * of classes than the file's, by its shape there, it is drawn by the seed, with a note. */
Weights *origin_weights_to_tune(Origin *origin, const Shape *shape, const Net *net, uint64_t seed);

/* Gives an opened set the mean and standard deviation of the weights' training, with a note if it
 * has others: the file's, else ImageNet's if the step is the published network and the file has a
 * library's names. */
void origin_normalise(const Origin *origin, Dataset *data);

/* Opens the set named by --data, else by the file, with the mean and standard deviation of the
 * weights' training. */
Dataset origin_data(const Origin *origin, DatasetPart part, int limit);

/* Checks that the set's images are resized in the way that the file says. */
void origin_check_image(const Origin *origin, const Dataset *data, const Shape *shape);

#endif
