/* pow10.h - powers of ten in 128 bits and what doubles are made of, for the files that turn doubles into
 * decimals and back (decimal.c, number_print.c). Pure.
 */
#ifndef PIPE_BASE_POW10_H
#define PIPE_BASE_POW10_H

#include <stdint.h>
#include <string.h>

#define POW10_MIN (-342)
#define POW10_MAX 324

typedef struct U128 {
    uint64_t hi, lo;
} U128;

/* 10^k at [k - POW10_MIN], cut off after 128 bits; the highest is set. */
extern const U128 POW10S[POW10_MAX - POW10_MIN + 1];

/* floor(log2(10^k)), for |k| <= 1233. */
static inline int32_t floor_log2_pow10(int32_t k)
{
    return (int32_t)(((int64_t)k * 1741647) >> 19);
}

/* floor(log10(2^q)), for the exponents of doubles. */
static inline int32_t floor_log10_pow2(int32_t q)
{
    return (q * 1262611) >> 22;
}

static inline U128 mul64(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 p = (unsigned __int128)a * b;
    return (U128){(uint64_t)(p >> 64), (uint64_t)p};
#else
    uint64_t a1 = a >> 32, a0 = a & UINT32_MAX, b1 = b >> 32, b0 = b & UINT32_MAX;
    uint64_t low = a0 * b0;
    uint64_t mid = a1 * b0 + (low >> 32);
    uint64_t mid2 = a0 * b1 + (mid & UINT32_MAX);
    return (U128){a1 * b1 + (mid >> 32) + (mid2 >> 32), (mid2 << 32) | (low & UINT32_MAX)};
#endif
}

static inline uint64_t double_bits(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

#define FRACTION_BITS 52
#define HIDDEN_BIT (UINT64_C(1) << FRACTION_BITS)
#define INF_BITS (UINT64_C(0x7ff) << FRACTION_BITS)

#endif
