/* exp, log, pow, sin, cos, atan2, hypot and erfc whose results are the same on every machine: the
 * libms differ in the last bit. Errors are below 0.6 ulp, NaN, infinities and zeros are as C's
 * Annex F has them; no errno, no exceptions. Under `make PORTABLE=1` the library's exp(x) is
 * portable_exp(x), by base/portable/math.h. */
#ifndef BASE_PORTABLE_H
#define BASE_PORTABLE_H

double portable_exp(double x);
double portable_log(double x);
double portable_pow(double x, double y);
double portable_sin(double x);
double portable_cos(double x);
double portable_atan2(double y, double x);
double portable_hypot(double x, double y);
double portable_erfc(double x);

#endif
