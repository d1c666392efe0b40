/* 16-bit floating-point numbers, in which files keep weights at half the size: IEEE 754's binary16
 * (safetensors' F16: 5 exponent bits, 10 fraction bits) and bfloat16 (BF16: the upper half of a
 * float32). */
#ifndef IO_HALF_H
#define IO_HALF_H

#include <stdint.h>

/* Converts exactly: every F16 and BF16 value is a float32. */
float half_to_float(uint16_t half);
float bfloat_to_float(uint16_t bfloat);

/* Returns the nearest F16, ties to even; infinity from 65520 on. */
uint16_t half_from_float(float x);

#endif
