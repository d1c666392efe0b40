/* From images to batches: enlarging against its definition, crop, flip, RandAugment, erasing, mixup
 * and cutmix, and that a batch depends on nothing but what it should. */
#include "base/memory.h"
#include "base/random.h"
#include "data/loader.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- a small data set ------------------------------------------------------------------------ */

static Dataset random_set(int count, int channels, int height, int width)
{
    Dataset data = { .name = "test",
                     .count = count,
                     .channels = channels,
                     .height = height,
                     .width = width,
                     .classes = 10 };
    size_t size = (size_t)count * (size_t)(channels * height * width);
    data.pixels = mem_alloc(size, 1);
    data.labels = mem_alloc((size_t)count, 1);
    for (size_t i = 0; i < size; i++)
        data.pixels[i] = (unsigned char)random_below((Random){ 5, 6 }, i, 256);
    for (int i = 0; i < count; i++)
        data.labels[i] = (unsigned char)(i % 10);
    for (int c = 0; c < 3; c++) {
        data.mean[c] = 0.4f + 0.05f * (float)c;
        data.std[c] = 0.2f + 0.03f * (float)c;
    }
    return data;
}

static Preparer *preparer(const Dataset *data, int height, int width)
{
    Error error = { "" };
    Preparer *p = preparer_new(data, data->channels, height, width, &error);
    cr_assert_not_null(p, "%s", error.text);
    return p;
}

/* --- the definition, in double precision ----------------------------------------------------- */

/* A pixel seen through a view: black outside of the image. */
static double pixel(const Dataset *data, int c, int y, int x, View view)
{
    int from_x = (view.mirrored ? data->width - 1 - x : x) + view.right, from_y = y + view.down;
    if (from_x < 0 || from_x >= data->width || from_y < 0 || from_y >= data->height)
        return 0;
    return data->pixels[(c * data->height + from_y) * data->width + from_x];
}

/* torch.nn.functional.interpolate(mode="bilinear", align_corners=False) at one point. */
static double enlarged(const Dataset *data, int c, int y, int x, int factor, View view)
{
    double at_y = fmax((y + 0.5) / factor - 0.5, 0), at_x = fmax((x + 0.5) / factor - 0.5, 0);
    int y0 = (int)at_y, x0 = (int)at_x;
    int y1 = y0 < data->height - 1 ? y0 + 1 : y0, x1 = x0 < data->width - 1 ? x0 + 1 : x0;
    double v = at_y - y0, u = at_x - x0;
    return (1 - v) * ((1 - u) * pixel(data, c, y0, x0, view) + u * pixel(data, c, y0, x1, view)) +
           v * ((1 - u) * pixel(data, c, y1, x0, view) + u * pixel(data, c, y1, x1, view));
}

static void expect_prepared(const Dataset *data, int height, int width, int factor, View view)
{
    Preparer *p = preparer(data, height, width);
    int channels = data->channels, large_height = factor * data->height;
    int large_width = factor * data->width;
    int top = (height - large_height) / 2, left = (width - large_width) / 2, wrong = 0;
    float *x = mem_alloc((size_t)(height * width * channels), sizeof *x);
    preparer_image(p, data->pixels, view, x);
    for (int i = 0; i < height * width * channels; i++) {
        int c = i % channels, at_x = i / channels % width - left, at_y = i / channels / width - top;
        bool inside = at_x >= 0 && at_x < large_width && at_y >= 0 && at_y < large_height;
        double value = inside ? enlarged(data, c, at_y, at_x, factor, view) : 0;
        double expected = (value / 255 - (double)data->mean[c]) / (double)data->std[c];
        wrong += !(fabs((double)x[i] - expected) <= 2e-6);
    }
    cr_expect_eq(wrong, 0, "%d wrong: %dx%d to %dx%d", wrong, data->height, data->width, height,
                 width);
    free(x);
    preparer_free(p);
}

