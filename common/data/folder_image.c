#define _XOPEN_SOURCE 700 /* S_ISREG */
#include "data/folder_image.h"

#include "base/memory.h"
#include "base/process.h"
#include "base/system.h"
#include "io/kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool check_file(const char *path, struct stat *status, Error *error)
{
    if (stat(path, status) != 0)
        return error_set(error, path, "cannot open it: %s", strerror(errno));
    if (S_ISDIR(status->st_mode))
        return error_set(error, path, "is a folder, in a class's folder where images are wanted");
    return S_ISREG(status->st_mode) || error_set(error, path, "is not a regular file");
}

static bool is_pnm(const ImageFile *file)
{
    return file->size > 1 && file->bytes[0] == 'P' && file->bytes[1] >= '1' &&
           file->bytes[1] <= '7';
}

/* Tells whether a JPEG lacks the mark of its end: anytopnm makes grey what is missing. */
static bool is_cut_jpeg(const ImageFile *file)
{
    const unsigned char *bytes = (const unsigned char *)file->bytes;
    size_t at = 2;
    if (file->size < 4 || memcmp(bytes, "\xff\xd8\xff", 3) != 0)
        return false;
    /* Skip the segments in front of the scan (ff da), as long as each says it is: a smaller JPEG
     * may begin and end (ff d9) within one. Any number of ff may stand in front of a segment. */
    while (at + 4 <= file->size && bytes[at] == 0xff && bytes[at + 1] != 0xda)
        at += bytes[at + 1] == 0xff ? 1 : 2 + (size_t)bytes[at + 2] * 256 + bytes[at + 3];
    while (at + 2 <= file->size && (bytes[at] != 0xff || bytes[at + 1] != 0xd9))
        at++;
    return at + 2 > file->size;
}

/* Replaces the bytes of another format by those of a PNM file. */
static bool convert_to_pnm(ImageFile *file, Error *error)
{
    Error why;
    /* anytopnm would draw its letters. */
    if (file_is_text(file->bytes, file->size) && strncmp(file->bytes, "/* XPM", 6) != 0)
        return error_set(error, file->name, "is text, not an image");
    if (is_cut_jpeg(file))
        return error_set(error, file->name, "cut short: a JPEG without its end");
    char *path = str_format("%s%s", *file->name == '-' ? "./" : "", file->name), *bytes;
    char *const command[] = { "anytopnm", path, NULL };
    size_t size;
    bool good = process_read(command, true, &bytes, &size, &why);
    free(path);
    if (good && size == 0) {
        free(bytes);
        good = false;
    }
    bool missing = !good && strstr(why.text, "no such program");
    if (!good)
        return error_set(error, file->name, "is not a PNM image, and netpbm's anytopnm %s (%.400s)",
                         missing ? "is not installed" : "cannot read it", why.text);
    free(file->bytes);
    file->bytes = bytes, file->size = size;
    return true;
}

static bool unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           system_file_time(a) == system_file_time(b);
}

/* Reads the one image of an opened file. */
static bool read_one(ImageFile *file, Image *image, Error *error)
{
    if ((!is_pnm(file) && !convert_to_pnm(file, error)) || !image_next(file, image, error))
        return false;
    if (!image_more(file))
        return true;
    image_free(image);
    return error_set(error, file->name, "holds several images, or bytes after its image");
}

bool folder_image(const char *path, Image *image, Error *error)
{
    struct stat before, after;
    ImageFile file;
    if (!check_file(path, &before, error) || !image_open(path, &file, error))
        return false;
    bool good = read_one(&file, image, error);
    image_close(&file);
    if (good && (stat(path, &after) != 0 || !unchanged(&before, &after))) {
        image_free(image);
        good = error_set(error, path, "changed while it was read");
    }
    return good;
}
