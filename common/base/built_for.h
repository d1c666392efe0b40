/* What the library was compiled for, in words for a processor that is another one. */
#ifndef BASE_BUILT_FOR_H
#define BASE_BUILT_FOR_H

/* The newest of its instructions, " (AVX2)", and how to do without, ", or make MARCH=x86-64"; both
 * empty where there is nothing to say. */
extern const char built_for[], built_for_any[];

#endif