Test(prepare, is_as_defined)
{
    static const struct {
        int channels, image_height, image_width, height, width, factor;
    } cases[] = {
        { 1, 28, 28, 64, 64, 2 }, { 3, 32, 32, 64, 64, 2 },   { 3, 32, 32, 32, 32, 1 },
        { 1, 28, 28, 28, 28, 1 }, { 1, 28, 28, 91, 224, 3 },  { 1, 5, 9, 31, 36, 4 },
        { 3, 7, 3, 22, 10, 3 },   { 3, 28, 28, 224, 224, 8 }, { 1, 1, 1, 5, 4, 4 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int j = 0; j < 4; j++) {
            View view = { .down = j ? 3 * j - 7 : 0,
                          .right = j ? 4 - 2 * j : 0,
                          .mirrored = j % 2 };
            Dataset data =
                random_set(1, cases[i].channels, cases[i].image_height, cases[i].image_width);
            expect_prepared(&data, cases[i].height, cases[i].width, cases[i].factor, view);
            dataset_free(&data);
        }
}

/* What PyTorch printed for interpolate(torch.tensor([[[[0., 100.], [200., 40.]]]]), scale_factor=2,
 * mode="bilinear", align_corners=False). */
Test(prepare, enlarges_as_pytorch_does)
{
    static const float expected[16] = { 0,   25,      75,     100, 50,  58.75f, 76.25f, 85,
                                        150, 126.25f, 78.75f, 55,  200, 160,    80,     40 };
    Dataset data = random_set(1, 1, 2, 2);
    memcpy(data.pixels, (unsigned char[]){ 0, 100, 200, 40 }, 4);
    data.mean[0] = 0;
    data.std[0] = 1;
    float x[16];
    Preparer *p = preparer(&data, 4, 4);
    preparer_image(p, data.pixels, (View){ 0 }, x);
    for (int i = 0; i < 16; i++)
        cr_expect_float_eq(x[i] * 255, expected[i], 1e-4);
    preparer_free(p);
    dataset_free(&data);
}

Test(prepare, says_what_does_not_fit)
{
    Dataset data = random_set(1, 1, 28, 28);
    Error error;
    cr_expect_null(preparer_new(&data, 3, 64, 64, &error));
    cr_expect_not_null(strstr(error.text, "1 channel, the network's input 3"), "%s", error.text);
    cr_expect_null(preparer_new(&data, 1, 64, 27, &error));
    cr_expect_not_null(strstr(error.text, "64x27"), "%s", error.text);
    dataset_free(&data);
}

/* --- random changes -------------------------------------------------------------------------- */

/* All combinations equally often: neither shift, nor the side, says anything of the others. */
Test(augment, views_take_every_shift_and_both_sides)
{
    enum { SHIFTS = 2 * CROP_SHIFT + 1, EACH = 100 };
    int seen[SHIFTS][SHIFTS][2] = { 0 };
    for (int i = 0; i < SHIFTS * SHIFTS * 2 * EACH; i++) {
        Random r = augment_random(1, 2, (uint32_t)i);
        View view = augment_view(r, (Augment){ .crop = true, .flip = true });
        cr_assert(abs(view.down) <= CROP_SHIFT && abs(view.right) <= CROP_SHIFT);
        seen[view.down + CROP_SHIFT][view.right + CROP_SHIFT][view.mirrored]++;
        view = augment_view(r, (Augment){ 0 });
        cr_assert(view.down == 0 && view.right == 0 && !view.mirrored);
    }
    for (int i = 0; i < SHIFTS * SHIFTS * 2; i++)
        cr_expect(abs((&seen[0][0][0])[i] - EACH) < EACH / 2, "%d: %d times", i,
                  (&seen[0][0][0])[i]);
}

static double correlation(const double *a, const double *b, int n)
{
    double sum_a = 0, sum_b = 0, ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < n; i++)
        sum_a += a[i], sum_b += b[i];
    for (int i = 0; i < n; i++) {
        double x = a[i] - sum_a / n, y = b[i] - sum_b / n;
        ab += x * y, aa += x * x, bb += y * y;
    }
    return ab / sqrt(aa * bb);
}

