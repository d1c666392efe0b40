/* Images on their way to a network, held to what Pillow and torchvision make of the same ones:
 * tests/data/preprocess.safetensors, which make.py beside it writes. */
#include "base/memory.h"
#include "data/preprocess.h"
#include "data/provenance.h"
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reference_read(Safetensors *file)
{
    Error error;
    cr_assert(safetensors_read("tests/data/preprocess.safetensors", file, &error), "%s",
              error.text);
}

static uint8_t formula(int x, int y, int c)
{
    int waves = (3 * x * x + 5 * y * y + 7 * x * y * (c + 1)) / 97 + 40 * c;
    int grain = (13 * x + 29 * y + 71 * c) * (x + 2 * y + 3) % 64;
    bool edge = (x / 9 + y / 7) % 3 == 0;
    return (uint8_t)((x + y) % 5 == 0 ? 255 * edge : waves + grain);
}

static Image draw(int width, int height, int channels)
{
    Image p = { .width = width, .height = height, .channels = channels };
    p.pixels = mem_alloc((size_t)width * (size_t)height, (size_t)channels);
    uint8_t *to = p.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                *to++ = formula(x, y, c);
    return p;
}

/* --- resizing and cropping ------------------------------------------------------------------- */

/* Every stride-th pixel of what was cropped, against an entry [rows,columns,channels]. */
static void expect_same(const Image *p, const Entry *e)
{
    size_t stride = p->width > 100 ? 3 : 1, wrong = 0;
    size_t width = (size_t)p->width, channels = (size_t)p->channels;
    const uint8_t *wanted = e->data;
    cr_assert(e->rank == 3 && e->shape[2] == channels, "%s", e->key);
    cr_assert_eq(e->shape[0], ((size_t)p->height + stride - 1) / stride, "%s", e->key);
    cr_assert_eq(e->shape[1], (width + stride - 1) / stride, "%s", e->key);
    for (size_t y = 0; y < e->shape[0]; y++)
        for (size_t x = 0; x < e->shape[1]; x++)
            for (size_t c = 0; c < channels; c++)
                wrong += p->pixels[(y * width + x) * stride * channels + c] != *wanted++;
    cr_expect_eq(wrong, 0, "%s: %zu of %zu values differ", e->key, wrong, e->bytes);
}

Test(preprocess, resized_and_cropped_as_pillow_does)
{
    Safetensors file;
    int seen = 0;
    reference_read(&file);
    for (size_t i = 0; i < file.count; i++) {
        int width, height, channels, side, crop;
        if (sscanf(file.entries[i].key, "%dx%dx%d %d %d", &width, &height, &channels, &side,
                   &crop) != 5)
            continue;
        Image p = draw(width, height, channels);
        Image middle = image_resize_and_crop(&p, side, crop, crop);
        expect_same(&middle, &file.entries[i]);
        image_free(&middle);
        image_free(&p);
        seen++;
    }
    cr_expect_eq(seen, 18);
    safetensors_free(&file);
}

Test(preprocess, grey_as_pillow_does)
{
    Safetensors file;
    reference_read(&file);
    Image p = draw(45, 77, 3);
    image_set_channels(&p, 1);
    Image middle = image_resize_and_crop(&p, 28, 28, 28);
    expect_same(&middle, safetensors_find(&file, "grey 45x77x3 28 28"));
    image_free(&middle);
    image_free(&p);
    safetensors_free(&file);
}

/* An image a thousand times as long as wide: the long side is never there as a whole. */
Test(preprocess, extreme_shapes)
{
    Image p = { .width = 1, .height = 32768, .channels = 1, .pixels = mem_alloc(32768, 1) };
    memset(p.pixels, 77, 32768);
    Image middle = image_resize_and_crop(&p, 256, 224, 224);
    for (int i = 0; i < 224 * 224; i++)
        cr_assert_eq(middle.pixels[i], 77);
    image_free(&middle);
    image_free(&p);
}

