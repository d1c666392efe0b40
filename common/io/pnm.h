/* PNM images: PBM, PGM and PPM, plain (P1, P2, P3) and raw (P4, P5, P6), and PAM (P7), as described
 * at https://netpbm.sourceforge.net/doc/pnm.html. Transparency is dropped, as Pillow does when
 * converting to RGB or grey. */
#ifndef IO_PNM_H
#define IO_PNM_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { PNM_SIDE_MAX = 32768 }; /* a larger image is considered an error */

typedef struct {
    int width, height;
    int channels;      /* 1: black and white, or grey; 3: red, green, blue */
    int maxval;        /* 1 … 65535: the value of white */
    uint16_t *samples; /* [height,width,channels], each 0 … maxval */
} Pnm;

/* Reads the image that begins at byte *at, and moves *at to the start of the next one, or to
 * `size`. name: for messages. On failure nothing is left to free and *error has the reason. */
bool pnm_next(const char *name, const void *bytes, size_t size, size_t *at, Pnm *image,
              Error *error);
void pnm_free(Pnm *image);

/* Writes P5 (1 channel) or P6 (3); samples: [height,width,channels]. */
bool pnm_write(const char *path, int width, int height, int channels, const uint8_t *samples,
               Error *error);

#endif
