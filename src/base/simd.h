/* simd.h - which vector instructions this processor has, asked once.
 *
 * PIPEMILL_SIMD=portable|sse2|avx2|avx512|neon in the environment forces a lower level than the
 * best; a level that the processor lacks, or an unknown word, is not heeded here: the program refuses to start with it.
 * Results never depend on the level. Any thread may ask.
 */
#ifndef PIPE_BASE_SIMD_H
#define PIPE_BASE_SIMD_H

#include <stdbool.h>

typedef enum SimdLevel {
    SIMD_PORTABLE, /* C alone */
    SIMD_SSE2,     /* part of x86-64 */
    SIMD_AVX2,     /* with BMI1, BMI2, POPCNT, PCLMUL */
    SIMD_AVX512,   /* F, BW, DQ, VL, IFMA, VBMI2 and all of AVX2 */
    SIMD_NEON,     /* part of arm64 */
    N_SIMD_LEVELS
} SimdLevel;

SimdLevel simd_level(void);
void simd_use(SimdLevel level); /* for tests: one that simd_has; not while others ask */
bool simd_has(SimdLevel level);
/* PEXT and PDEP, of BMI2, take a few cycles: some processors have them in microcode. */
bool simd_has_fast_extract(void);
const char *simd_name(SimdLevel level);

#endif
