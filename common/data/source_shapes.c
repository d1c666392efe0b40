/* The set of shapes that the program draws (data/shapes.h). */
#include "base/memory.h"
#include "base/parallel.h"
#include "data/shapes.h"
#include "data/source.h"

static const Dataset shapes_set = {
    .name = "shapes",
    .channels = 1,
    .height = SHAPES_SIDE,
    .width = SHAPES_SIDE,
    .side = SHAPES_SIDE,
    .classes = SHAPES_CLASSES,
    .class_names = shapes_names,
};

typedef struct {
    Dataset *data;
    DatasetPart part;
} ShapesSet;

static void draw_shape(void *context, int i, int worker)
{
    ShapesSet *d = context;
    (void)worker;
    uint8_t *pixels = d->data->pixels + (size_t)i * dataset_image_bytes(d->data);
    d->data->labels[i] = (unsigned char)shapes_draw(d->part == TEST_SET, (uint32_t)i, pixels);
}

static bool shapes_open(DatasetPart part, Dataset *data, Error *error)
{
    (void)error;
    *data = shapes_set;
    data->count = part == TEST_SET ? SHAPES_TEST : SHAPES_TRAINING;
    data->pixels = mem_alloc((size_t)data->count, dataset_image_bytes(data));
    data->labels = mem_alloc((size_t)data->count, 1);
    parallel_for(data->count, draw_shape, &(ShapesSet){ data, part });
    return true;
}

const Source source_shapes = { &shapes_set, NULL, 0, NULL, shapes_open };
