/* 8-bit images: read from PNM, converted between grey and colour, resized. Results equal bit for
 * bit those of Pillow up to 12.0 (https://pillow.readthedocs.io), with which published networks
 * were trained and evaluated. */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int width, height;
    int channels;    /* 1: grey; 3: red, green, blue */
    uint8_t *pixels; /* [height,width,channels] */
} Image;

/* An open PNM file, which may hold several images in sequence. */
typedef struct {
    char *name; /* for messages: the path, or "standard input" */
    char *bytes;
    size_t size, at;
    int count; /* images read so far */
} ImageFile;

/* Opens a file; path "-": standard input. On failure nothing is left to close and *error has the
 * reason. */
bool image_open(const char *path, ImageFile *file, Error *error);
void image_close(ImageFile *file);

/* Returns true if another image, or invalid data, follows. */
bool image_more(const ImageFile *file);

/* Reads the next image, its samples scaled to 0 … 255. On failure nothing is left to free, *error
 * has the reason and no more images follow. */
bool image_next(ImageFile *file, Image *image, Error *error);
void image_free(Image *image);

/* Converts the image to 1 or 3 channels: grey is the luma of ITU-R BT.601 in 16-bit fixed point;
 * colour from grey repeats the channel three times. */
void image_set_channels(Image *image, int channels);

/* Resizes the image's shorter side to `side` (at least `height` and `width`), the longer one in
 * proportion, rounded down, and returns the central height x width. Both steps equal torchvision's
 * Resize(side, BICUBIC) and CenterCrop; only the pixels of the crop are computed. side 0: resizes
 * all of the image to height x width, whatever its proportions, as Resize((height, width)) does. */
Image image_resize_and_crop(const Image *image, int side, int height, int width);

#endif
