/* The vectors' exp and GELU against libm in double precision, over all exponents. */
#include "engine/fast/kernels/vecmath.h"

#include <criterion/criterion.h>

#include <math.h>

typedef Vec Function(Vec x);

static Vec the_exp(Vec x)
{
    return vec_exp(x);
}

static Vec the_gelu(Vec x)
{
    return vec_gelu(x);
}

static Vec the_gradient(Vec x)
{
    return vec_gelu_gradient(x);
}

/* The result of f at x, which must be the same in every lane. */
static float at(Function *f, float x)
{
    float lanes[VEC];
    vec_store(lanes, f(vec_set(x)));
    for (int i = 1; i < VEC; i++)
        cr_assert(memcmp(&lanes[i], &lanes[0], 4) == 0, "lane %d differs at %a", i, (double)x);
    return lanes[0];
}

static double normal(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double gelu(double x)
{
    return x * normal(x);
}

static double gelu_gradient(double x)
{
    return normal(x) + x * exp(-x * x / 2) / sqrt(2 * M_PI);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

/* The distance between two floats next to `want`, at least the smallest subnormal number. */
static double ulp(double want)
{
    int exponent;
    frexp(want, &exponent);
    return ldexp(1, exponent - 24 > -149 ? exponent - 24 : -149);
}

/* Every 1021st float of all finite ones, both signs. */
enum { STEP = 1021 };

Test(vecmath, exp_is_within_two_ulp)
{
    double worst = 0;
    for (uint32_t bits = 0; bits < 0x7f800000; bits += STEP)
        for (int sign = 0; sign < 2; sign++) {
            float x = float_of(bits | (uint32_t)sign << 31), got = at(the_exp, x);
            double want = exp((double)x);
            if (want > 0x1.ffffffp127) {
                cr_assert(isinf(got) && got > 0, "exp(%a) = %a", (double)x, (double)got);
                continue;
            }
            double error = fabs(got - want) / ulp(want);
            worst = error > worst ? error : worst;
            cr_assert(error < 2, "exp(%a) = %a, not %a", (double)x, (double)got, want);
        }
    cr_log_info("exp: %.3f ulp", worst);
}

Test(vecmath, exp_at_the_ends)
{
    cr_assert_eq(at(the_exp, 0), 1);
    cr_assert_eq(at(the_exp, -0.0f), 1);
    cr_assert_eq(at(the_exp, INFINITY), INFINITY);
    cr_assert_eq(at(the_exp, -INFINITY), 0);
    cr_assert_eq(at(the_exp, -103.0f), (float)exp(-103.0));
    cr_assert_eq(at(the_exp, -104.0f), 0);
    cr_assert(isnan(at(the_exp, NAN)) && isnan(at(the_exp, -NAN)));
}

/* Every finite x: absolutely everywhere (|x| <= 12), relatively where the value is not tiny. */
static void check_gelu(Function *f, double (*define)(double), const char *name, bool relative)
{
    double worst = 0, worst_relative = 0;
    for (uint32_t bits = 0; bits < 0x7f800000; bits += STEP)
        for (int sign = 0; sign < 2; sign++) {
            float x = float_of(bits | (uint32_t)sign << 31), got = at(f, x);
            double want = define(x), error = fabs(got - want);
            if (fabsf(x) <= 12) {
                cr_assert(error < 1e-6, "%s(%a) = %g, not %g", name, (double)x, got, want);
                worst = error > worst ? error : worst;
            }
            if (fabs(want) > 1e-3 && relative) {
                cr_assert(error < 1e-5 * fabs(want), "%s(%a) = %g, not %g", name, (double)x, got,
                          want);
                worst_relative =
                    error > worst_relative * fabs(want) ? error / fabs(want) : worst_relative;
            }
        }
    cr_log_info("%s: %.3g absolute, %.3g relative", name, worst, worst_relative);
}

Test(vecmath, gelu_is_erfc_s)
{
    check_gelu(the_gelu, gelu, "gelu", true);
}

/* The gradient crosses 0 near x = -0.75, where no relative error can hold. */
Test(vecmath, gelu_gradient_is_erfc_s)
{
    check_gelu(the_gradient, gelu_gradient, "gelu'", false);
}

Test(vecmath, gelu_at_the_ends)
{
    cr_assert_eq(at(the_gelu, 0), 0);
    cr_assert_eq(at(the_gelu, INFINITY), INFINITY);
    cr_assert(isnan(at(the_gelu, -INFINITY)) && isnan(at(the_gelu, NAN)));
    cr_assert_float_eq(at(the_gradient, 0), 0.5f, 2e-7);
    cr_assert(isnan(at(the_gradient, INFINITY)) && isnan(at(the_gradient, -INFINITY)));
    cr_assert(isnan(at(the_gradient, NAN)));
}

Test(simd, parts_touch_no_more_than_their_lanes)
{
    for (int count = 0; count < VEC; count++) {
        float from[VEC], to[VEC + 1];
        for (int i = 0; i < VEC; i++)
            from[i] = (float)i + 1;
        for (int i = 0; i <= VEC; i++)
            to[i] = -1;
        Vec v = vec_load_part(from, count);
        vec_store_part(to, v, count);
        for (int i = 0; i < VEC; i++)
            cr_assert_eq(v[i], i < count ? (float)i + 1 : 0);
        for (int i = 0; i <= VEC; i++)
            cr_assert_eq(to[i], i < count ? (float)i + 1 : -1);
    }
}

Test(simd, lanes)
{
    cr_assert(signbit(vec_set(-0.0f)[0]));
    cr_assert_eq(vec_relu(vec_set(-1))[0], 0);
    cr_assert_eq(vec_relu(vec_set(2))[VEC - 1], 2);
    cr_assert(isnan(vec_relu(vec_set(-NAN))[0]));
    cr_assert_eq(vec_sum(vec_set(0.5f)), 0.5f * VEC);
}
