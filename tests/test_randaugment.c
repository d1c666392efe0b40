/* RandAugment held to what timm and Pillow make of the same images (tests/data/make.py writes
 * tests/data/randaugment.safetensors), and random erasing to its definition. */
#include "base/memory.h"
#include "data/erasing.h"
#include "data/randaugment.h"
#include "io/safetensors.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- one operation --------------------------------------------------------------------------- */

static uint8_t formula(int x, int y, int c, int levels)
{
    int waves = (3 * x * x + 5 * y * y + 7 * x * y * (c + 1)) / 11 + 40 * c;
    int value = ((x / 5 + y / 4) % 3 == 0 ? 50 + 60 * c : waves) % 256;
    return (uint8_t)(levels < 256 ? 100 - levels / 2 + value * levels / 256 : value);
}

static Image draw(int width, int height, int channels, int levels)
{
    Image p = { .width = width, .height = height, .channels = channels };
    p.pixels = mem_alloc((size_t)(width * height * channels), 1);
    for (int i = 0; i < width * height * channels; i++) {
        int point = i / channels;
        p.pixels[i] = formula(point % width, point / width, i % channels, levels);
    }
    return p;
}

static const uint8_t fill[3] = { 31, 107, 190 };

Test(randaugment, operations_are_those_of_timm_on_pillow)
{
    enum { SIGNED = 9, PLAIN = 3, IMAGES = 4, MORE = 2, MAGNITUDES = 3 };
    Safetensors file;
    Error error;
    cr_assert(safetensors_read("tests/data/randaugment.safetensors", &file, &error), "%s",
              error.text);
    for (size_t i = 0; i < file.count; i++) {
        const Entry *e = &file.entries[i];
        int kind, negative, width, height, channels, levels;
        double magnitude;
        cr_assert_eq(sscanf(e->key, "%d %lf %d %dx%dx%d/%d", &kind, &magnitude, &negative, &width,
                            &height, &channels, &levels),
                     7);
        Image p = draw(width, height, channels, levels);
        double strength = randaugment_strength((RandAugmentKind)kind, magnitude, negative);
        randaugment_apply((RandAugmentKind)kind, strength, fill, &p);
        const uint8_t *wanted = e->data;
        int wrong = 0;
        for (int k = 0; k < width * height * channels; k++)
            wrong += p.pixels[k] != wanted[k];
        cr_expect_eq(wrong, 0, "%s: %d of %zu values differ", e->key, wrong, e->bytes);
        image_free(&p);
    }
    cr_expect_eq(file.count, (IMAGES + MORE) * PLAIN +
                                 IMAGES * MAGNITUDES * (RANDAUGMENT_KINDS - PLAIN + SIGNED));
    safetensors_free(&file);
}

/* --- drawing --------------------------------------------------------------------------------- */

static const double N = 20000;

/* Every operation as often, half of them done, half of the signs minus, and magnitudes of mean 9
 * and deviation 0.5, cut off at two deviations: 8.9958 ± 0.4899. */
Test(randaugment, draws_are_as_defined)
{
    int kinds[RANDAUGMENT_KINDS] = { 0 };
    double sum = 0, squares = 0, done = 0, negative = 0, together = 0, same = 0;
    RandAugment augment = { .count = 2, .magnitude = 9 };
    for (uint64_t i = 0; i < (uint64_t)N; i++) {
        Random r = { 3, i };
        RandAugmentDraw first = randaugment_draw(augment, r, 7, 0);
        RandAugmentDraw second = randaugment_draw(augment, r, 7, 1);
        cr_assert(first.magnitude >= 0 && first.magnitude <= 10);
        kinds[first.kind]++;
        sum += first.magnitude;
        squares += pow(first.magnitude - 8.9958, 2);
        done += first.done;
        negative += first.negative;
        together += first.done == second.done && first.negative == second.negative;
        same += first.kind == second.kind;
    }
    for (int k = 0; k < RANDAUGMENT_KINDS; k++)
        cr_expect(fabs(kinds[k] / N - 1.0 / RANDAUGMENT_KINDS) < 0.01, "%d: %d", k, kinds[k]);
    cr_expect_float_eq(sum / N, 8.9958, 0.012);
    cr_expect_float_eq(sqrt(squares / N), 0.49, 0.01);
    cr_expect_float_eq(done / N, 0.5, 0.015);
    cr_expect_float_eq(negative / N, 0.5, 0.015);
    cr_expect_float_eq(together / N, 0.25, 0.015);
    cr_expect_float_eq(same / N, 1.0 / RANDAUGMENT_KINDS, 0.01);
}

