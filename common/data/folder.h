/* Folders of images: PATH/train/CLASS/IMAGE and, if there is one, PATH/test/CLASS/IMAGE.
 *
 *   classes  the folders in train/, in byte order; what begins with a dot is not looked at
 *   order    the first image of each class, then the second of each, …; within a class in byte
 *            order of the files' names
 *   test     without test/ a fifth of each class, rounded down, drawn by a hash of the files' names
 *            alone: it is the same whatever else is there
 *   formats  PNM and PAM are read here, others through netpbm's anytopnm, several at a time
 *   size     images that all have one size that fits into the network's input are taken as they are
 *            (and enlarged, data/preparer.h), whatever their test images' sizes; others are brought
 *            to the input's size as published networks' (preprocess_imagenet_side)
 *
 * Each file is read to its end, resized and kept as 8-bit pixels in a file without a name (in_file,
 * data/dataset.h): as much memory is needed as a few images take, however many there are. */
#ifndef DATA_FOLDER_H
#define DATA_FOLDER_H

#include "data/dataset.h"

enum { FOLDER_INPUT = 64 };

/* name: what the sets are called. training, test: may be NULL. mean and std remain to be measured,
 * but where wish->like has them. Fails where a folder or file is not as it should be; names each
 * file that cannot be read. */
bool folder_open(const char *name, const char *path, const DatasetWish *wish, Dataset *training,
                 Dataset *test, Error *error);

#endif
