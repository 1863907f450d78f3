/* The variant for any processor: eight bytes at a time in a 64-bit integer. */
#include "data/csv_words.h"

#include <string.h>

typedef struct Group {
    uint64_t part[8];
} Group;

static inline Group group_load(const char *p)
{
    Group g;
    memcpy(&g, p, sizeof g);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int i = 0; i < 8; i++)
        g.part[i] = __builtin_bswap64(g.part[i]);
#endif
    return g;
}

static inline uint64_t group_eq(Group g, char c)
{
    const uint64_t ones = 0x0101010101010101u, low7 = 0x7f7f7f7f7f7f7f7fu;
    uint64_t want = ones * (unsigned char)c, mask = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t v = g.part[i] ^ want;
        uint64_t zero = ~(((v & low7) + low7) | v | low7); /* 0x80 where a byte is 0 */
        /* Gathers the eight bits into one byte. */
        mask |= ((zero >> 7) * 0x0102040810204080u >> 56) << (8 * i);
    }
    return mask;
}

/* Where a byte of either is 0 one of the result is; more is not asked. */
static inline Group group_least(Group a, Group b)
{
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
    for (int i = 0; i < 8; i++) {
        uint64_t v = b.part[i], zero = ~(((v & low7) + low7) | v | low7);
        a.part[i] &= ~((zero >> 7) * 0xff);
    }
    return a;
}

#define CSV_SLOW_GROUPS
#include "data/csv_words.inc"
#include "data/csv_sift.inc"

const CsvWords csv_words_portable = {
    .scan = scan_words, .index = index_words, .count = count_words, .sift = sift_rows};
