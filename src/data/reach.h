/* reach.h - short strings copied and looked at 32 bytes at a time.
 *
 * A call of memcpy or a loop over bytes costs more than the bytes of a short string. Where the 32 bytes from its
 * start may be read, whatever they are, the work is the same few instructions for every length up to 32. A Reach says
 * where that is: within one heap, up to 32 bytes before the end of what is settled in it. Pure.
 */
#ifndef PIPE_DATA_REACH_H
#define PIPE_DATA_REACH_H

#include <string.h>

#include "data/column.h"
#include "data/raw.h"

#define REACH_BYTES 32u /* read, and where it is said written, from the start of a short string */

/* Addresses at which REACH_BYTES may be read: [from, from + n). */
typedef struct Reach {
    uintptr_t from;
    size_t n;
} Reach;

static inline Reach reach_of_heap(const Heap *h)
{
    size_t n = heap_settled(h);
    return (Reach){(uintptr_t)h->bytes, n >= REACH_BYTES ? n - REACH_BYTES + 1 : 0};
}
/* Of a column of strings: of its first heap, in which most of them are. */
static inline Reach reach_of_column(const Column *c)
{
    return c->n_heaps ? reach_of_heap(c->heaps[0]) : (Reach){0, 0};
}
/* Of the cells of indexed rows. */
static inline Reach reach_of_raw(const RawRows *raw)
{
    size_t n = raw->start[(size_t)raw->n_rows * raw->stride];
    return (Reach){(uintptr_t)raw->cells, n >= REACH_BYTES ? n - REACH_BYTES + 1 : 0};
}
static inline bool reach_has(Reach s, const char *p)
{
    return (uintptr_t)p - s.from < s.n;
}
/* Is it a string of at most REACH_BYTES that may be read whole? */
static inline bool reach_is_short(Reach s, StrView v)
{
    return v.len <= REACH_BYTES && reach_has(s, v.ptr);
}

/* Copies REACH_BYTES; both sides have them. */
static inline void reach_copy(char *to, const char *from)
{
    memcpy(to, from, REACH_BYTES);
}

/* 16 bytes in one register; comparisons give 0xff and 0. */
typedef uint8_t Bytes16 __attribute__((vector_size(16)));

static inline Bytes16 bytes16(const char *p)
{
    Bytes16 b;
    memcpy(&b, p, sizeof b);
    return b;
}
static inline Bytes16 bytes16_all(char c)
{
    uint8_t b = (uint8_t)c;
    return (Bytes16){b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b};
}
/* 0xff in the first n bytes; n may be more than 16, or negative. */
static inline Bytes16 bytes16_first(int32_t n)
{
    const Bytes16 place = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return (Bytes16)(place < bytes16_all((char)(n < 0 ? 0 : n > 16 ? 16 : n)));
}
#define REACH_PACKED 15u
/* A string of at most REACH_PACKED bytes, of which 16 may be read, with its length in the last byte: in one register, for
 * a byte that is written into a key in memory makes the whole wait until it is there. */
static inline Bytes16 reach_pack(const char *p, uint32_t n)
{
#define EIGHT_ONES '\xff', '\xff', '\xff', '\xff', '\xff', '\xff', '\xff', '\xff'
    static const char ones[2 * 16] = {EIGHT_ONES, EIGHT_ONES};
#undef EIGHT_ONES
    static const char lengths[REACH_PACKED + 1][16] = {
#define LENGTH(n) {[15] = n}
        LENGTH(0), LENGTH(1), LENGTH(2),  LENGTH(3),  LENGTH(4),  LENGTH(5),  LENGTH(6),  LENGTH(7),
        LENGTH(8), LENGTH(9), LENGTH(10), LENGTH(11), LENGTH(12), LENGTH(13), LENGTH(14), LENGTH(15)};
#undef LENGTH
    return (bytes16(p) & bytes16(ones + 16 - n)) | bytes16(lengths[n]);
}
static inline bool bytes16_any(Bytes16 b)
{
    uint64_t half[2];
    memcpy(half, &b, sizeof half);
    return (half[0] | half[1]) != 0;
}

#endif
