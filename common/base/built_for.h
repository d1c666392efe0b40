/* Describes the instruction set that the library was compiled for, in a message for a processor
 * that lacks it. */
#ifndef BASE_BUILT_FOR_H
#define BASE_BUILT_FOR_H

/* The newest instruction set used, " (AVX2)", and the build that avoids it, ", or make
 * MARCH=x86-64"; both are empty for the baseline architecture. */
extern const char built_for[], built_for_any[];

#endif
