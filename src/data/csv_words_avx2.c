/* The variant for x86-64 processors since about 2013; the Makefile gives this file its flags. */
#include "data/csv_words.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef struct Group {
    __m256i low, high;
} Group;

static inline Group group_load(const char *p)
{
    return (Group){_mm256_loadu_si256((const __m256i *)(const void *)p),
                   _mm256_loadu_si256((const __m256i *)(const void *)(p + 32))};
}

static inline uint64_t group_eq(Group g, char c)
{
    __m256i want = _mm256_set1_epi8(c);
    uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(g.low, want));
    uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(g.high, want));
    return low | (uint64_t)high << 32;
}

static inline Group group_least(Group a, Group b)
{
    return (Group){_mm256_min_epu8(a.low, b.low), _mm256_min_epu8(a.high, b.high)};
}

static inline uint64_t bits_extract(uint64_t m, uint64_t from) { return _pext_u64(m, from); }
static inline uint64_t bits_deposit(uint64_t m, uint64_t to) { return _pdep_u64(m, to); }
static inline uint64_t bits_first(uint64_t m, unsigned n) { return _bzhi_u64(m, n); }
#define CSV_HAS_EXTRACT

/* A carry-less product with all ones. */
static inline uint64_t prefix_xor(uint64_t m)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)m), _mm_set1_epi8(-1), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

#define CSV_OWN_PREFIX_XOR
#define CSV_POSITIONS_BY_EIGHT
#include "data/csv_words.inc"
#include "data/csv_sift.inc"

const CsvWords csv_words_avx2 = {
    .scan = scan_words, .index = index_words, .count = count_words, .sift = sift_rows, .some = some_words};
#else
typedef int NotForThisProcessor; /* a file holds something */
#endif
