/* Describes how the library was built: the instruction set, in a message for a processor that lacks
 * it; the commit and the compiler, for a run's result.tsv. */
#ifndef BASE_BUILT_FOR_H
#define BASE_BUILT_FOR_H

#include <stdbool.h>

/* The newest instruction set used, " (AVX2)", and the build that avoids it, ", or make
 * MARCH=x86-64"; both are empty for the baseline architecture. */
extern const char built_for[], built_for_any[];

/* "0123456789ab", or "0123456789ab+changed" where files differed from that commit; "unknown"
 * outside of git. The compiler is "gcc 12.2.0" or what clang calls itself. */
extern const char built_commit[], built_compiler[];

/* Built with PORTABLE=1: results are the same bytes on any machine. */
extern const bool built_portable;

#endif