/* None of what is drawn for an image tells another. The box's place is that of its middle. */
Test(augment, draws_are_independent)
{
    enum { DRAWS = 8, N = 10000 };
    static double drawn[DRAWS][N];
    for (uint32_t i = 0; i < N; i++) {
        Random r = augment_random(5, 6, i);
        View view = augment_view(r, (Augment){ .crop = true, .flip = true });
        Mix box = augment_mix(r, (Augment){ .cutmix = true }, 64, 64);
        Mix blend = augment_mix(r, (Augment){ .mixup = true }, 64, 64);
        Mix either = augment_mix(r, (Augment){ .mixup = true, .cutmix = true }, 64, 64);
        double all[DRAWS] = { view.down,
                              view.right,
                              view.mirrored,
                              either.kind == CUTMIX,
                              box.top + box.bottom,
                              box.left + box.right,
                              (box.bottom - box.top) * (box.right - box.left),
                              (double)blend.lambda };
        for (int k = 0; k < DRAWS; k++)
            drawn[k][i] = all[k];
    }
    for (int a = 0; a < DRAWS; a++)
        for (int b = 0; b < a && b < DRAWS - 2; b++) /* the last two are of the same numbers */
            cr_expect(fabs(correlation(drawn[a], drawn[b], N)) < 0.05, "%d and %d: %g", a, b,
                      correlation(drawn[a], drawn[b], N));
}

/* Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2a + 1)). */
Test(augment, beta_has_its_moments)
{
    static const double alphas[] = { 0.2, 0.8, 1, 3 };
    for (int k = 0; k < 4; k++) {
        double sum = 0, squares = 0;
        int n = 20000;
        for (int i = 0; i < n; i++) {
            double b = random_beta((Random){ 7, (uint64_t)i }, 6, alphas[k]);
            cr_assert(b >= 0 && b <= 1);
            sum += b;
            squares += (b - 0.5) * (b - 0.5);
        }
        cr_expect_float_eq(sum / n, 0.5, 0.01);
        cr_expect_float_eq(squares / n, 1 / (4 * (2 * alphas[k] + 1)), 0.003);
    }
}

/* White mixed with black: what is left of the white is the weight of its label. */
Test(augment, weights_are_shares_of_the_image)
{
    enum { HEIGHT = 24, WIDTH = 20, CHANNELS = 3, ALL = HEIGHT * WIDTH * CHANNELS };
    static float white[ALL], black[ALL];
    int kinds[3] = { 0 };
    for (uint32_t i = 0; i < 2000; i++) {
        Augment augment = { .mixup = i % 3 != 1, .cutmix = i % 3 != 0 };
        Mix mix = augment_mix(augment_random(3, 4, i), augment, HEIGHT, WIDTH);
        double sum = 0;
        for (int j = 0; j < ALL; j++)
            white[j] = 1;
        augment_mix_images(mix, white, black, HEIGHT, WIDTH, CHANNELS);
        for (int j = 0; j < ALL; j++)
            sum += (double)white[j];
        cr_expect_float_eq(sum / ALL, (double)mix.lambda, 1e-5);
        cr_expect(i % 3 == 2 || mix.kind == (i % 3 == 0 ? MIXUP : CUTMIX));
        kinds[mix.kind] += i % 3 == 2;
    }
    cr_expect_eq(kinds[NOT_MIXED], 0);
    cr_expect(abs(kinds[MIXUP] - kinds[CUTMIX]) < 120);
    cr_expect_eq(augment_mix(augment_random(3, 4, 5), (Augment){ 0 }, 8, 8).lambda, 1);
}

/* The mean height of a box of a side's share, over all pixels that it may be around. */
static double mean_cut(int size, int most)
{
    double sum = 0;
    for (int middle = 0; middle < most; middle++)
        for (int at = middle - size / 2; at < middle - size / 2 + size; at++)
            sum += at >= 0 && at < most;
    return sum / most;
}

/* The area that is cut out on average is that of timm's definition, with Beta(1, 1), which is
 * uniform, and a middle that is a pixel. */
Test(augment, cutmix_cuts_as_defined)
{
    enum { HEIGHT = 11, WIDTH = 7, N = 40000 };
    double sum = 0, sum_height = 0, wanted = 0, wanted_height = 0;
    int highest = 0;
    for (uint32_t i = 0; i < N; i++) {
        Mix mix = augment_mix(augment_random(8, 9, i), (Augment){ .cutmix = true }, HEIGHT, WIDTH);
        double side = sqrt((i + 0.5) / N);
        int height = (int)(side * HEIGHT), width = (int)(side * WIDTH);
        cr_assert(mix.top >= 0 && mix.bottom <= HEIGHT && mix.left >= 0 && mix.right <= WIDTH);
        sum += (mix.bottom - mix.top) * (mix.right - mix.left);
        sum_height += mix.bottom - mix.top;
        highest = mix.bottom - mix.top > highest ? mix.bottom - mix.top : highest;
        wanted += mean_cut(height, HEIGHT) * mean_cut(width, WIDTH);
        wanted_height += mean_cut(height, HEIGHT);
    }
    cr_expect_float_eq(sum / wanted, 1, 0.02);
    cr_expect_float_eq(sum_height / wanted_height, 1, 0.01);
    cr_expect_eq(highest, HEIGHT - 1); /* the whole only where lambda is 0 */
}

