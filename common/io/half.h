/* Floating-point numbers of 16 bits, in which files keep weights at half the size: IEEE 754's
 * binary16 (safetensors' F16: 5 bits of exponent, 10 of fraction) and bfloat16 (BF16: the upper
 * half of a float32). */
#ifndef IO_HALF_H
#define IO_HALF_H

#include <stdint.h>

/* Exact: every F16 and BF16 is a float32. */
float half_to_float(uint16_t half);
float bfloat_to_float(uint16_t bfloat);

/* The nearest F16, of two as near the even one; infinity from 65520 on. */
uint16_t half_from_float(float x);

#endif