/* --- ImageNet's ------------------------------------------------------------------------------ */

static void expect_normalised(const char *key, Image p)
{
    Safetensors file;
    reference_read(&file);
    const Entry *e = safetensors_find(&file, key);
    float *wanted = mem_alloc(entry_elements(e), sizeof *wanted);
    cr_assert(entry_floats(&file, e, wanted, NULL));
    float *x = mem_alloc((size_t)3 * 224 * 224, sizeof *x);
    Preprocess preprocess = preprocess_imagenet(224, 224);
    preprocess_image(&preprocess, &p, x);
    double furthest = 0;
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 75; i++)
            for (int j = 0; j < 75; j++) {
                double off = x[(3 * i * 224 + 3 * j) * 3 + c] - wanted[(c * 75 + i) * 75 + j];
                furthest = fmax(furthest, fabs(off));
            }
    cr_expect_lt(furthest, 1e-6, "%s: %g off", key, furthest);
    preprocess_free(&preprocess);
    image_free(&p);
    free(wanted);
    free(x);
    safetensors_free(&file);
}

Test(preprocess, normalised_as_torchvision_does)
{
    expect_normalised("normalised 640x480x3", draw(640, 480, 3));
    expect_normalised("normalised 500x375x1", draw(500, 375, 1));
}

Test(preprocess, imagenet_at_other_sizes)
{
    Preprocess p = preprocess_imagenet(288, 288), q = preprocess_imagenet(64, 96);
    cr_expect(p.side == 329 && p.height == 288 && p.width == 288, "%d", p.side);
    cr_expect(q.side == 109 && q.height == 64 && q.width == 96, "%d", q.side);
    preprocess_free(&p);
    preprocess_free(&q);
}

/* Catmull and Rom's cubic, the one with a = -1/2. */
static double cubic_at(double x)
{
    x = fabs(x);
    return x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
           : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                   : 0;
}

/* Output (x, y) of an image of [h,w] resized to [384,384]: the mean of all its pixels, each weighed
 * by the cubic of its distance, widened where the image gets smaller. */
static double resized_at(const Image *p, int x, int y, int c)
{
    double across = p->width / 384.0, down = p->height / 384.0, sum = 0, all = 0;
    for (int i = 0; i < p->height; i++)
        for (int j = 0; j < p->width; j++) {
            double right = (j + 0.5 - (x + 0.5) * across) / fmax(across, 1);
            double below = (i + 0.5 - (y + 0.5) * down) / fmax(down, 1);
            double weight = cubic_at(right) * cubic_at(below);
            sum += weight * p->pixels[(i * p->width + j) * p->channels + c];
            all += weight;
        }
    return fmin(fmax(sum / all, 0), 255);
}

/* From 384 on the authors warp the whole image to the input's size. */
Test(preprocess, imagenet_at_384_sees_all_of_the_image)
{
    static const int sizes[][2] = { { 500, 211 }, { 60, 401 } };
    float *x = mem_alloc((size_t)384 * 384, 3 * sizeof *x);
    Preprocess preprocess = preprocess_imagenet(384, 384);
    for (int i = 0; i < 2; i++) {
        Image p = draw(sizes[i][0], sizes[i][1], 3);
        for (int at = 0; at < p.width * p.height * 3; at++) /* no overshoot is cut off between */
            p.pixels[at] = (uint8_t)(64 + p.pixels[at] / 2);
        preprocess_image(&preprocess, &p, x);
        for (int k = 0; k < 100; k++) {
            int row = k * k % 384, column = (383 - 37 * k % 384), c = k % 3;
            double value = resized_at(&p, column, row, c), std[3] = { .229, .224, .225 };
            double mean[3] = { .485, .456, .406 };
            double got = (double)x[(row * 384 + column) * 3 + c] * std[c] + mean[c];
            cr_expect_float_eq(255 * got, value, 1.01, "%d, %d: %g, not %g", column, row, 255 * got,
                               value);
        }
        image_free(&p);
    }
    preprocess_free(&preprocess);
    free(x);
}

