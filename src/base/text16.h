/* text16.h - sixteen decimal digits in one register, for number_print.c. Pure.
 *
 * With the vector instructions that every x86-64 has, and in two words elsewhere; the same bytes come out.
 */
#ifndef PIPE_BASE_TEXT16_H
#define PIPE_BASE_TEXT16_H

#include "base/digits.h"

#ifdef __SSE2__
#include <emmintrin.h>

typedef __m128i Text16; /* the first digit in the lowest byte */

/* high, low < 10^8: their digits, of 0 to 9. Halves, then pairs, then digits side by side, as in digits8(). */
static inline Text16 text16(uint32_t high, uint32_t low)
{
    __m128i v = _mm_set_epi64x(low, high);
    __m128i upper = _mm_srli_epi64(_mm_mul_epu32(v, _mm_set1_epi64x(0xd1b71759)), 45); /* v / 10000 */
    __m128i lower = _mm_sub_epi32(v, _mm_mul_epu32(upper, _mm_set1_epi64x(10000)));
    __m128i halves = _mm_or_si128(upper, _mm_slli_epi64(lower, 32));
    upper = _mm_srli_epi16(_mm_mulhi_epu16(halves, _mm_set1_epi32(10486)), 4); /* / 100 */
    lower = _mm_sub_epi16(halves, _mm_mullo_epi16(upper, _mm_set1_epi32(100)));
    __m128i pairs = _mm_or_si128(upper, _mm_slli_epi32(lower, 16));
    upper = _mm_mulhi_epu16(pairs, _mm_set1_epi16(6554)); /* / 10 */
    lower = _mm_sub_epi16(pairs, _mm_mullo_epi16(upper, _mm_set1_epi16(10)));
    return _mm_or_si128(upper, _mm_slli_epi16(lower, 8));
}

static inline Text16 text16_chars(Text16 t)
{
    return _mm_add_epi8(t, _mm_set1_epi8('0'));
}

/* How many digits are left without the zeros at the end; 1 for 0. */
static inline uint32_t text16_used(Text16 t)
{
    uint32_t is_zero = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(t, _mm_setzero_si128()));
    return 32 - (uint32_t)__builtin_clz((~is_zero & 0xffff) | 1);
}

static inline void text16_put(char *to, Text16 t)
{
    _mm_storeu_si128((__m128i *)(void *)to, t);
}

/* Writes 16 bytes: the digit first and those of t, from place `point` on one byte later. */
static inline void text16_put_split(char *to, uint32_t first, Text16 t, uint32_t point)
{
    static const uint8_t SET[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                    255, 255, 255, 255, 255, 255, 255, 255};
    __m128i keep = _mm_loadu_si128((const __m128i *)(const void *)(SET + 16 - point));
    __m128i plain = _mm_or_si128(_mm_slli_si128(t, 1), _mm_cvtsi32_si128((int)first));
    __m128i later = _mm_slli_si128(plain, 1);
    text16_put(to, _mm_xor_si128(later, _mm_and_si128(keep, _mm_xor_si128(later, plain))));
}

#else

typedef struct Text16 {
    uint64_t high, low;
} Text16;

static inline Text16 text16(uint32_t high, uint32_t low)
{
    return (Text16){digits8(high), digits8(low)};
}

static inline Text16 text16_chars(Text16 t)
{
    return (Text16){t.high + DIGIT_ZEROS, t.low + DIGIT_ZEROS};
}

static inline uint32_t text16_used(Text16 t)
{
    uint64_t no_low = 0 - (uint64_t)(t.low == 0);
    return 16 - (8 & (uint32_t)no_low) - (uint32_t)__builtin_clzll(t.low | (t.high & no_low) | 1) / 8;
}

static inline void text16_put(char *to, Text16 t)
{
    word_put(to, t.high);
    word_put(to + 8, t.low);
}

static inline void text16_put_split(char *to, uint32_t first, Text16 t, uint32_t point)
{
    static const uint64_t SET[9] = {0,
                                    UINT64_C(0xff),
                                    UINT64_C(0xffff),
                                    UINT64_C(0xffffff),
                                    UINT64_C(0xffffffff),
                                    UINT64_C(0xffffffffff),
                                    UINT64_C(0xffffffffffff),
                                    UINT64_C(0xffffffffffffff),
                                    UINT64_MAX};
    uint64_t plain0 = first | t.high << 8, plain1 = t.high >> 56 | t.low << 8;
    uint64_t later0 = plain0 << 8, later1 = plain0 >> 56 | plain1 << 8;
    uint64_t keep0 = SET[point < 8 ? point : 8], keep1 = SET[point < 8 ? 0 : point - 8];
    word_put(to, later0 ^ ((later0 ^ plain0) & keep0));
    word_put(to + 8, later1 ^ ((later1 ^ plain1) & keep1));
}

#endif
#endif
