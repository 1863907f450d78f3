/* shortest.h - the shortest decimal of a double, for the doubles of which one product decides. Pure.
 *
 * How: the double is x = i + f units of 10^k, and half of what separates it from its neighbours is between 1/2 and 5
 * of those units, for the k below. So the interval of reals that read back as the double holds at most one multiple of
 * 10^(k+1), which is the shortest if it is there, and always the whole number nearest to x. i and f come from one
 * product of 64 and 128 bits, too small by at most 2 in the last bit of f; where that little could decide
 * otherwise, the long way of decimal.c is to be taken.
 */
#ifndef PIPE_BASE_SHORTEST_H
#define PIPE_BASE_SHORTEST_H

#include <stdbool.h>

#include "base/pow10.h"

/* bits: of a double, its sign 0. *digits: 16 or 17 digits, with the zeros at their end; the decimal is *digits *
 * 10^*exp10. False: another way must be taken (nothing is said about the double, which may be 0, infinite or nan). */
static inline bool shortest_digits(uint64_t bits, uint64_t *digits, int32_t *exp10)
{
    uint64_t fraction = bits & (HIDDEN_BIT - 1);
    uint32_t exponent = (uint32_t)(bits >> FRACTION_BITS);
    /* Below powers of two neighbours are closer than above; below the normal doubles there are fewer digits. */
    if (exponent - 1 >= 0x7fe)
        return false;
    int32_t q = (int32_t)exponent - 1075;
    int32_t k = floor_log10_pow2(q);
    uint32_t shift = (uint32_t)(q + floor_log2_pow10(-k) + 1); /* 1 to 4 */
    U128 g = POW10S[-k - POW10_MIN];
    uint64_t c = (fraction | HIDDEN_BIT) << shift;
    U128 p = mul64(g.hi, c);
    uint64_t f = p.lo + mul64(g.lo, c).hi, i = p.hi + (f < p.lo);

    /* Units in 4 bits, and 60 bits behind the point: from x down to the multiple of ten below, up to the one above, to
     * the nearer of them, and to the ends of the interval. Each is wrong by at most 2. */
    uint64_t digit = i - i / 10 * 10;
    uint64_t below = digit << 60 | f >> 4, above = (UINT64_C(10) << 60) - below;
    uint64_t near = below < above ? below : above, half = g.hi >> (5 - shift);
    uint64_t tens = i - digit + (below < above ? 0 : 10), ones = i + (f >> 63);
    *digits = near < half ? tens : ones;
    *exp10 = k;
    return !((near - half + 4 <= 8) | (f - (UINT64_C(1) << 63) + 4 <= 8) | (fraction == 0));
}

#endif
