/* 8-bit pictures: from PNM, grey to colour and back, resized. Each does bit for bit what Pillow
 * does (https://pillow.readthedocs.io), through which published networks were trained and measured.
 */
#ifndef IO_PICTURE_H
#define IO_PICTURE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int width, height;
    int channels;    /* 1: grey, 3: red, green, blue */
    uint8_t *pixels; /* [height,width,channels] */
} Picture;

/* A PNM file, which may hold several pictures one behind the other. */
typedef struct {
    char *name; /* for messages: the path, or "standard input" */
    char *bytes;
    size_t size, at;
    int count; /* how many were read */
} PictureFile;

/* path "-": standard input. On failure nothing is left to close and *error says why. */
bool picture_open(const char *path, PictureFile *file, Error *error);
void picture_close(PictureFile *file);

/* Is there another picture, or something in its place? */
bool picture_more(const PictureFile *file);

/* Reads the next one, its samples scaled to 0 … 255. On failure nothing is left to free, *error
 * says why and there are no more. */
bool picture_next(PictureFile *file, Picture *picture, Error *error);
void picture_free(Picture *picture);

/* Makes it one of that many channels, 1 or 3: grey is the luma of ITU-R BT.601 in 16-bit fixed
 * point; colour from grey is three times the same. */
void picture_set_channels(Picture *picture, int channels);

/* The middle height x width of the picture after its shorter side is resized to `side` (at least
 * `height` and `width`), the longer one in proportion, rounded down. Both as torchvision's
 * Resize(side, BICUBIC) and CenterCrop have it; only what the crop shows is computed. */
Picture picture_resize_and_crop(const Picture *picture, int side, int height, int width);

#endif
