/* ImageNet, of which there are no files here: what its classes are called and how the networks that
 * were published for it normalise their images. */
#ifndef DATA_IMAGENET_H
#define DATA_IMAGENET_H

enum { IMAGENET_CHANNELS = 3, IMAGENET_CLASSES = 1000 };

/* Of values scaled to 0 … 1. */
extern const float imagenet_mean[IMAGENET_CHANNELS], imagenet_std[IMAGENET_CHANNELS];

/* What class i is called; from 0: tench, goldfish, great white shark, … */
extern const char *const imagenet_names[IMAGENET_CLASSES];

#endif