/* All that is drawn and to be done, in that order; none where none is asked for. */
Test(randaugment, does_what_it_draws)
{
    RandAugment augment = { .count = 3, .magnitude = 5 };
    Image original = draw(17, 12, 3, 256);
    size_t size = 17 * 12 * 3;
    for (uint64_t i = 0; i < 100; i++) {
        Random r = { 4, i };
        Image one = draw(17, 12, 3, 256), other = draw(17, 12, 3, 256);
        randaugment_image((RandAugment){ 0, 9 }, r, 0, fill, &one);
        cr_expect_eq(memcmp(one.pixels, original.pixels, size), 0);
        randaugment_image(augment, r, 0, fill, &one);
        for (int k = 0; k < augment.count; k++) {
            RandAugmentDraw d = randaugment_draw(augment, r, 0, k);
            if (d.done)
                randaugment_apply(d.kind, randaugment_strength(d.kind, d.magnitude, d.negative),
                                  fill, &other);
        }
        cr_expect_eq(memcmp(one.pixels, other.pixels, size), 0);
        image_free(&one);
        image_free(&other);
    }
    image_free(&original);
}

/* --- random erasing -------------------------------------------------------------------------- */

/* Shares from 0.02 to 1/3 and, where such a box fits, their mean; sides' ratios from 0.3 to 1/0.3;
 * each place. */
Test(erasing, boxes_are_as_defined)
{
    enum { SIDE = 200 };
    double erased = 0, share = 0, ratio = 0, top = 0, left = 0, both = 0;
    for (uint64_t i = 0; i < (uint64_t)N; i++) {
        ErasingBox box = erasing_box((Random){ 5, i }, 9, 0.25, SIDE, SIDE);
        if (!box.height)
            continue;
        double area = box.height * box.width / (double)(SIDE * SIDE);
        double aspect = box.height / (double)box.width;
        cr_assert(area > 0.019 && area < 0.336, "%g", area);
        cr_assert(aspect > 0.29 && aspect < 3.45, "%g", aspect);
        cr_assert(box.top >= 0 && box.top + box.height <= SIDE);
        cr_assert(box.left >= 0 && box.left + box.width <= SIDE);
        erased++;
        share += area;
        ratio += log(aspect);
        double down = box.top / (double)(SIDE - box.height);
        double right = box.left / (double)(SIDE - box.width);
        top += down;
        left += right;
        both += (down - 0.5) * (right - 0.5);
    }
    cr_expect_float_eq(erased / N, 0.25, 0.012);
    cr_expect_float_eq(share / erased, (0.02 + 1.0 / 3) / 2,
                       0.006); /* narrow ones fit less often */
    cr_expect_float_eq(ratio / erased, 0, 0.03);
    cr_expect_float_eq(top / erased, 0.5, 0.02);
    cr_expect_float_eq(left / erased, 0.5, 0.02);
    cr_expect_float_eq(both / erased, 0, 0.006);
    cr_expect_eq(erasing_box((Random){ 5, 6 }, 9, 1, 1, 1).height, 0); /* none fits */
}

/* In the box each value is a normal number of its own, around it nothing changes. */
Test(erasing, noise_is_normal_and_in_the_box)
{
    enum { HEIGHT = 40, WIDTH = 30, CHANNELS = 3, ALL = HEIGHT * WIDTH * CHANNELS };
    static float x[ALL];
    double sum = 0, squares = 0, fours = 0, neighbours = 0, count = 0;
    for (uint64_t i = 0; i < 100; i++) {
        Random r = { 6, i };
        ErasingBox box = erasing_box(r, 9, 0.5, HEIGHT, WIDTH);
        for (int k = 0; k < ALL; k++)
            x[k] = 99;
        erasing_image(r, 9, 0.5, x, HEIGHT, WIDTH, CHANNELS);
        for (int k = 0; k < ALL; k++) {
            int row = k / (WIDTH * CHANNELS) - box.top, column = k / CHANNELS % WIDTH - box.left;
            bool inside = row >= 0 && row < box.height && column >= 0 && column < box.width;
            cr_assert_eq(x[k] == 99, !inside, "image %d, value %d", (int)i, k);
            if (!inside)
                continue;
            double v = (double)x[k];
            sum += v;
            squares += v * v;
            fours += v * v * v * v;
            neighbours += k + 1 < ALL && x[k + 1] != 99 ? v * (double)x[k + 1] : 0;
            count++;
        }
    }
    cr_assert(count > 10000);
    cr_expect_float_eq(sum / count, 0, 0.03);
    cr_expect_float_eq(squares / count, 1, 0.03);
    cr_expect_float_eq(fours / count, 3, 0.25);
    cr_expect_float_eq(neighbours / count, 0, 0.03);
}
