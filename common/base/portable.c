/* Everything is a power series by Horner's rule, its outermost terms in pairs of doubles: 106 bits,
 * of which the last addition keeps 53. Nothing is used but +, -, *, / and sqrt, which IEEE 754
 * rounds in one way, so this must be compiled without fused multiply-adds (see the Makefile).
 *
 * Pairs: Dekker, "A floating-point technique for extending the available precision", 1971. */
#include "base/portable.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* --- pairs ----------------------------------------------------------------------------------- */

/* high + low, where high is that rounded to a double. */
typedef struct {
    double high, low;
} DoublePair;

/* a + b where |a| >= |b| or a is 0. */
static DoublePair ordered_sum(double a, double b)
{
    double high = a + b;
    return (DoublePair){ high, b - (high - a) };
}

/* a + b, exactly (Knuth). */
static DoublePair sum(double a, double b)
{
    double high = a + b, part = high - a;
    return (DoublePair){ high, (a - (high - part)) + (b - part) };
}

/* a·b, exactly: by halves of 26 bits, whose products are exact. |a|, |b| < 2^996. */
static DoublePair product(double a, double b)
{
    double spread_a = a * 0x8000001p0, spread_b = b * 0x8000001p0, high = a * b;
    double a1 = spread_a - (spread_a - a), b1 = spread_b - (spread_b - b), a2 = a - a1, b2 = b - b1;
    return (DoublePair){ high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2 };
}

static DoublePair add(DoublePair a, DoublePair b)
{
    DoublePair s = sum(a.high, b.high);
    return ordered_sum(s.high, s.low + (a.low + b.low));
}

