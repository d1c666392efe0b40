/* The file of --weights: what its metadata say of the network and of what it was trained on, held
 * to the call and to this program. All end the program where something is wrong. */
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
        *layers; /* NULL: the file says nothing of its network, and may be any that it fits */
    char *name;  /* the step's, with its row: "13_paper_roadmap-row5" */
    Shape shape; /* with n = 1 */
    Provenance provenance; /* what it was trained on, if origin_read_trained read the file */
    const char *hint;      /* for the user whose weights do not fit, or NULL */
} Origin;

/* Adds what there is to say of a network. */
void origin_write(const Run *run, const Shape *shape, const Net *net, MetadataList *list);

/* "05_large_kernel", with the row of a step that has rows. The caller frees it. */
char *origin_name(const Run *run, const Config *config);
/* The step and its sizes as options, but for the classes; likewise. */
char *origin_network(const Run *run, const Shape *shape);

/* What the file says, and what there is to say of the network that its weights are in now. */
MetadataList origin_metadata(const Origin *origin, const Shape *shape, const Net *net);

Origin origin_read(const Run *run);
/* Reads the provenance too, which has to be of --data's set where that is given. */
Origin origin_read_trained(const Run *run);
void origin_free(Origin *origin);

/* The network for these weights: what the call says, else what the file says, else the
 * preset's; 0: the command's. */
Shape origin_shape(const Origin *origin, Preset preset);

/* The weights, for a network of that shape. Where the file says that they are of a network that
 * computes something else, the program ends, or with --as-is says so. */
Weights *origin_weights(Origin *origin, const Shape *shape, const Net *net);

/* The set that --data names, or else the file, opened, with the mean and standard deviation that
 * the weights know. */
Dataset origin_data(const Origin *origin, DatasetPart part, int limit);

/* Are the set's images brought to that size in the way that the file says? */
void origin_check_image(const Origin *origin, const Dataset *data, const Shape *shape);

#endif
