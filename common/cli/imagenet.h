#ifndef CLI_IMAGENET_H
#define CLI_IMAGENET_H

enum { IMAGENET_CHANNELS = 3, IMAGENET_CLASSES = 1000 };

/* What class i is called; from 0: tench, goldfish, great white shark, … */
extern const char *const imagenet_names[IMAGENET_CLASSES];

#endif
