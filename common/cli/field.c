/* field: the effective receptive field (Luo et al. 2016): the effect of each pixel of the image on
 * a pixel of a stage's output, the central one unless --at says another, |d Σ_c y[c,h/2,w/2] / d
 * x|, averaged over images and colours. The network runs as in evaluation, batch norm with its
 * running statistics, so that an image's gradient does not depend on the others. */
#include "base/memory.h"
#include "base/text.h"
#include "cli/given_image.h"
#include "cli/origin.h"
#include "data/loader.h"
#include "engine/engine.h"
#include "io/file.h"
#include "ops/ops.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the last layer of a stage, counted from 1. Every step names its stages alike. */
static const Tensor *stage_output(const Net *net, int stage)
{
    char word[32];
    snprintf(word, sizeof word, "stages.%d.", stage - 1);
    for (int i = net_tensors(net) - 1; i > 0; i--)
        if (strstr(net_tensor(net, i)->name, word))
            return net_tensor(net, i);
    error_die(EXIT_USAGE, "--stage", "the network has no layer in stage %d", stage);
}

typedef struct {
    int y, x;
} Pixel;

static Pixel chosen_pixel(const Options *o, const Tensor *y)
{
    if (!option_given(o, "--at"))
        return (Pixel){ y->h / 2, y->w / 2 };
    if (o->at[0] >= y->h || o->at[1] >= y->w)
        error_die(EXIT_USAGE, "--at", "%d,%d is outside of stage %d's %dx%d output", o->at[0],
                  o->at[1], o->stage, y->h, y->w);
    return (Pixel){ o->at[0], o->at[1] };
}

/* Sets the output's gradient to 1 for the pixel's channels in each image, 0 elsewhere. */
static void seed_gradient(Engine *engine, const Tensor *y, Pixel at, int count)
{
    float *dy = engine_output_gradient(engine);
    memset(dy, 0, tensor_elements(y) * sizeof *dy);
    for (int n = 0; n < count; n++) {
        size_t pixel = ((size_t)n * y->h + at.y) * y->w + at.x;
        for (int c = 0; c < y->c; c++)
            dy[pixel * y->c + c] = 1;
    }
}

/* Adds every pixel's |gradient|, over `count` images and the colours, to sum[h,w]. */
static void add_gradient(const Engine *engine, const Tensor *x, int count, double *sum)
{
    const float *dx = engine_input_gradient(engine);
    size_t pixels = (size_t)x->h * x->w;
    for (size_t i = 0; i < (size_t)count * pixels; i++)
        for (int c = 0; c < x->c; c++)
            sum[i % pixels] += fabs((double)dx[i * x->c + c]);
}

static void write_field(const char *path, const Tensor *x, const double *sum, int count)
{
    Text table;
    Error error;
    text_open(&table);
    fprintf(table.out, "y\tx\tgradient\n");
    for (int i = 0; i < x->h * x->w; i++)
        fprintf(table.out, "%d\t%d\t%.6g\n", i / x->w, i % x->w, sum[i] / ((double)count * x->c));
    text_close(&table);
    if (!file_write(path, table.bytes, table.size, &error))
        error_die_of(EXIT_FAILED, &error);
    free(table.bytes);
}

/* Returns a loader of the whole set in its own order, in batches. */
static Loader *image_loader(const Dataset *data, const Tensor *x)
{
    LoaderOptions options = { .data = data,
                              .count = data->count,
                              .channels = x->c,
                              .height = x->h,
                              .width = x->w,
                              .batch_size = x->n };
    Error error;
    Loader *loader = loader_start(&options, &error);
    if (!loader)
        error_die_of(EXIT_FAILED, &error);
    return loader;
}

/* Adds the gradients of the images in the engine's input to the field. */
static void add_field(Engine *engine, const Tensor *x, const Tensor *y, Pixel at, int count,
                      double *sum)
{
    engine_forward(engine);
    seed_gradient(engine, y, at, count);
    engine_backward(engine);
    add_gradient(engine, x, count, sum);
}

/* Adds those of a whole set; returns the number of images. */
static int add_set(Engine *engine, const Tensor *x, const Tensor *y, Pixel at, const Dataset *data,
                   double *sum)
{
    Loader *loader = image_loader(data, x);
    const Batch *batch;
    int count = 0;
    while (loader_next(loader, &batch)) {
        memcpy(engine_input(engine), batch->x, tensor_elements(x) * sizeof(float));
        add_field(engine, x, y, at, batch->count, sum);
        count += batch->count;
    }
    loader_stop(loader);
    return count;
}

static void check_call(const Options *o)
{
    if (o->operand_count > 1)
        error_die(EXIT_USAGE, o->operands[1], "field takes one image");
    if (o->operand_count && (o->data || option_given(o, "--limit")))
        error_die(EXIT_USAGE, o->data ? "--data" : "--limit", "%s is the image to take",
                  o->operands[0]);
}

int cmd_field(const Run *run)
{
    const Options *o = &run->options;
    check_call(o);
    Origin origin = origin_read_trained(run);
    Dataset data = { 0 };
    Shape shape;
    float *image = o->operand_count ? given_image(&origin, o->operands[0], &shape) : NULL;
    if (!image) {
        data = origin_data(&origin, TEST_SET, o->limit);
        shape = network_shape_for_data(run, &origin, &data);
        shape.n = o->batch_size;
    }
    Net *net = network_build(run->step, &shape);
    Weights *weights = origin_weights(&origin, &shape, net);
    const Tensor *x = net_tensor(net, 0), *y = stage_output(net, o->stage);
    double *sum = mem_alloc((size_t)x->h * x->w, sizeof *sum);
    Pixel at = chosen_pixel(o, y);
    Weights *gradients = weights_new(net);
    Engine *engine = engine_for_training_with(
        engine_kind(NULL), net, weights, gradients,
        (TrainingOptions){ .input_gradient = true, .frozen = true, .last = y });
    int count = 1;
    if (image) {
        memcpy(engine_input(engine), image, tensor_elements(x) * sizeof(float));
        add_field(engine, x, y, at, 1, sum);
    } else
        count = add_set(engine, x, y, at, &data, sum);
    write_field(o->output, x, sum, count);
    printf("%s: stage %d's %dx%d output, its pixel %d,%d; mean over %d image%s\n", run->name,
           o->stage, y->h, y->w, at.y, at.x, count, count > 1 ? "s" : "");
    engine_free(engine);
    weights_free(gradients);
    free(image);
    free(sum);
    weights_free(weights);
    net_free(net);
    dataset_free(&data);
    origin_free(&origin);
    return 0;
}