/* --- a data set's ---------------------------------------------------------------------------- */

/* An image of the set's own size becomes, to the bit, what training and evaluation make of it. */
Test(preprocess, own_images_as_the_loader_has_them)
{
    Dataset data;
    Error error;
    cr_assert(dataset_open("shapes", &(DatasetWish){ 0 }, TEST_SET, 20, &data, &error), "%s",
              error.text);
    Preparer *preparer = preparer_new(&data, 1, 64, 64, &error);
    Preprocess preprocess;
    cr_assert(preparer && preprocess_dataset(&data, 1, 64, 64, &preprocess, &error));
    float *wanted = mem_alloc(64 * 64, sizeof *wanted), *x = mem_alloc(64 * 64, sizeof *x);
    for (size_t i = 0; i < 20; i++) {
        unsigned char *pixels = data.pixels + i * 784;
        Image p = { .width = 28, .height = 28, .channels = 1, .pixels = pixels };
        preparer_image(preparer, pixels, (View){ 0 }, wanted);
        preprocess_image(&preprocess, &p, x);
        cr_expect_arr_eq(x, wanted, 64 * 64 * sizeof *x);
    }
    preparer_free(preparer);
    preprocess_free(&preprocess);
    dataset_free(&data);
    free(wanted);
    free(x);
}

/* Channels in the right places: an image of one colour becomes that colour's three values. */
Test(preprocess, colours_of_a_set)
{
    Dataset data;
    Error error;
    Preprocess preprocess;
    cr_assert(dataset_describe("cifar10", &data, &error));
    for (int c = 0; c < 3; c++) {
        data.mean[c] = 0.1f * (float)(c + 1);
        data.std[c] = 0.5f;
    }
    cr_assert(preprocess_dataset(&data, 3, 64, 64, &preprocess, &error), "%s", error.text);
    Image p = draw(50, 40, 3);
    for (int i = 0; i < 50 * 40; i++)
        memcpy(p.pixels + (ptrdiff_t)3 * i, (uint8_t[]){ 255, 51, 0 }, 3);
    float *x = mem_alloc(64 * 64, 3 * sizeof *x);
    const double wanted[3] = { 1.8, 0, -0.6 };
    preprocess_image(&preprocess, &p, x);
    for (int i = 0; i < 64 * 64 * 3; i++)
        cr_assert_float_eq(x[i], wanted[i % 3], 1e-6);
    image_free(&p);
    preprocess_free(&preprocess);
    free(x);
}

Test(preprocess, inputs_that_do_not_suit_a_set)
{
    Dataset data;
    Error error;
    Preprocess p;
    cr_assert(dataset_describe("shapes", &data, &error));
    cr_expect_not(preprocess_dataset(&data, 3, 64, 64, &p, &error));
    cr_expect(strstr(error.text, "channel"), "%s", error.text);
    cr_expect_not(preprocess_dataset(&data, 1, 16, 64, &p, &error));
    cr_expect(strstr(error.text, "only 16x64"), "%s", error.text);
    cr_expect_not(dataset_describe("mnist", &data, &error));
    cr_expect(strstr(error.text, "mnist: no data set"), "%s", error.text);
}

/* --- reading --------------------------------------------------------------------------------- */

