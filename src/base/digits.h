/* digits.h - eight decimal digits in one word, the first in the lowest byte. Pure.
 *
 * Halves, then pairs, then digits are worked on side by side, which takes a few instructions whatever the number is.
 */
#ifndef PIPE_BASE_DIGITS_H
#define PIPE_BASE_DIGITS_H

#include <stdint.h>
#include <string.h>

#define DIGIT_ZEROS UINT64_C(0x3030303030303030) /* added to digits, their characters */

/* v < 10^8 as 8 digits of 0 to 9. */
static inline uint64_t digits8(uint32_t v)
{
    uint64_t halves = v / 10000 | (uint64_t)(v % 10000) << 32;
    uint64_t high = (halves * 10486 >> 20) & UINT64_C(0x0000007f0000007f);
    uint64_t pairs = high | (halves - high * 100) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - tens * 10) << 8;
}

/* The word as 8 bytes of memory, its lowest first, whatever order the processor has. */
static inline void word_put(char *to, uint64_t w)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    memcpy(to, &w, sizeof w);
}

static inline uint64_t word_get(const char *from)
{
    uint64_t w;
    memcpy(&w, from, sizeof w);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

#endif
