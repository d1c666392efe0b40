#include "data/preprocess.h"

#include "base/ints.h"
#include "base/memory.h"
#include "data/imagenet.h"

#include <stdio.h>
#include <stdlib.h>

bool preprocess_dataset(const Dataset *data, int channels, int height, int width, Preprocess *p,
                        Error *error)
{
    *p = (Preprocess){
        .channels = data->channels, .side = data->side, .height = data->height, .width = data->width
    };
    p->preparer = preparer_new(data, channels, height, width, error);
    return p->preparer;
}

/* What is told of an image's size in front of "enlarged": with the shorter side, or without. */
#define CROPPED "shorter side to %d (bicubic, antialiased), middle %dx%d, "
#define SQUASHED "resized to %dx%d (bicubic, antialiased), "

char *preprocess_text(const Dataset *data, int height, int width)
{
    char *size = data->side ? str_format(CROPPED, data->side, data->height, data->width)
                            : str_format(SQUASHED, data->height, data->width);
    char *text = str_format("%senlarged %d times (bilinear), black around it to %dx%d", size,
                            int_min(height / data->height, width / data->width), height, width);
    free(size);
    return text;
}

bool preprocess_text_read(const char *text, Dataset *data)
{
    enum { LARGEST = 1 << 20 };
    int side = 0, height, width;
    if (sscanf(text, CROPPED, &side, &height, &width) != 3) {
        side = 0;
        if (sscanf(text, SQUASHED, &height, &width) != 2)
            return false;
    } else if (side < int_max(height, width))
        return false;
    data->side = side, data->height = height, data->width = width;
    return height > 0 && width > 0 && height <= LARGEST && width <= LARGEST && side <= LARGEST;
}

int preprocess_imagenet_side(int height, int width)
{
    enum { SQUASHED_FROM = 384 };
    int larger = int_max(height, width);
    return larger < SQUASHED_FROM ? (int)((int64_t)larger * 256 / 224) : 0;
}

Preprocess preprocess_imagenet(int height, int width)
{
    return (Preprocess){ .channels = IMAGENET_CHANNELS,
                         .side = preprocess_imagenet_side(height, width),
                         .height = height,
                         .width = width,
                         .normaliser =
                             preparer_normaliser(IMAGENET_CHANNELS, imagenet_mean, imagenet_std) };
}

void preprocess_free(Preprocess *p)
{
    preparer_free(p->preparer);
    *p = (Preprocess){ 0 };
}

static void normalise(const Preprocess *p, const uint8_t *pixels, float *x)
{
    size_t points = (size_t)p->height * (size_t)p->width;
    for (size_t i = 0; i < points; i++)
        for (int c = 0; c < p->channels; c++)
            *x++ = p->normaliser.value[c][*pixels++];
}

void preprocess_image(const Preprocess *p, Image *image, float *x)
{
    image_set_channels(image, p->channels);
    Image middle = image_resize_and_crop(image, p->side, p->height, p->width);
    if (p->preparer)
        preparer_interleaved(p->preparer, middle.pixels, x);
    else
        normalise(p, middle.pixels, x);
    image_free(&middle);
}
