/* The steps of shortest.h for eight doubles side by side, in 64-bit lanes; the Makefile gives this file its flags. The
 * product is made of pieces of 52 bits, which is what these processors multiply. */
#include "base/shortest_many.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "base/pow10.h"

typedef __m512i V;

static inline V all(uint64_t x)
{
    return _mm512_set1_epi64((int64_t)x);
}
static inline V shr(V x, unsigned n)
{
    return _mm512_srli_epi64(x, n);
}
static inline V shl(V x, unsigned n)
{
    return _mm512_slli_epi64(x, n);
}
static inline V add(V x, V y)
{
    return _mm512_add_epi64(x, y);
}
static inline V sub(V x, V y)
{
    return _mm512_sub_epi64(x, y);
}
/* floor(x * factor / 2^n), |x| < 2^31. */
static inline V scaled(V x, int32_t factor, unsigned n)
{
    return _mm512_srai_epi64(_mm512_mul_epi32(x, all((uint64_t)factor)), n);
}

static inline void eight(const double *v, uint64_t *digits, int32_t *exp10)
{
    const V low52 = all(HIDDEN_BIT - 1), zero = _mm512_setzero_si512();
    V bits = _mm512_and_si512(_mm512_loadu_si512(v), all(UINT64_MAX >> 1));
    V fraction = _mm512_and_si512(bits, low52), exponent = shr(bits, FRACTION_BITS);
    V q = sub(exponent, all(1075));
    V k = scaled(q, 1262611, 22), minus_k = sub(zero, k);
    V shift = add(add(q, scaled(minus_k, 1741647, 19)), all(1)); /* 1 to 4 */
    V at = shl(sub(minus_k, all((uint64_t)POW10_MIN)), 1);
    V hi = _mm512_i64gather_epi64(at, &POW10S[0].hi, 8);
    V lo = _mm512_i64gather_epi64(at, &POW10S[0].lo, 8);

    /* g shifted, in pieces of 52, 52 and 28 bits; times 2^52 + fraction. The lowest piece of the product and the
     * lowest bits of the next one are not needed. */
    V g0 = _mm512_and_si512(_mm512_sllv_epi64(lo, shift), low52);
    V g1 = _mm512_and_si512(_mm512_or_si512(_mm512_srlv_epi64(lo, sub(all(52), shift)),
                                            _mm512_sllv_epi64(hi, add(shift, all(12)))),
                            low52);
    V g2 = _mm512_srlv_epi64(hi, sub(all(40), shift));
    V p1 = _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(g0, fraction, g0), fraction, g1);
    V p2 = _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(g1, fraction, g1), fraction, g2);
    V p3 = _mm512_madd52hi_epu64(g2, fraction, g2);
    p2 = add(p2, shr(p1, 52));
    p3 = add(p3, shr(p2, 52));
    p1 = _mm512_and_si512(p1, low52);
    p2 = _mm512_and_si512(p2, low52);
    V i = add(shl(p3, 28), shr(p2, 24)), f = _mm512_or_si512(shl(p2, 40), shr(p1, 12));

    /* i modulo 5, of which 2^28 is one more than a multiple; and with its lowest bit modulo 10. */
    V folded = add(p3, shr(p2, 24));
    V fifth = shr(_mm512_mul_epu32(folded, all(0xcccccccd)), 34);
    V by5 = sub(folded, add(fifth, shl(fifth, 2)));
    V odd = _mm512_and_si512(_mm512_xor_si512(by5, i), all(1));
    V digit = add(by5, add(odd, shl(odd, 2)));

    V below = _mm512_or_si512(shl(digit, 60), shr(f, 4)), above = sub(all(UINT64_C(10) << 60), below);
    V near = _mm512_min_epu64(below, above), half = _mm512_srlv_epi64(hi, sub(all(5), shift));
    V tens = sub(i, digit), ones = add(i, shr(f, 63));
    tens = _mm512_mask_add_epi64(tens, _mm512_cmpge_epu64_mask(below, above), tens, all(10));
    V chosen = _mm512_mask_mov_epi64(ones, _mm512_cmplt_epu64_mask(near, half), tens);
    __mmask8 unsure = _mm512_cmple_epu64_mask(add(sub(near, half), all(4)), all(8)) |
                      _mm512_cmple_epu64_mask(add(f, all((UINT64_C(1) << 63) + 4)), all(8)) |
                      _mm512_cmpeq_epi64_mask(fraction, zero) |
                      _mm512_cmpge_epu64_mask(sub(exponent, all(1)), all(0x7fe));
    _mm512_storeu_si512(digits, _mm512_mask_mov_epi64(chosen, unsure, zero));
    _mm256_storeu_si256((__m256i *)(void *)exp10, _mm512_cvtepi64_epi32(k));
}

void shortest_many_avx512(const double *v, uint32_t n, uint64_t *digits, int32_t *exp10)
{
    for (uint32_t i = 0; i < n; i += 8)
        eight(v + i, digits + i, exp10 + i);
}
#else
typedef int NotForThisProcessor; /* a file holds something */
#endif