/* --- all of an image's changes --------------------------------------------------------------- */

/* View, RandAugment on 8 bits, preparing, erasing: one after the other, each held to its definition
 * elsewhere. */
Test(augment, an_image_is_changed_step_by_step)
{
    enum { HEIGHT = 9, WIDTH = 12, CHANNELS = 3, ALL = 4 * HEIGHT * WIDTH * CHANNELS };
    static float x[ALL], wanted[ALL], plain[ALL];
    Dataset data = random_set(1, CHANNELS, HEIGHT, WIDTH);
    Preparer *p = preparer(&data, 2 * HEIGHT, 2 * WIDTH);
    Augment augment = { .crop = true, .flip = true, .randaugment = { 2, 9 }, .erasing = 0.5 };
    uint8_t fill[3], pixels[HEIGHT * WIDTH * CHANNELS];
    int changed = 0, erased = 0;
    for (int c = 0; c < 3; c++)
        fill[c] = (uint8_t)floor(255 * (double)data.mean[c] + 0.5);
    for (uint32_t i = 0; i < 200; i++) {
        Random r = augment_random(1, 2, i);
        View view = augment_view(r, augment);
        for (int k = 0; k < HEIGHT * WIDTH * CHANNELS; k++) {
            int point = k / CHANNELS;
            pixels[k] = (uint8_t)pixel(&data, k % CHANNELS, point / WIDTH, point % WIDTH, view);
        }
        Image image = { WIDTH, HEIGHT, CHANNELS, mem_alloc(sizeof pixels, 1) };
        memcpy(image.pixels, pixels, sizeof pixels);
        randaugment_image(augment.randaugment, r, AUGMENT_RANDAUGMENT, fill, &image);
        changed += memcmp(image.pixels, pixels, sizeof pixels) != 0;
        preparer_interleaved(p, image.pixels, wanted);
        memcpy(plain, wanted, sizeof plain);
        erasing_image(r, AUGMENT_ERASING, 0.5, wanted, 2 * HEIGHT, 2 * WIDTH, CHANNELS);
        erased += memcmp(plain, wanted, sizeof plain) != 0;
        augment_image(r, augment, &data, data.pixels, p, 2 * HEIGHT, 2 * WIDTH, x);
        cr_expect_eq(memcmp(x, wanted, sizeof x), 0, "image %u", i);
        image_free(&image);
    }
    cr_expect(changed > 120 && changed < 180, "%d of 200", changed);
    cr_expect(erased > 75 && erased < 125, "%d of 200", erased);
    preparer_free(p);
    dataset_free(&data);
}

/* --- the loader ------------------------------------------------------------------------------ */

/* An epoch, or what is left of it, one image after the other. */
typedef struct {
    int count;
    float *x, *lambda;
    int *a, *b;
} Epoch;

static Loader *start(const LoaderOptions *options)
{
    Error error = { "" };
    Loader *loader = loader_start(options, &error);
    cr_assert_not_null(loader, "%s", error.text);
    return loader;
}

static Epoch collect(const LoaderOptions *o)
{
    size_t room = (size_t)o->count, size = (size_t)(o->channels * o->height * o->width);
    Epoch all = { 0, mem_alloc(room * size, sizeof(float)), mem_alloc(room, sizeof(float)),
                  mem_alloc(room, sizeof(int)), mem_alloc(room, sizeof(int)) };
    Loader *loader = start(o);
    const Batch *batch;
    while (loader_next(loader, &batch)) {
        size_t n = (size_t)batch->count, at = (size_t)all.count;
        cr_assert(n > 0 && at + n <= room);
        memcpy(all.x + at * size, batch->x, n * size * sizeof(float));
        memcpy(all.lambda + at, batch->lambda, n * sizeof(float));
        memcpy(all.a + at, batch->a, n * sizeof(int));
        memcpy(all.b + at, batch->b, n * sizeof(int));
        all.count += batch->count;
    }
    cr_expect_null(batch);
    cr_expect(!loader_next(loader, &batch));
    loader_stop(loader);
    return all;
}

