#include "io/half.h"

#include <math.h>
#include <string.h>

/* The exponent bits of a float32's infinity and of 1; F16's exponent bias is 112 smaller. */
#define INFINITE 0x7f800000u
#define BIAS_DIFFERENCE 112u
#define FRACTION_DIFFERENCE 13

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
    if (rest < 0x0400) /* zero and subnormals, below 2^-14: multiples of 2^-24 */
        return from_bits(sign | bits_of((float)rest * 0x1p-24f));
    if (rest >= 0x7c00)
        return from_bits(sign | INFINITE | (rest & 0x3ff) << FRACTION_DIFFERENCE);
    return from_bits(sign | (rest + (BIAS_DIFFERENCE << 10)) << FRACTION_DIFFERENCE);
}

float bfloat_to_float(uint16_t bfloat)
{
    return from_bits((uint32_t)bfloat << 16);
}

uint16_t half_from_float(float x)
{
    uint32_t sign = bits_of(x) >> 16 & 0x8000, rest = bits_of(x) & 0x7fffffff;
    if (isnan(x)) /* with a fraction bit set, or it would be infinity */
        return (uint16_t)(sign | 0x7e00 | (rest >> FRACTION_DIFFERENCE & 0x3ff));
    if (fabsf(x) <
        0x1p-14f) /* a sum between 0.5 and 1 is a multiple of 2^-24, as F16's subnormals are */
        return (uint16_t)(sign | (bits_of(fabsf(x) + 0.5f) - bits_of(0.5f)));
    /* Adds half of the last place kept, less one if that place is even (round half to even); a
     * carry correctly increases the exponent. */
    rest += 0xfff + (rest >> FRACTION_DIFFERENCE & 1);
    rest = (rest >> FRACTION_DIFFERENCE) - (BIAS_DIFFERENCE << 10);
    return (uint16_t)(sign | (rest < 0x7c00 ? rest : 0x7c00));
}
