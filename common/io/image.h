/* 8-bit images: from PNM, grey to colour and back, resized. Each does bit for bit what Pillow
 * does (https://pillow.readthedocs.io), through which published networks were trained and measured.
 */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int width, height;
    int channels;    /* 1: grey, 3: red, green, blue */
    uint8_t *pixels; /* [height,width,channels] */
} Image;

/* A PNM file, which may hold several images one behind the other. */
typedef struct {
    char *name; /* for messages: the path, or "standard input" */
    char *bytes;
    size_t size, at;
    int count; /* how many were read */
} ImageFile;

/* path "-": standard input. On failure nothing is left to close and *error says why. */
bool image_open(const char *path, ImageFile *file, Error *error);
void image_close(ImageFile *file);

/* Is there another image, or something in its place? */
bool image_more(const ImageFile *file);

/* Reads the next one, its samples scaled to 0 … 255. On failure nothing is left to free, *error
 * says why and there are no more. */
bool image_next(ImageFile *file, Image *image, Error *error);
void image_free(Image *image);

/* Makes it one of that many channels, 1 or 3: grey is the luma of ITU-R BT.601 in 16-bit fixed
 * point; colour from grey is three times the same. */
void image_set_channels(Image *image, int channels);

/* The middle height x width of the image after its shorter side is resized to `side` (at least
 * `height` and `width`), the longer one in proportion, rounded down. Both as torchvision's
 * Resize(side, BICUBIC) and CenterCrop have it; only what the crop shows is computed. */
Image image_resize_and_crop(const Image *image, int side, int height, int width);

#endif
