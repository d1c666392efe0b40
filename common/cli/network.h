/* Building a network from a step and its options. */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include "cli/options.h"
#include "cli/step.h"

/* All that a network is built from. */
typedef struct {
    Config config;
    int n, c, h, w; /* the input */
    bool head;      /* with the classification head after the encoder */
} Shape;

/* Returns the preset's sizes, overridden by options. preset: the default for --preset; 0: the
 * command's. An option without effect on this network ends the program. */
Shape network_shape(const Step *step, const Options *options, Preset preset);

/* Returns such a shape, with other sizes instead of a preset's. */
Shape network_shape_over(const Step *step, const Options *options, Shape shape);

/* Builds the article's ConvNextForImageClassification, or its ConvNextEncoder alone. */
Net *network_build(const Step *step, const Shape *shape);

/* Tests whether the network has a layer of that op. */
bool network_has(const Step *step, const Shape *shape, const Op *op);

/* Returns the row that a step with rows shows: --row, or the last. */
int network_row(const Step *step, const Options *options);

/* Tests for the paper's widths, which a published step has instead of the article's unless a preset
 * is given; a step compared with it is then asked for the same. */
bool network_has_paper_sizes(const Step *step, const Options *options);

/* Tests whether the step downsamples in a separate layer before a stage's blocks. */
bool network_downsamples_separately(const Step *step);

#endif
