#include "data/preprocess.h"

#include "base/ints.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

bool preprocess_dataset(const Dataset *data, int channels, int height, int width, Preprocess *p,
                        Error *error)
{
    *p = (Preprocess){ .channels = data->channels,
                       .side = int_max(data->height, data->width),
                       .height = data->height,
                       .width = data->width };
    p->preparer = preparer_new(data, channels, height, width, error);
    return p->preparer;
}

char *preprocess_text(const Dataset *data, int height, int width)
{
    return str_format("shorter side to %d (bicubic, antialiased), middle %dx%d, enlarged %d times "
                      "(bilinear), black around it to %dx%d",
                      int_max(data->height, data->width), data->height, data->width,
                      int_min(height / data->height, width / data->width), height, width);
}

bool preprocess_text_read(const char *text, int *height, int *width)
{
    enum { LARGEST = 1 << 20 };
    int side;
    return sscanf(text, "shorter side to %7d (bicubic, antialiased), middle %7dx%7d", &side, height,
                  width) == 3 &&
           *height > 0 && *width > 0 && *height <= LARGEST && *width <= LARGEST;
}

/* Pictures that fill the input need no enlarging: what is left of the preparer is normalising. */
Preprocess preprocess_imagenet(int height, int width)
{
    Dataset data = { .name = "imagenet",
                     .channels = 3,
                     .height = height,
                     .width = width,
                     .mean = { .485f, .456f, .406f },
                     .std = { .229f, .224f, .225f } };
    Preprocess p;
    Error error;
    if (!preprocess_dataset(&data, data.channels, height, width, &p, &error))
        error_die_of(EXIT_FAILED, &error);
    p.side = (int)((int64_t)p.side * 256 / 224);
    return p;
}

void preprocess_free(Preprocess *p)
{
    preparer_free(p->preparer);
    *p = (Preprocess){ 0 };
}

/* [pixels,channels] to [channels,pixels]. */
static uint8_t *planes(const Picture *p)
{
    size_t points = (size_t)p->width * (size_t)p->height, channels = (size_t)p->channels;
    uint8_t *out = mem_alloc(points, channels), *to = out;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < points; i++)
            *to++ = p->pixels[i * channels + c];
    return out;
}

void preprocess_picture(const Preprocess *p, Picture *picture, float *x)
{
    picture_set_channels(picture, p->channels);
    Picture middle = picture_resize_and_crop(picture, p->side, p->height, p->width);
    uint8_t *pixels = planes(&middle);
    preparer_picture(p->preparer, pixels, (View){ 0 }, x);
    free(pixels);
    picture_free(&middle);
}
