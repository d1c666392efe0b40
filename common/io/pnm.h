/* PNM pictures: PBM, PGM and PPM, plain (P1, P2, P3) and raw (P4, P5, P6), as
 * https://netpbm.sourceforge.net/doc/pnm.html describes them. */
#ifndef IO_PNM_H
#define IO_PNM_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { PNM_SIDE_MAX = 32768 }; /* a larger picture is taken for a mistake */

typedef struct {
    int width, height;
    int channels;      /* 1: black and white or grey, 3: red, green, blue */
    int maxval;        /* 1 … 65535: white */
    uint16_t *samples; /* [height,width,channels], each 0 … maxval */
} Pnm;

/* Reads a file ("-": standard input) that is one picture. On failure nothing is left to free and
 * *error says why. */
bool pnm_read(const char *path, Pnm *picture, Error *error);

/* The same from memory. name: for messages. */
bool pnm_parse(const char *name, const void *bytes, size_t size, Pnm *picture, Error *error);
void pnm_free(Pnm *picture);

#endif
