/* <math.h> for `make PORTABLE=1`: what libms round differently is base/portable.h's, what has one
 * right result (sqrt, floor, fmod, round …) stays, and what we have no function of our own for does
 * not compile. */
#ifndef BASE_PORTABLE_MATH_H
#define BASE_PORTABLE_MATH_H

#include_next <math.h>

#include "base/portable.h"

#if defined(__FAST_MATH__) || (defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0)
#error "PORTABLE=1: not with -ffast-math, nor with x87's arithmetic (-msse2 -mfpmath=sse)"
#endif

#define exp(x) portable_exp(x)
#define log(x) portable_log(x)
#define pow(x, y) portable_pow(x, y)
#define sin(x) portable_sin(x)
#define cos(x) portable_cos(x)
#define atan2(y, x) portable_atan2(y, x)
#define hypot(x, y) portable_hypot(x, y)
#define erfc(x) portable_erfc(x)

#pragma GCC poison expf logf powf sinf cosf atan2f hypotf erfcf erf erff tan tanf asin asinf acos  \
    acosf
#pragma GCC poison atan atanf sinh sinhf cosh coshf tanh tanhf asinh acosh atanh exp2 exp2f expm1  \
    expm1f
#pragma GCC poison log2 log2f log10 log10f log1p log1pf cbrt cbrtf tgamma lgamma

#endif
