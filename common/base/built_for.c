#include "base/built_for.h"

#if defined(__AVX512F__)
const char built_for[] = " (AVX-512)", built_for_any[] = ", or make MARCH=x86-64-v3";
#elif defined(__AVX2__)
const char built_for[] = " (AVX2)", built_for_any[] = ", or make MARCH=x86-64";
#elif defined(__AVX__)
const char built_for[] = " (AVX)", built_for_any[] = ", or make MARCH=x86-64";
#elif defined(__ARM_FEATURE_SVE)
const char built_for[] = " (SVE)", built_for_any[] = ", or make MARCH=armv8-a";
#else
const char built_for[] = "", built_for_any[] = "";
#endif

#ifdef PORTABLE
const bool built_portable = true;
#else
const bool built_portable = false;
#endif

/* The Makefile says it. */
#ifndef COMMIT
#define COMMIT "unknown"
#endif
const char built_commit[] = COMMIT;

#ifdef __clang__
const char built_compiler[] = __VERSION__;
#else
const char built_compiler[] = "gcc " __VERSION__;
#endif
