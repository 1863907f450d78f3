/* The variant for arm64. */
#include "data/csv_words.h"

#if defined(__aarch64__)
#include <arm_neon.h>

typedef uint8x16x4_t Group;

static inline Group group_load(const char *p)
{
    const uint8_t *u = (const uint8_t *)p;
    return (Group){{vld1q_u8(u), vld1q_u8(u + 16), vld1q_u8(u + 32), vld1q_u8(u + 48)}};
}

/* There is no movemask: each byte keeps the bit of its number, and neighbours are added up. */
static inline uint64_t group_eq(Group g, char c)
{
    static const uint8_t number[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vld1q_u8(number), want = vdupq_n_u8((uint8_t)c);
    uint8x16_t a = vandq_u8(vceqq_u8(g.val[0], want), bits);
    uint8x16_t b = vandq_u8(vceqq_u8(g.val[1], want), bits);
    uint8x16_t x = vandq_u8(vceqq_u8(g.val[2], want), bits);
    uint8x16_t y = vandq_u8(vceqq_u8(g.val[3], want), bits);
    uint8x16_t sum = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(x, y));
    sum = vpaddq_u8(sum, sum);
    return vgetq_lane_u64(vreinterpretq_u64_u8(sum), 0);
}

static inline Group group_least(Group a, Group b)
{
    return (Group){{vminq_u8(a.val[0], b.val[0]), vminq_u8(a.val[1], b.val[1]), vminq_u8(a.val[2], b.val[2]),
                    vminq_u8(a.val[3], b.val[3])}};
}

#define CSV_POSITIONS_BY_EIGHT
#include "data/csv_words.inc"
#include "data/csv_sift.inc"

const CsvWords csv_words_neon = {
    .scan = scan_words, .index = index_words, .count = count_words, .sift = sift_rows};
#else
typedef int NotForThisProcessor; /* a file holds something */
#endif
