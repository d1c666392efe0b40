/* exp and GELU for whole vectors. The library's only exp in float32: whatever a kernel's tail or
 * the thread count is, a value always meets the same arithmetic. */
#ifndef ENGINE_FAST_KERNELS_VECMATH_H
#define ENGINE_FAST_KERNELS_VECMATH_H

#include "engine/fast/kernels/simd.h"

/* --- exp ------------------------------------------------------------------------------------- */

/* 2^n for -126 <= n <= 127, by the exponent's bits. */
ALWAYS_INLINE Vec vec_power_of_two(VecInt n)
{
    return (Vec)((VecBits)(n + 127) << 23);
}

/* exp(x), within 2 ulp and subnormal results too; NaN gives NaN.
 * x = n·ln 2 + r with |r| <= ln(2)/2, exp(x) = 2^n·exp(r). ln 2 is split in two so that n·high is
 * exact. The polynomial is exp's on that range with the least greatest relative error (Remez,
 * 1 and r fixed). 2^n in two factors, because n reaches from -150 to 128: only the last
 * multiplication rounds. */
ALWAYS_INLINE Vec vec_exp(Vec x)
{
    const float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
    const Vec round =
        vec_set(0x1.8p23f); /* adding it leaves the nearest integer in the last bits */
    x = vec_select(x > 89, vec_set(89), x);
    x = vec_select(x < -104, vec_set(-104), x);
    Vec shifted = x * 0x1.715476p+0f + round;
    Vec n = shifted - round;
    Vec r = x - n * ln2_high - n * ln2_low;
    Vec q = 0.00138146046f * r + 0.00836871716f;
    q = q * r + 0.0416683880f;
    q = q * r + 0.166665206f;
    q = q * r + 0.499999934f;
    Vec p = 1 + (r + r * r * q);
    VecInt whole = (VecInt)((VecBits)shifted - (VecBits)round), half = whole >> 1;
    return p * vec_power_of_two(half) * vec_power_of_two(whole - half);
}

/* --- GELU ------------------------------------------------------------------------------------ */

/* exp(y) for y <= 0 or NaN, 0 below -87, within 1e-6 relatively above -20: vec_exp with everything
 * left out that GELU does not need. The rounding constant brings the exponent's bias along. */
ALWAYS_INLINE Vec vec_exp_falling(Vec y)
{
    const Vec round = vec_set(0x1.8p23f + 127);
    Vec shifted = y * 0x1.715476p+0f + round;
    Vec r = y - (shifted - round) * 0x1.62e430p-1f;
    Vec q = 0.00831252125f * r + 0.0418901567f;
    q = q * r + 0.166671146f;
    q = q * r + 0.499992315f;
    Vec p = 1 + (r + r * r * q);
    p *= (Vec)((VecBits)shifted << 23);
    return (Vec)((VecInt)p & ~(y < -87));
}

/* density = φ(x) = exp(-x²/2)/√(2π), the result is Φ(x) = ½·erfc(-x/√2), both of the standard
 * normal distribution.
 *
 * Below 0, Φ(-a) = exp(-a²/2)·P(t)·t with t = 1/(1 + 0.28·a): the form is that of Hastings
 * (Approximations for Digital Computers, 1955), the coefficients are our own: P of degree 8 has the
 * least greatest relative error on 0 <= t <= 1 (Remez in 30 digits on 601 points: 1.7e-7), so that
 * the tail keeps its digits. Above 0, 1 minus that. */
ALWAYS_INLINE Vec vec_normal(Vec x, Vec *density)
{
    Vec e = vec_exp_falling(x * x * -0.5f);
    Vec t = 1 / (1 + 0.28f * vec_abs(x));
    Vec p = 0.0247198313f * t - 0.0935925848f;
    p = p * t + 0.0924272980f;
    p = p * t - 0.00644854428f;
    p = p * t + 0.0727747468f;
    p = p * t + 0.0836308482f;
    p = p * t + 0.103084659f;
    p = p * t + 0.111699803f;
    p = p * t + 0.111703858f;
    Vec tail = e * (p * t);
    VecInt negative = (VecInt)x >> 31;
    *density = e * 0.398942280f;
    return vec_select(negative, tail, 1 - tail);
}

/* GELU(x) = x·Φ(x) (Hendrycks and Gimpel, 2016), the exact one, not the tanh approximation.
 * As in PyTorch: NaN at NaN and at -inf (-inf·0), inf at inf.
 *
 * = max(x, 0) - a·Φ(-a) with a = |x|, whose second part keeps its digits where x < 0. It has no exp
 * and no division: Φ(-a) is the eighth power of a function that falls so slowly that a polynomial
 * of degree 10 in a - 2 is enough (our own coefficients: least greatest relative error on 0 <= a
 * <= 5.5, 1e-7 in the power). From there on a·Φ(-a) is less than 1.1e-7 and taken for 0. */
ALWAYS_INLINE Vec vec_gelu(Vec x)
{
    Vec a = vec_abs(x), u = a - 2;
    Vec q = 2.07749995e-9f * u - 9.62934976e-9f;
    q = q * u - 3.25114229e-7f;
    q = q * u + 2.82305064e-6f;
    q = q * u + 1.14640334e-5f;
    q = q * u - 1.93241489e-4f;
    q = q * u - 5.51610492e-6f;
    q = q * u + 6.7519648e-3f;
    q = q * u - 7.07718078e-3f;
    q = q * u - 0.184871629f;
    q = q * u + 0.623193622f;
    q *= q;
    q *= q;
    q *= q;
    Vec tail = (Vec)((VecInt)(a * q) & ~(a >= 5.5f));
    return 0.5f * x + 0.5f * a - tail; /* halves: x + a may be infinite */
}

/* GELU'(x) = Φ(x) + x·φ(x). As in PyTorch: NaN at NaN, inf and -inf (inf·0). */
ALWAYS_INLINE Vec vec_gelu_gradient(Vec x)
{
    Vec density;
    Vec below = vec_normal(x, &density);
    return below + x * density;
}

#endif
