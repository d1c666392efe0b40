/* Numbers of 16 bits against their definition, sign·2^(e-bias)·(1 + m/2^bits), in float64; and
 * weights that are exported as F16. */
#include "base/memory.h"
#include "io/half.h"
#include "io/safetensors.h"
#include "run.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The number whose bits are these: 1 of sign, then exponent, then `fraction` bits. */
static double defined(uint32_t bits, int exponent, int fraction)
{
    int bias = (1 << (exponent - 1)) - 1, e = (int)(bits >> fraction) & ((1 << exponent) - 1);
    double m = (double)(bits & ((1u << fraction) - 1)) / (1u << fraction);
    double sign = bits >> (exponent + fraction) ? -1 : 1;
    if (e == (1 << exponent) - 1)
        return m != 0 ? NAN : sign * INFINITY;
    return sign * (e ? ldexp(1 + m, e - bias) : ldexp(m, 1 - bias));
}

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

Test(half, every_number_is_the_definitions)
{
    for (uint32_t i = 0; i < 1 << 16; i++) {
        cr_expect(same(half_to_float((uint16_t)i), defined(i, 5, 10)), "F16 %04x", i);
        cr_expect(same(bfloat_to_float((uint16_t)i), defined(i, 8, 7)), "BF16 %04x", i);
        cr_expect(isnan(defined(i, 5, 10)) || half_from_float(half_to_float((uint16_t)i)) == i);
    }
}

/* Between every two neighbours, and past the largest: the middle goes to the even one, what is a
 * float32 to either side of it to the nearer one; negative numbers as positive ones. */
Test(half, the_nearest_is_taken_and_of_two_the_even_one)
{
    for (uint32_t i = 0; i < 0x7c00; i++) {
        double low = defined(i, 5, 10), high = i < 0x7bff ? defined(i + 1, 5, 10) : 65536;
        float middle = (float)((low + high) / 2); /* exact: 12 bits of fraction are enough */
        uint32_t even = i % 2 ? i + 1 : i;
        cr_expect_eq(half_from_float(middle), even, "%g", (double)middle);
        cr_expect_eq(half_from_float(-middle), even | 0x8000, "%g", (double)-middle);
        cr_expect_eq(half_from_float(nextafterf(middle, 0)), i, "below %g", (double)middle);
        cr_expect_eq(half_from_float(nextafterf(middle, 1e9f)), i + 1, "above %g", (double)middle);
    }
    cr_expect_eq(half_from_float(1e30f), 0x7c00);
    cr_expect_eq(half_from_float(-INFINITY), 0xfc00);
    for (uint32_t bits = 0x7f800001; bits < 0x7fffffff - 4097; bits += 4097) {
        float nan;
        memcpy(&nan, &bits, sizeof nan);
        cr_expect(isnan(half_to_float(half_from_float(nan))), "%08x", bits);
    }
}

/* --- weights in a file ----------------------------------------------------------------------- */

#define STEP "05_large_kernel"
#define CASE "tests/data/steps/" STEP "/"

/* Half the size, the same keys and shapes, every number the nearest; what the file said of its
 * weights is still said; back as F32 they are the very same numbers. */
Test(half, export_rounds_weights_and_keeps_what_is_said_of_them)
{
    char *folder = folder_new(), *told = str_format("%s/told", folder);
    Safetensors from = tensors_in(CASE "weights.safetensors");
    Metadata data = { "data", "shapes" };
    Error error;
    cr_assert(safetensors_write(told, from.entries, from.count, &data, 1, &error), "%s",
              error.text);
    run_well("for to in F16 F32; do %s/" STEP " export $(cat " CASE "config.txt) --dtype $to "
             "--weights '%s' --output '%s'/$to && cp '%s'/$to '%s' || exit; done",
             build_folder(), told, folder, folder, told);
    Safetensors half = tensors_in("%s/F16", folder), whole = tensors_in("%s/F32", folder);
    cr_assert(half.count == from.count && whole.count == from.count);
    cr_expect_str_eq(safetensors_metadata(&half, "data"), "shapes");
    cr_expect_str_eq(safetensors_metadata(&whole, "data"), "shapes");
    for (size_t i = 0; i < from.count; i++) {
        const Entry *entry = safetensors_find(&half, from.entries[i].key);
        cr_assert(entry && strcmp(entry->dtype, "F16") == 0);
        cr_assert(entry->rank == from.entries[i].rank && 2 * entry->bytes == from.entries[i].bytes);
        size_t count;
        float *want = floats_in(&from, entry->key, &count);
        float *rounded = floats_in(&half, entry->key, NULL),
              *back = floats_in(&whole, entry->key, NULL);
        for (size_t k = 0; k < count; k++)
            cr_expect(fabs((double)rounded[k] - want[k]) <= fmax(fabs(want[k]) * 0x1p-11, 0x1p-25));
        cr_expect_eq(memcmp(rounded, back, count * sizeof *back), 0, "%s", entry->key);
        free(want);
        free(rounded);
        free(back);
    }
    safetensors_free(&from);
    safetensors_free(&half);
    safetensors_free(&whole);
    free(told);
    folder_remove(folder);
}

Test(half, a_weight_that_would_become_infinite_is_named)
{
    char *folder = folder_new(), *large = str_format("%s/large", folder);
    Safetensors file = tensors_in(CASE "weights.safetensors");
    float *values = floats_in(&file, file.entries[0].key, NULL);
    Error error;
    values[0] = -65520;
    file.entries[0].data = values;
    cr_assert(safetensors_write(large, file.entries, file.count, NULL, 0, &error), "%s",
              error.text);
    Result r = run("%s/" STEP " export $(cat " CASE "config.txt) --dtype F16 --weights '%s' "
                   "--output '%s/none'",
                   build_folder(), large, folder);
    cr_expect_eq(r.status, 1);
    cr_expect(strstr(r.err, "-65520 is too large for F16") && strstr(r.err, file.entries[0].key),
              "%s", r.err);
    run_well("test \"$(ls -A '%s')\" = large", folder);
    result_free(&r);
    free(values);
    safetensors_free(&file);
    free(large);
    folder_remove(folder);
}
