#include "cli/given_image.h"

#include "base/memory.h"
#include "cli/commands.h"
#include "data/preprocess.h"

float *given_image(const Origin *origin, const char *path, Shape *shape)
{
    const Dataset *data = &origin->provenance.data;
    if (!data->name)
        error_die(EXIT_USAGE, origin->file.path,
                  "does not say what it was trained on, and so not how images are brought to size; "
                  "--batch takes one that is");
    *shape = network_shape_for_data(origin->run, origin, data);
    shape->n = 1;
    Preprocess how;
    ImageFile file;
    Image image;
    Error error;
    if (!preprocess_dataset(data, shape->c, shape->h, shape->w, &how, &error))
        error_die_of(EXIT_USAGE, &error);
    if (!image_open(path, &file, &error) || !image_next(&file, &image, &error))
        error_die_of(EXIT_FAILED, &error);
    if (image_more(&file))
        error_note(path, "more follows its first image, which is the one that is taken");
    float *x = mem_alloc(size_mul((size_t)shape->h * shape->w, (size_t)shape->c), sizeof *x);
    preprocess_image(&how, &image, x);
    image_free(&image);
    image_close(&file);
    preprocess_free(&how);
    return x;
}