static void epoch_free(Epoch *all)
{
    free(all->x);
    free(all->lambda);
    free(all->a);
    free(all->b);
}

/* `part` is what `whole` has from image `from` on. */
static void expect_same(const Epoch *part, const Epoch *whole, int from, size_t size)
{
    size_t n = (size_t)part->count, at = (size_t)from;
    cr_assert_eq(part->count + from, whole->count);
    cr_expect_eq(memcmp(part->x, whole->x + at * size, n * size * sizeof(float)), 0);
    cr_expect_eq(memcmp(part->lambda, whole->lambda + at, n * sizeof(float)), 0);
    cr_expect_eq(memcmp(part->a, whole->a + at, n * sizeof(int)), 0);
    cr_expect_eq(memcmp(part->b, whole->b + at, n * sizeof(int)), 0);
}

enum { IMAGES = 53, SIDE = 16, SIZE = SIDE * SIDE };

/* 53 images of 7x7, in a list that runs backwards, to be trained on. */
static LoaderOptions training_options(const Dataset *data, uint32_t *list)
{
    for (uint32_t i = 0; i < IMAGES; i++)
        list[i] = IMAGES - 1 - i;
    return (LoaderOptions){ .data = data,
                            .list = list,
                            .count = IMAGES,
                            .channels = 1,
                            .height = SIDE,
                            .width = SIDE,
                            .batch_size = 8,
                            .shuffle = true,
                            .augment = { true, true, true, true, { 2, 9 }, 0.5 },
                            .seed = 11,
                            .epoch = 3 };
}

Test(loader, an_image_does_not_depend_on_batch_size_or_resuming)
{
    uint32_t list[IMAGES];
    Dataset data = random_set(IMAGES, 1, 7, 7);
    LoaderOptions options = training_options(&data, list);
    Epoch whole = collect(&options);
    cr_expect_eq(whole.count, IMAGES);
    for (int size = 1; size <= 60; size += size < 10 ? 1 : 13) {
        options.batch_size = size;
        for (options.first_batch = 0; options.first_batch <= loader_batches(&options);
             options.first_batch += 1 + size % 3) {
            Epoch part = collect(&options);
            int from = options.first_batch * size;
            expect_same(&part, &whole, from < IMAGES ? from : IMAGES, SIZE);
            epoch_free(&part);
        }
    }
    epoch_free(&whole);
    dataset_free(&data);
}

Test(loader, seeds_and_epochs_differ)
{
    uint32_t list[IMAGES];
    Dataset data = random_set(IMAGES, 1, 7, 7);
    LoaderOptions options = training_options(&data, list);
    Epoch first = collect(&options);
    options.epoch++;
    Epoch second = collect(&options);
    options.epoch--;
    options.seed++;
    Epoch third = collect(&options);
    cr_expect_neq(memcmp(first.x, second.x, SIZE * sizeof(float)), 0);
    cr_expect_neq(memcmp(first.x, third.x, SIZE * sizeof(float)), 0);
    cr_expect_neq(memcmp(first.a, second.a, IMAGES * sizeof(int)), 0);
    cr_expect_neq(memcmp(first.a, third.a, IMAGES * sizeof(int)), 0);
    epoch_free(&first);
    epoch_free(&second);
    epoch_free(&third);
    dataset_free(&data);
}

/* Images of one grey each, so that they can be told. */
static Dataset grey_set(void)
{
    Dataset data = random_set(IMAGES, 1, 7, 7);
    for (int i = 0; i < IMAGES * 49; i++)
        data.pixels[i] = (unsigned char)(2 * (i / 49));
    data.mean[0] = 0;
    data.std[0] = 1;
    return data;
}

