/* RandAugment held to what timm and Pillow make of the same images (tests/data/randaugment.py wrote
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
    enum { SIGNED = 9, PLAIN = 3, IMAGES = 4, MAGNITUDES = 3 };
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
    cr_expect_eq(file.count, IMAGES * (PLAIN + MAGNITUDES * (RANDAUGMENT_KINDS - PLAIN + SIGNED)));
    safetensors_free(&file);
}
