/* From an image of any size to a network's input.
 *
 *   channels   grey or colour, as the network wants it
 *   size       resized (antialiased bicubic) and cropped to the middle, io/image.h
 *   input      normalised; a data set's also enlarged and padded, data/preparer.h
 *
 * So an image that has the size of its data set's becomes what training and evaluate make of it.
 */
#ifndef DATA_PREPROCESS_H
#define DATA_PREPROCESS_H

#include "data/preparer.h"
#include "io/image.h"

typedef struct {
    int channels;
    int side;          /* of the shorter side after resizing, or 0: all becomes height x width */
    int height, width; /* of the crop */
    Normaliser normaliser; /* where the crop fills the input, else … */
    Preparer *preparer;    /* … what brings it there, or NULL */
} Preprocess;

/* The side to which ImageNet's images are resized for an input, as the authors of ConvNeXt do it
 * (build_transform in their datasets.py): the shorter one to 256/224 of the input, rounded down
 * (256 for 224); from 384 on 0: the whole image to the input's size, whatever its proportions. */
int preprocess_imagenet_side(int height, int width);

/* ImageNet's, as the published networks were measured with it: resized to that side, the middle of
 * the input's size, every channel normalised. */
Preprocess preprocess_imagenet(int height, int width);

/* A data set's: resized to the set's side and size, and on as its own images. Fails
 * when the input does not suit the set. `data` needs no images, but mean and std. */
bool preprocess_dataset(const Dataset *data, int channels, int height, int width, Preprocess *p,
                        Error *error);
/* What preprocess_dataset does, in words, with those numbers: "shorter side to 28 (bicubic,
 * antialiased), middle 28x28, enlarged 2 times (bilinear), black around it to 64x64". The caller
 * frees it. */
char *preprocess_text(const Dataset *data, int height, int width);
/* The sizes of the set out of such words; false where they are others. */
bool preprocess_text_read(const char *text, Dataset *data);

void preprocess_free(Preprocess *p);

/* Changes the image's channels; x: [height,width,channels] of the network's input. */
void preprocess_image(const Preprocess *p, Image *image, float *x);

#endif
