/* The variant for every x86-64 processor. */
#include "data/csv_words.h"

#if defined(__x86_64__)
#include <emmintrin.h>

typedef struct Group {
    __m128i part[4];
} Group;

static inline Group group_load(const char *p)
{
    Group g;
    for (int i = 0; i < 4; i++)
        g.part[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return g;
}

static inline uint64_t group_eq(Group g, char c)
{
    __m128i want = _mm_set1_epi8(c);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(g.part[i], want)) << (16 * i);
    return mask;
}

static inline Group group_least(Group a, Group b)
{
    for (int i = 0; i < 4; i++)
        a.part[i] = _mm_min_epu8(a.part[i], b.part[i]);
    return a;
}

#define CSV_SLOW_GROUPS
#include "data/csv_words.inc"
#include "data/csv_sift.inc"

const CsvWords csv_words_sse2 = {
    .scan = scan_words, .index = index_words, .count = count_words, .sift = sift_rows};
#else
typedef int NotForThisProcessor; /* a file holds something */
#endif
