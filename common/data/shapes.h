/* A data set drawn by the program: ten classes of shapes and textures, so that training runs on a
 * machine with nothing installed. Place, size, angle, shading, noise and which of shape and
 * background is the brighter one are drawn at random: single pixels say next to nothing about the
 * class, only how they lie to each other does. */
#ifndef DATA_SHAPES_H
#define DATA_SHAPES_H

#include <stdint.h>

enum { SHAPES_SIDE = 28, SHAPES_CLASSES = 10, SHAPES_TRAINING = 20000, SHAPES_TEST = 2000 };

extern const char *const shapes_names[SHAPES_CLASSES];

/* Image i of split 0 (training) or 1 (test), a function of these two alone. Every ten images in
 * a row show every class once. pixels: [28,28]. Returns the class. */
int shapes_draw(int split, uint32_t i, uint8_t pixels[SHAPES_SIDE * SHAPES_SIDE]);

#endif