Test(loader, an_epoch_shows_every_image_once)
{
    uint32_t list[IMAGES];
    Dataset data = grey_set();
    LoaderOptions options = training_options(&data, list);
    options.augment = (Augment){ .flip = true };
    Epoch all = collect(&options);
    int seen[IMAGES] = { 0 };
    for (int i = 0; i < all.count; i++) {
        int image = (int)lrintf(all.x[i * SIZE + SIZE / 2 + SIDE / 2] * 255 / 2);
        cr_assert(image >= 0 && image < IMAGES);
        seen[image]++;
        cr_expect_eq(all.a[i], image % 10);
        cr_expect_eq(all.b[i], all.a[i]);
        cr_expect_eq(all.lambda[i], 1);
    }
    for (int i = 0; i < IMAGES; i++)
        cr_expect_eq(seen[i], 1);
    epoch_free(&all);
    dataset_free(&data);
}

/* Without a crop, what mixup makes of grey images follows from the labels' weights. */
Test(loader, mixes_with_the_next_one)
{
    uint32_t list[IMAGES];
    Dataset data = grey_set();
    LoaderOptions options = training_options(&data, list);
    options.augment = (Augment){ .mixup = true };
    options.shuffle = false;
    Epoch all = collect(&options);
    for (int i = 0; i < IMAGES; i++) {
        int own = (int)list[i], other = (int)list[(i + 1) % IMAGES];
        float lambda = all.lambda[i], grey = all.x[i * SIZE + SIZE / 2 + SIDE / 2] * 255 / 2;
        cr_expect_eq(all.a[i], own % 10);
        cr_expect_eq(all.b[i], other % 10);
        cr_expect_float_eq(grey, lambda * (float)own + (1 - lambda) * (float)other, 1e-3);
    }
    epoch_free(&all);
    dataset_free(&data);
}

Test(loader, evaluation_keeps_the_order_and_the_last_part)
{
    uint32_t list[IMAGES];
    Dataset data = random_set(IMAGES, 1, 7, 7);
    LoaderOptions options = training_options(&data, list);
    options.augment = (Augment){ 0 };
    options.shuffle = false;
    Preparer *p = preparer(&data, SIDE, SIDE);
    float x[SIZE];
    Epoch all = collect(&options);
    cr_assert_eq(all.count, IMAGES);
    for (int i = 0; i < IMAGES; i++) {
        preparer_image(p, data.pixels + list[i] * 49, (View){ 0 }, x);
        cr_expect_eq(memcmp(x, all.x + i * SIZE, sizeof x), 0);
        cr_expect_eq(all.a[i], data.labels[list[i]]);
    }
    epoch_free(&all);
    cr_expect_eq(loader_batches(&options), 7);
    options.drop_last = true;
    cr_expect_eq(loader_batches(&options), 6);
    all = collect(&options);
    cr_expect_eq(all.count, 48);
    epoch_free(&all);
    preparer_free(p);
    dataset_free(&data);
}

Test(loader, stops_at_any_time)
{
    uint32_t list[IMAGES];
    Dataset data = random_set(IMAGES, 1, 7, 7);
    LoaderOptions options = training_options(&data, list);
    const Batch *batch;
    for (int taken = 0; taken <= 7; taken++) {
        Loader *loader = start(&options);
        for (int i = 0; i < taken; i++)
            cr_expect(loader_next(loader, &batch));
        loader_stop(loader);
    }
    options.count = 0;
    Loader *loader = start(&options);
    cr_expect(!loader_next(loader, &batch));
    loader_stop(loader);
    loader_stop(NULL);
    dataset_free(&data);
}

Test(loader, wrong_options_are_told)
{
    uint32_t list[IMAGES];
    Dataset data = random_set(IMAGES, 1, 7, 7);
    LoaderOptions options = training_options(&data, list);
    Error error;
    options.first_batch = 8;
    cr_expect_null(loader_start(&options, &error));
    cr_expect_not_null(strstr(error.text, "batch 8 of 7"), "%s", error.text);
    options.first_batch = 0;
    list[5] = IMAGES;
    cr_expect_null(loader_start(&options, &error));
    cr_expect_not_null(strstr(error.text, "no image 53"), "%s", error.text);
    list[5] = 0;
    options.batch_size = 0;
    cr_expect_null(loader_start(&options, &error));
    options.batch_size = 4;
    options.height = 6;
    cr_expect_null(loader_start(&options, &error));
    dataset_free(&data);
}
