/* The variant for x86-64 processors with AVX-512 VBMI2; the Makefile gives this file its flags. */
#include "data/csv_words.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef __m512i Group;

static inline Group group_load(const char *p) { return _mm512_loadu_si512(p); }

static inline uint64_t group_eq(Group g, char c)
{
    return _mm512_cmpeq_epi8_mask(g, _mm512_set1_epi8(c));
}

static inline Group group_least(Group a, Group b) { return _mm512_min_epu8(a, b); }

static inline uint64_t bits_extract(uint64_t m, uint64_t from) { return _pext_u64(m, from); }
static inline uint64_t bits_deposit(uint64_t m, uint64_t to) { return _pdep_u64(m, to); }
static inline uint64_t bits_first(uint64_t m, unsigned n) { return _bzhi_u64(m, n); }
#define CSV_HAS_EXTRACT
#define CSV_COUNTS_BY_EXTRACT

/* A carry-less product with all ones. */
static inline uint64_t prefix_xor(uint64_t m)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)m), _mm_set1_epi8(-1), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* The numbers 0..63 of the set bits, pressed together as bytes and widened, sixteen at a time. */
static inline uint32_t *positions_put(uint32_t *out, uint64_t m, uint32_t base)
{
    static const unsigned char numbers[CSV_WORD] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    __m512i pressed = _mm512_maskz_compress_epi8(m, _mm512_loadu_si512(numbers));
    __m512i from = _mm512_set1_epi32((int)base);
    uint32_t n = (uint32_t)__builtin_popcountll(m);
    _mm512_storeu_si512(out, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                        _mm512_castsi512_si128(pressed))));
    if (n > 16) {
        _mm512_storeu_si512(
            out + 16, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                 _mm512_extracti32x4_epi32(pressed, 1))));
        if (n > 32) {
            _mm512_storeu_si512(
                out + 32, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                     _mm512_extracti32x4_epi32(pressed, 2))));
            _mm512_storeu_si512(
                out + 48, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(
                                                     _mm512_extracti32x4_epi32(pressed, 3))));
        }
    }
    return out + n;
}

#define CSV_OWN_PREFIX_XOR
#define CSV_OWN_POSITIONS
#include "data/csv_words.inc"
#include "data/csv_sift.inc"

const CsvWords csv_words_avx512 = {
    .scan = scan_words, .index = index_words, .count = count_words, .sift = sift_rows, .some = some_words};
#else
typedef int NotForThisProcessor; /* a file holds something */
#endif
