/* varint.h - numbers as bytes, small ones as few. No state. */
#ifndef PIPE_DATA_VARINT_H
#define PIPE_DATA_VARINT_H

#include "base/str.h"

enum { VARINT_MAX = 10 }; /* bytes of the largest */

/* Seven bits a byte, the lowest first; the last one has its upper bit clear. Returns what is behind it. */
static inline char *varint_put(char *p, uint64_t n)
{
    for (; n > 0x7f; n >>= 7)
        *p++ = (char)(n & 0x7f) | (char)0x80;
    *p++ = (char)n;
    return p;
}

/* Moves *p behind it. */
static inline uint64_t varint_get(const char **p)
{
    uint64_t n = 0;
    for (uint32_t shift = 0;; shift += 7) {
        unsigned char c = (unsigned char)*(*p)++;
        n |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return n;
    }
}

static inline void buf_put_varint(Buf *b, uint64_t n)
{
    buf_reserve(b, VARINT_MAX);
    b->len = (size_t)(varint_put(b->ptr + b->len, n) - b->ptr);
}

#endif