static DoublePair multiply(DoublePair a, DoublePair b)
{
    DoublePair p = product(a.high, b.high);
    return ordered_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

static DoublePair divide(DoublePair a, DoublePair b)
{
    double q = a.high / b.high;
    DoublePair p = product(q, b.high);
    return ordered_sum(q, ((a.high - p.high) - p.low + (a.low - q * b.low)) / b.high);
}

static DoublePair root(DoublePair a)
{
    double s = sqrt(a.high);
    DoublePair p = product(s, s);
    return s == 0 ? a : ordered_sum(s, ((a.high - p.high) - p.low + a.low) / (2 * s));
}

static DoublePair negative(DoublePair a)
{
    return (DoublePair){ -a.high, -a.low };
}

static const DoublePair one = { 1, 0 }, half_pi = { 0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54 },
                        pi = { 0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53 },
                        two_by_root_pi = { 0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56 };

/* ln 2 = LN2_HIGH + LN2_LOW, the first of so few bits that its products with exponents are exact.
 */
#define LN2_HIGH 0x1.62e42fefa2p-1
#define LN2_LOW 0x1.9ef35793c7673p-41

/* --- series ---------------------------------------------------------------------------------- */

/* What a term is of the one before: x times this quotient. */
typedef struct {
    double over, under;
} Ratio;
typedef Ratio RatioOf(int n);

static Ratio of_exp(int n) /* x^n / n! */
{
    return (Ratio){ 1, n };
}

static Ratio of_sin(int n) /* x^n / (2n+1)! */
{
    return (Ratio){ 1, 2 * n * (2 * n + 1) };
}

static Ratio of_cos(int n) /* x^n / (2n)! */
{
    return (Ratio){ 1, (2 * n - 1) * 2 * n };
}

static Ratio of_atan(int n) /* x^n / (2n+1) */
{
    return (Ratio){ 2 * n - 1, 2 * n + 1 };
}

static Ratio of_erf(int n) /* x^n / (2n+1)!! */
{
    return (Ratio){ 1, 2 * n + 1 };
}

/* 1 + x·r(1)·(1 + x·r(2)·(1 + …)), the first `pairs` of these in pairs: each makes what was rounded
 * further inside smaller. */
static inline DoublePair series(RatioOf *ratio, DoublePair x, int pairs, int terms)
{
    double inner = 1;
    for (int n = terms; n > pairs; n--)
        inner = 1 + x.high * (ratio(n).over / ratio(n).under) * inner;
    DoublePair s = { inner, 0 };
    for (int n = pairs; n > 0; n--) {
        DoublePair r = divide((DoublePair){ ratio(n).over, 0 }, (DoublePair){ ratio(n).under, 0 });
        s = add(one, multiply(multiply(x, r), s));
    }
    return s;
}

/* --- exponents ------------------------------------------------------------------------------- */

/* 2^n for -1022 <= n <= 1023. */
static double power_of_two(int n)
{
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* x·2^n for |n| <= 2000, rounded once: only the last product can be inexact. */
static double scale(double x, int n)
{
    return x * power_of_two(n / 2) * power_of_two(n - n / 2);
}

/* x = the result · 2^*n, and 1 <= |result| < 2; x finite and not 0. */
static double mantissa(double x, int *n)
{
    uint64_t bits;
    bool subnormal = fabs(x) < 0x1p-1022;
    x = subnormal ? x * 0x1p54 : x;
    memcpy(&bits, &x, sizeof bits);
    *n = (int)(bits >> 52 & 0x7ff) - 1023 - (subnormal ? 54 : 0);
    bits = (bits & ~((uint64_t)0x7ff << 52)) | (uint64_t)1023 << 52;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* --- exp, log, pow --------------------------------------------------------------------------- */

/* exp(x) = the result · 2^*n for |x| < 1000: x = n·ln 2 + r with |r| <= ln(2)/2. */
static DoublePair exp_of(DoublePair x, int *n)
{
    double k = floor(x.high * 0x1.71547652b82fep+0 + 0.5);
    DoublePair r =
        add(sum(x.high, -k * LN2_HIGH), add(product(-k, LN2_LOW), (DoublePair){ x.low, 0 }));
    *n = (int)k;
    return series(of_exp, r, 5, 16);
}

/* exp(x), infinite and 0 where it leaves the range. */
static double exp_scaled(DoublePair x)
{
    if (x.high > 710)
        return INFINITY;
    if (x.high < -746)
        return 0;
    int n;
    DoublePair p = exp_of(x, &n);
    return scale(p.high, n);
}

double portable_exp(double x)
{
    return isnan(x) ? x : exp_scaled((DoublePair){ x, 0 });
}

/* log(x) for 0 < x < inf: x = m·2^n with √½ < m <= √2, log m = 2·atanh((m-1)/(m+1)). */
static DoublePair log_of(double x)
{
    int n;
    double m = mantissa(x, &n);
    if (m > 0x1.6a09e667f3bcdp+0)
        m /= 2, n++;
    DoublePair s = divide((DoublePair){ m - 1, 0 }, sum(m, 1));
    DoublePair log_m = multiply(s, series(of_atan, multiply(s, s), 4, 14));
    DoublePair log_n = add((DoublePair){ n * LN2_HIGH, 0 }, product(n, LN2_LOW));
    return add(log_n, add(log_m, log_m));
}

double portable_log(double x)
{
    if (x == 0)
        return -INFINITY;
    if (x < 0)
        return NAN;
    return x < INFINITY ? log_of(x).high : x;
}

/* |x|^y; x >= 0, neither is NaN. */
static double power(double x, double y)
{
    if (x == 1)
        return 1;
    if (x == 0 || x == INFINITY)
        return (x == 0) == (y > 0) ? 0 : INFINITY;
    DoublePair l = log_of(x);
    double rough = y * l.high;
    if (fabs(rough) > 800)
        return rough > 0 ? INFINITY : 0;
    return exp_scaled(add(product(y, l.high), (DoublePair){ y * l.low, 0 }));
}

double portable_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (isnan(x) || isnan(y))
        return x + y;
    if (x < 0 && x > -INFINITY && floor(y) != y)
        return NAN;
    double p = power(fabs(x), y);
    return signbit(x) && fabs(fmod(y, 2)) == 1 ? -p : p;
}

/* --- sin, cos -------------------------------------------------------------------------------- */

/* The bits of 2/π, 32 a word, behind 64 zeros before the point. */
static const uint32_t two_by_pi[] = {
    0x00000000, 0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
    0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
    0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b,
    0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
    0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08, 0x56033046, 0xfc7b6bab
};

/* x = *quadrant·π/2 + the result, which is π/4 at most; x finite. Of x·2/π, with x = m·2^e, only
 * what is below 4 matters, so that m meets the bits of 2/π from the (e-2)-th on (Payne and Hanek,
 * 1983); 192 of them, as no double is nearer to a multiple of π/2 than some 2^-62. */
static DoublePair reduce(double x, int *quadrant)
{
    enum { WORDS = 6 };
    *quadrant = 0;
    if (fabs(x) <= 0.785)
        return (DoublePair){ x, 0 };
    int e;
    uint64_t m = (uint64_t)(mantissa(fabs(x), &e) * 0x1p52), carry = 0;
    int from = e - 52 - 2 + 64, at = from / 32, shift = from % 32;
    uint32_t turn[WORDS + 1] = { 0 }; /* x/2π, a fraction; its last word is cut off */
    for (int half = 0; half < 2; half++) {
        uint64_t factor = half ? m >> 32 : m & 0xffffffff;
        carry = 0;
        for (int i = WORDS; i >= half; i--) {
            uint32_t word =
                (uint32_t)(((uint64_t)two_by_pi[at + i] << 32 | two_by_pi[at + i + 1]) << shift >>
                           32);
            carry += turn[i - half] + factor * word;
            turn[i - half] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    *quadrant = (int)(turn[0] >> 30);
    bool down = turn[0] >> 29 & 1; /* nearer to the next quadrant's beginning: down from there */
    *quadrant += down;
    DoublePair f = { 0, 0 };
    for (int i = WORDS; i >= 0; i--) {
        uint32_t word = (down ? ~turn[i] : turn[i]) & (i ? 0xffffffff : 0x3fffffff);
        f = add((DoublePair){ word * power_of_two(-30 - 32 * i), 0 }, f);
    }
    f = down ? negative(f) : f;
    DoublePair r = multiply(f, half_pi);
    if (x < 0) {
        *quadrant = -*quadrant;
        r = negative(r);
    }
    return r;
}

/* sin(x + quarter·π/2). */
static double sine(double x, int quarter)
{
    if (isnan(x) || isinf(x))
        return NAN;
    if (x == 0 && !quarter)
        return x;
    int quadrant;
    DoublePair r = reduce(x, &quadrant), square = negative(multiply(r, r));
    quadrant += quarter;
    DoublePair s =
        quadrant % 2 ? series(of_cos, square, 3, 10) : multiply(r, series(of_sin, square, 3, 9));
    return quadrant & 2 ? -s.high : s.high;
}

double portable_sin(double x)
{
    return sine(x, 0);
}

double portable_cos(double x)
{
    return sine(x, 1);
}

/* --- atan2, hypot ---------------------------------------------------------------------------- */

/* √(x² + y²). */
static DoublePair length(DoublePair x, DoublePair y)
{
    return root(add(multiply(x, x), multiply(y, y)));
}

/* The angle of 0 <= y <= x, x not 0: halved twice, atan(t) = 2·atan(t / (1 + √(1 + t²))). */
static DoublePair angle_of(double y, double x)
{
    if (y / x < 0x1p-60)
        return (DoublePair){ y / x, 0 };
    int n;
    mantissa(x, &n);
    y = scale(y, -n), x = scale(x, -n);
    DoublePair t = divide((DoublePair){ y, 0 }, (DoublePair){ x, 0 });
    for (int halved = 0; halved < 2; halved++)
        t = divide(t, add(one, length(one, t)));
    t = multiply(t, series(of_atan, negative(multiply(t, t)), 2, 12));
    return (DoublePair){ 4 * t.high, 4 * t.low };
}

double portable_atan2(double y, double x)
{
    if (isnan(x) || isnan(y))
        return x + y;
    double height = fabs(y), width = fabs(x);
    DoublePair angle = { 0, 0 };
    if (isinf(height) && isinf(width))
        height = width = 1;
    if (height > width)
        angle = isinf(height) ? half_pi : add(half_pi, negative(angle_of(width, height)));
    else if (height > 0 && !isinf(width))
        angle = angle_of(height, width);
    if (signbit(x))
        angle = add(pi, negative(angle));
    return copysign(angle.high, y);
}

double portable_hypot(double x, double y)
{
    x = fabs(x), y = fabs(y);
    if (isinf(x) || isinf(y))
        return INFINITY;
    if (isnan(x) || isnan(y))
        return x + y;
    double larger = x > y ? x : y;
    if (larger == 0)
        return 0;
    int n;
    mantissa(larger, &n);
    return scale(length((DoublePair){ scale(x, -n), 0 }, (DoublePair){ scale(y, -n), 0 }).high, n);
}

/* --- erfc ------------------------------------------------------------------------------------ */

/* erf(x) = 2/√π · exp(-x²) · Σ 2^n·x^(2n+1) / (2n+1)!!, whose terms are all positive (Abramowitz
 * and Stegun 7.1.6); 0 <= x <= 2. */
static DoublePair erf_near(double x, DoublePair square, DoublePair e)
{
    DoublePair s = series(of_erf, (DoublePair){ 2 * square.high, 2 * square.low }, 16, 40);
    return multiply(multiply(two_by_root_pi, e), multiply((DoublePair){ x, 0 }, s));
}

/* erfc(x) = exp(-x²) / √π / (x + ½/(x + 1/(x + 1½/(x + …)))) (7.1.14); x > 2. */
static DoublePair erfc_far(double x, DoublePair e)
{
    double below = x;
    for (int n = 100; n > 1; n--)
        below = x + 0.5 * n / below;
    DoublePair root_pi_by_two = divide(one, two_by_root_pi);
    DoublePair under = multiply(root_pi_by_two, sum(x, 0.5 / below));
    return divide(e, (DoublePair){ 2 * under.high, 2 * under.low });
}

double portable_erfc(double x)
{
    if (isnan(x))
        return x;
    double a = fabs(x);
    if (a > 28)
        return x < 0 ? 2 : 0;
    int n;
    DoublePair square = product(a, a), e = exp_of(negative(square), &n);
    if (a > 2) {
        e = erfc_far(a, e);
        return x < 0 ? 2 - scale(e.high, n) : scale(e.high, n);
    }
    e = (DoublePair){ scale(e.high, n), scale(e.low, n) };
    DoublePair erf_a = erf_near(a, square, e);
    return add(one, x < 0 ? erf_a : negative(erf_a)).high;
}