/* samples: as Pillow 9.4.0 reads the same files after convert("RGB"). */
static void expect_read(const char *bytes, size_t size, int channels, const char *samples)
{
    char *folder = folder_new(), *path = str_format("%s/x", folder);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    ImageFile read;
    Image p;
    Error error;
    cr_assert(image_open(path, &read, &error) && image_next(&read, &p, &error), "%s", error.text);
    cr_assert_eq(p.channels, channels);
    char text[256] = "";
    for (int i = 0; i < p.width * p.height * channels; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d ", p.pixels[i]);
    cr_expect_str_eq(text, samples);
    cr_expect_not(image_more(&read));
    image_close(&read);
    image_free(&p);
    free(path);
    folder_remove(folder);
}
#define EXPECT_READ(text, channels, samples) expect_read(text, sizeof text - 1, channels, samples)

Test(preprocess, samples_scaled_to_8_bits)
{
    EXPECT_READ("P3 3 1 6 0 1 2 3 4 5 6 6 6 ", 3, "0 42 85 128 170 212 255 255 255 ");
    EXPECT_READ("P3 2 1 1000 0 1 2 500 998 999 ", 3, "0 0 1 128 254 255 ");
    EXPECT_READ("P6 2 1 65535\n\0\0\0\x80\0\x81\0\xff\x7f\xff\xff\xff", 3, "0 0 1 1 127 255 ");
    EXPECT_READ("P6 1 1 255\n\1\2\3", 3, "1 2 3 ");
    EXPECT_READ("P4 3 1\n\xa0", 1, "0 255 0 ");
}

/* --- provenance ------------------------------------------------------------------------------ */

/* Calls `check` with what a file of these metadata tells. */
static void read_told(const Metadata *metadata, size_t count,
                      void (*check)(bool good, const Provenance *told, const char *error))
{
    char *folder = folder_new(), *path = str_format("%s/x", folder);
    Safetensors file;
    Error error = { "" };
    Provenance told;
    cr_assert(safetensors_write(path, NULL, 0, metadata, count, &error), "%s", error.text);
    cr_assert(safetensors_read(path, &file, &error), "%s", error.text);
    bool good = provenance_read(&file, &told, &error);
    check(good, &told, error.text);
    provenance_free(&told);
    safetensors_free(&file);
    free(path);
    folder_remove(folder);
}

/* A set that no program knows by name, with names that have to be quoted. */
static const char *const odd_names[] = { "a, b", "\"q\"\n", "\xC3\xA9" };
static const Dataset odd_set = { .name = "folder",
                                 .channels = 3,
                                 .height = 48,
                                 .width = 40,
                                 .side = 48,
                                 .classes = 3,
                                 .class_names = odd_names,
                                 .mean = { 1 / 3.0f, 1 / 7.0f, 0 },
                                 .std = { .1f, 1, 1e-6f } };

static void is_odd_set(bool good, const Provenance *told, const char *error)
{
    const Dataset *d = &told->data;
    cr_assert(good, "%s", error);
    cr_expect_str_eq(d->name, "folder");
    cr_assert(d->classes == 3 && d->channels == 3 && d->height == 48 && d->width == 40);
    cr_expect_eq(d->side, 48);
    for (int i = 0; i < 3; i++)
        cr_expect_str_eq(d->class_names[i], odd_names[i]);
    cr_expect_arr_eq(d->mean, odd_set.mean, sizeof d->mean);
    cr_expect_arr_eq(d->std, odd_set.std, sizeof d->std);
    cr_expect_str_eq(told->image, "shorter side to 48 (bicubic, antialiased), middle 48x40, "
                                  "enlarged 2 times (bilinear), black around it to 100x90");
}

Test(preprocess, sizes_come_back)
{
    const Dataset sets[] = { { .height = 384, .width = 320, .side = 0 },
                             { .height = 384, .width = 320, .side = 400 } };
    for (int i = 0; i < 2; i++) {
        Dataset read = { .side = 1 };
        char *text = preprocess_text(&sets[i], 384, 384);
        cr_expect(preprocess_text_read(text, &read), "%s", text);
        cr_expect(read.height == 384 && read.width == 320 && read.side == sets[i].side, "%s", text);
        free(text);
    }
    Dataset read;
    cr_expect_not(preprocess_text_read("shorter side to 30 (bicubic, antialiased), middle 28x31, "
                                       "enlarged 2 times",
                                       &read));
    cr_expect_not(preprocess_text_read("resized to 0x31 (bicubic, antialiased), ", &read));
}

Test(preprocess, provenance_comes_back)
{
    MetadataList list = { 0 };
    Error error;
    cr_assert(provenance_write(&odd_set, 100, 90, &list, &error), "%s", error.text);
    read_told(list.items, list.count, is_odd_set);
    metadata_free(&list);
}

static void is_cifar10(bool good, const Provenance *told, const char *error)
{
    cr_assert(good, "%s", error);
    cr_expect_str_eq(told->data.name, "cifar10");
    cr_expect(told->data.classes == 10 && told->data.height == 32 && !told->image);
    cr_expect_str_eq(told->data.class_names[9], "truck");
}

static void is_nothing(bool good, const Provenance *told, const char *error)
{
    cr_assert(good, "%s", error);
    cr_expect_null(told->data.name);
}

/* Files of the first edition tell the set's name, mean and std. */
Test(preprocess, provenance_of_old_files)
{
    Metadata old[] = { { "data", "cifar10" }, { "mean", ".5,.5,.5" }, { "std", "1,1,1" } };
    read_told(old, 3, is_cifar10);
    read_told(NULL, 0, is_nothing);
}

Test(preprocess, a_class_that_is_not_utf8)
{
    const char *const names[] = { "a", "\xff" };
    Dataset set = odd_set;
    Error error;
    MetadataList list = { 0 };
    set.class_names = names;
    set.classes = 2;
    cr_expect_not(provenance_write(&set, 100, 90, &list, &error));
    cr_expect(strstr(error.text, "folder: the class '\xff' has a name that is not UTF-8"), "%s",
              error.text);
    metadata_free(&list);
}

static const char *wanted;

static void is_refused(bool good, const Provenance *told, const char *error)
{
    (void)told;
    cr_expect_not(good, "%s", wanted);
    cr_expect(strstr(error, wanted), "%s: %s", wanted, error);
}

static void refused(const char *data, const char *mean, const char *std, const char *named)
{
    Metadata metadata[] = { { "data", (char *)data },
                            { "mean", (char *)mean },
                            { "std", (char *)std } };
    wanted = named;
    read_told(metadata, 3, is_refused);
}

/* The same of a set that tells all. */
static void refused_besides(const char *key, const char *value, const char *named)
{
    MetadataList list = { 0 };
    Error error;
    cr_assert(provenance_write(&odd_set, 100, 90, &list, &error));
    metadata_set(&list, key, value);
    wanted = named;
    read_told(list.items, list.count, is_refused);
    metadata_free(&list);
}

Test(preprocess, provenance_that_is_nonsense)
{
    refused("mnist", "1", "1", "'data': mnist");
    refused("shapes", "1,2", "1", "'mean' is not 1 number:");
    refused("shapes", "", "1", "'mean'");
    refused("shapes", "nan", "1", "'mean'");
    refused("shapes", ".5", "0", "'std'");
    refused("shapes", ".5", "inf", "'std'");
    refused("cifar10", ".5,.5,.5", "1,1", "'std' is not 3 numbers: '1,1'");
    refused("cifar10", ".5,.5,.5", "1,1,1x", "'std'");
    refused("cifar10", ".5;.5;.5", "1,1,1", "'mean'");
    refused_besides("classes", "[]", "'classes' are not names");
    refused_besides("classes", "[\"a\",1]", "'classes' are not names");
    refused_besides("classes", "[\"a\"] x", "'classes' are not names");
    refused_besides("classes", "a,b,c", "'classes' are not names");
    refused_besides("image", "middle 48x40", "'image' are not understood");
    refused_besides("image", "shorter side to 8 (bicubic, antialiased), middle 0x8",
                    "'image' are not understood");
    refused_besides("mean", ".5,.5,.5,.5", "4 numbers, more than 3");
    refused_besides("mean", ".5", "'std' is not 1 number");
}
