/* From a step and its options to a network. */
#ifndef CLI_NETWORK_H
#define CLI_NETWORK_H

#include "cli/options.h"
#include "cli/step.h"

/* Everything a network is built from. */
typedef struct {
    Config config;
    int n, c, h, w; /* the input */
    bool head;      /* the classification head behind the encoder */
} Shape;

/* The preset's sizes with the options' in their place. preset: used where no --preset was given;
 * 0: the command's. An option that means nothing to this network ends the program. */
Shape network_shape(const Step *step, const Options *options, Preset preset);

/* The same with other sizes in the preset's place. */
Shape network_shape_over(const Step *step, const Options *options, Shape shape);

/* The article's ConvNextForImageClassification, or its ConvNextEncoder alone. */
Net *network_build(const Step *step, const Shape *shape);

/* Has the network a layer of that kind? */
bool network_has(const Step *step, const Shape *shape, const Op *op);

/* A published step has the paper's widths and not the article's, unless it is told a preset: beside
 * it another step is asked for those. */
bool network_has_paper_sizes(const Step *step, const Options *options);

/* Does the step downsample in a layer of its own, in front of a stage's blocks? */
bool network_downsamples_separately(const Step *step);

#endif
