/* shortest_many.h - shortest.h of many doubles at once, for processors that have vectors for it. Pure. */
#ifndef PIPE_BASE_SHORTEST_MANY_H
#define PIPE_BASE_SHORTEST_MANY_H

#include <stdint.h>

#if defined(__x86_64__)
/* Of v[n], whatever their signs, digits and exponents as shortest_digits() gives them, and no digits (0) where it gives
 * none. n is a multiple of 8. Only where simd_has(SIMD_AVX512). */
void shortest_many_avx512(const double *v, uint32_t n, uint64_t *digits, int32_t *exp10);
#endif

#endif
