/* bits.h - bitmaps of rows, 64 at a time: masks, validity, selections.
 *
 * A NULL bitmap means all rows. Bits beyond the last row are anything, unless said.
 */
#ifndef PIPE_VM_BITS_H
#define PIPE_VM_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "data/column.h"

/* Word w of a bitmap of n rows, clear beyond the last row. */
static inline uint64_t bits_word(const uint64_t *bits, uint32_t w, uint32_t n)
{
    uint64_t word = bits ? bits[w] : ~0ull;
    uint32_t left = n - w * 64;
    return left >= 64 ? word : word & ((1ull << left) - 1);
}

/* The first set row at or after `row`, n if there is none. */
static inline uint32_t bits_next(const uint64_t *bits, uint32_t row, uint32_t n)
{
    if (!bits || row >= n)
        return row < n ? row : n;
    uint32_t w = row / 64;
    uint64_t word = bits[w] & (~0ull << (row & 63));
    while (!word) {
        if (++w * 64 >= n)
            return n;
        word = bits[w];
    }
    row = w * 64 + (uint32_t)__builtin_ctzll(word);
    return row < n ? row : n;
}

/* Set rows side by side: from <= row < to. All zero at first. */
typedef struct BitRun {
    uint32_t from, to;
} BitRun;

/* The next of them, as long as can be; false: there is none. */
static inline bool bits_next_run(const uint64_t *bits, BitRun *r, uint32_t n)
{
    r->from = bits_next(bits, r->to, n);
    r->to = n;
    if (!bits || r->from >= n)
        return r->from < n;
    uint32_t w = r->from / 64;
    uint64_t clear = ~bits[w] & (~0ull << (r->from & 63));
    while (!clear) {
        if (++w * 64 >= n)
            return true;
        clear = ~bits[w];
    }
    uint32_t to = w * 64 + (uint32_t)__builtin_ctzll(clear);
    r->to = to < n ? to : n;
    return true;
}

static inline uint32_t bits_count(const uint64_t *bits, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t w = 0; w < bit_words(n); w++)
        sum += (uint32_t)__builtin_popcountll(bits_word(bits, w, n));
    return sum;
}

#define BITS_EACH(row, bits, n)                                                          \
    for (uint32_t row = bits_next((bits), 0, (n)); row < (n);                            \
         row = bits_next((bits), row + 1, (n)))

/* Word w of the bools b[n] (bytes; only their lowest bit counts). */
static inline uint64_t bools_word(const uint8_t *b, uint32_t w, uint32_t n)
{
    uint64_t word = 0;
    uint32_t at = w * 64, left = n - at < 64 ? n - at : 64, i = 0;
    for (; i + 8 <= left; i += 8) {
        uint64_t x;
        memcpy(&x, b + at + i, 8);
        x &= 0x0101010101010101u; /* the product gathers bit 0 of each byte in the top byte */
        word |= (x * 0x0102040810204080u >> 56) << i;
    }
    for (; i < left; i++)
        word |= (uint64_t)(b[at + i] & 1) << i;
    return word;
}

#endif
