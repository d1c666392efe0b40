/* Altered images: a data set made darker, noisy, shifted, …, to see what a network relies on.
 *
 * An alteration is applied to the stored 8-bit image v, before anything else is done to it. Values
 * are rounded half up and clipped to 0 … 255. Lengths are in 28ths of the image's side, height or
 * width, and rounded half up to pixels: a shift of 4 moves an image of 32x32 by 5. What is drawn
 * at random is the same for all channels, but for noise.
 *
 *   dark:F    F·v, F from 0 to 1
 *   grey:F    127.5 + F·(v - 127.5): contrast, F from 0 to 1
 *   bright:L  v + L, L from 0 to 255
 *   gamma:G   255·(v / 255)^G, G from 0.1 to 10
 *   invert    255 - v
 *   noise:S   v + S·n, a normal n of its own for each value of each channel; S from 0 to 255
 *   shift:L   moved by L up, down or not at all and by L left, right or not at all, one of these
 *             eight ways; black where nothing was; L whole, from 1 to 27
 *   box:L     a black box of LxL anywhere in the image; L whole, from 1 to 28
 *   blur:L    mean of the pixels at most (L - 1) / 2 away, up and down, left and right, as far as
 *             they are in the image; L odd, from 1 to 27
 *
 * Everything random is a function of kind, part of the set and the image's place in it: another
 * level has the same noise, stronger, or the same way, farther. */
#ifndef DATA_ALTER_H
#define DATA_ALTER_H

#include "data/dataset.h"

typedef struct {
    int kind;
    double level;
    char name[ALTERED_NAME]; /* "noise:32" */
} Alteration;

/* The fourteen that networks are compared by, as alter_parse reads them. */
enum { ALTER_STANDARD = 14 };
extern const char *const alter_standard[ALTER_STANDARD];

/* Reads "KIND:LEVEL" or "invert". Fails when there is no such kind or level, and says which
 * there are. */
bool alter_parse(const char *text, Alteration *alteration, Error *error);

/* The set with its images altered. Its pixels are its own, for dataset_free_pixels; the labels
 * remain those of `data`. mean and std are still the stored training set's, so that a network gets
 * what it would get from a camera that has changed. */
Dataset alter_dataset(const Dataset *data, DatasetPart part, const Alteration *alteration);

#endif
