#include "cli/batch.h"

#include "base/memory.h"

#include <stdlib.h>

enum { LARGEST = 1 << 20 };

static const Entry *wanted(const Safetensors *file, const char *key, int rank)
{
    const Entry *entry = safetensors_find(file, key);
    if (!entry)
        error_die(EXIT_FAILED, file->path, "has no tensor '%s'", key);
    if (entry->rank != rank)
        error_die(EXIT_FAILED, file->path, "'%s' has %d dimensions, not %d", key, entry->rank,
                  rank);
    for (int i = 0; i < rank; i++)
        if (entry->shape[i] < 1 || entry->shape[i] > LARGEST)
            error_die(EXIT_FAILED, file->path, "'%s' has a dimension of %zu", key, entry->shape[i]);
    return entry;
}

/* Converts [n,c,h,w] to [n,h,w,c]. */
static void channels_last(const FileBatch *b, const float *from, float *to)
{
    size_t pixels = (size_t)b->h * (size_t)b->w, channels = (size_t)b->c;
    for (size_t n = 0; n < (size_t)b->n; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                to[(n * pixels + p) * channels + c] = *from++;
}

/* Reads whole numbers as float32, which is exact up to 2^24. */
static void read_whole_numbers(const Safetensors *file, const Entry *x, float *out)
{
    enum { MOST = 1 << 24 };
    size_t count = entry_elements(x);
    int64_t *wide = mem_alloc(count, sizeof *wide);
    Error error;
    if (!entry_int64s(file, x, wide, &error))
        error_die_of(EXIT_FAILED, &error);
    for (size_t i = 0; i < count; i++) {
        if (wide[i] < -MOST || wide[i] > MOST) {
            long long value = wide[i];
            free(wide); /* freed because otherwise LeakSanitizer reports it if the program ends */
            error_die(EXIT_FAILED, file->path, "'x': %lld is no float32", value);
        }
        out[i] = (float)wide[i];
    }
    free(wide);
}

static void read_images(const Safetensors *file, FileBatch *b)
{
    const Entry *x = wanted(file, "x", 4);
    Error error;
    b->n = (int)x->shape[0];
    b->c = (int)x->shape[1];
    b->h = (int)x->shape[2];
    b->w = (int)x->shape[3];
    size_t count = entry_elements(x);
    float *planes = mem_alloc(count, sizeof *planes);
    bool whole = *x->dtype == 'I' || *x->dtype == 'U'; /* pixels as stored in a file */
    if (whole)
        read_whole_numbers(file, x, planes);
    else if (!entry_floats(file, x, planes, &error))
        error_die_of(EXIT_FAILED, &error);
    b->x = mem_alloc(count, sizeof *b->x);
    channels_last(b, planes, b->x);
    free(planes);
}

static void read_labels(const Safetensors *file, FileBatch *b, int classes)
{
    const Entry *labels = wanted(file, "labels", 1);
    Error error;
    if (labels->shape[0] != (size_t)b->n)
        error_die(EXIT_FAILED, file->path, "has %zu labels for %d images", labels->shape[0], b->n);
    int64_t *wide = mem_alloc((size_t)b->n, sizeof *wide);
    if (!entry_int64s(file, labels, wide, &error))
        error_die_of(EXIT_FAILED, &error);
    b->labels = mem_alloc((size_t)b->n, sizeof *b->labels);
    for (int i = 0; i < b->n; i++) {
        if (wide[i] < 0 || wide[i] >= classes)
            error_die(EXIT_FAILED, file->path, "label %lld of image %d is not from 0 to %d",
                      (long long)wide[i], i, classes - 1);
        b->labels[i] = (int)wide[i];
    }
    free(wide);
}

FileBatch batch_read(const char *path, int classes)
{
    Safetensors file;
    Error error;
    FileBatch b = { .path = path };
    if (!safetensors_read(path, &file, &error))
        error_die_of(EXIT_FAILED, &error);
    read_images(&file, &b);
    if (classes)
        read_labels(&file, &b, classes);
    safetensors_free(&file);
    return b;
}

void batch_free(FileBatch *batch)
{
    free(batch->x);
    free(batch->labels);
}

/* Refuses a batch whose last dimension, but not the second, is a number of colours: [N,H,W,C]. */
static void check_order(const FileBatch *b, int channels)
{
    bool colours = b->w == 1 || b->w == 3;
    if (colours && b->c > 3 && b->c != channels)
        error_die(
            EXIT_FAILED, b->path,
            "'x' is %dx%dx%dx%d, channels last as it seems; channels come second, %dx%dx%dx%d: "
            "x.permute(0, 3, 1, 2).contiguous()",
            b->n, b->c, b->h, b->w, b->n, b->w, b->c, b->h);
}

Shape batch_shape(const Origin *origin, const FileBatch *batch)
{
    const Options *o = &origin->run->options;
    Shape shape = origin_shape(origin, 0);
    check_order(batch, shape.c);
    if (option_given(o, "--batch-size") && o->batch_size != batch->n)
        error_die(EXIT_USAGE, "--batch-size", "%d, but %s holds %d images", o->batch_size, o->batch,
                  batch->n);
    if (option_given(o, "--input") &&
        (shape.c != batch->c || shape.h != batch->h || shape.w != batch->w))
        error_die(EXIT_USAGE, "--input", "%dx%dx%d, but %s holds images of %dx%dx%d", shape.c,
                  shape.h, shape.w, o->batch, batch->c, batch->h, batch->w);
    shape.n = batch->n;
    shape.c = batch->c;
    shape.h = batch->h;
    shape.w = batch->w;
    return shape;
}
