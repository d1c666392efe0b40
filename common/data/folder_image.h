/* An image out of a file of any format: PNM and PAM as io/image.h reads them, others through
 * netpbm's anytopnm. */
#ifndef DATA_FOLDER_IMAGE_H
#define DATA_FOLDER_IMAGE_H

#include "io/image.h"

/* Reads the one image of a regular file. Fails, naming the file, where there is none or several, or
 * where the file changes meanwhile. May be called on several threads. */
bool folder_image(const char *path, Image *image, Error *error);

#endif
