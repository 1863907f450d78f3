/* ascii.h - the case of short strings of ASCII, 32 bytes at a time. Pure. */
#ifndef PIPE_VM_ASCII_H
#define PIPE_VM_ASCII_H

#include "data/reach.h"

/* Copies REACH_BYTES from `from` and changes the case of the 26 letters from `first` on ('a': to upper, 'A': to lower).
 * *others gets bits wherever one of the first n bytes is not ASCII: then the copy is no use. */
static inline void ascii_change_case(char *to, const char *from, uint32_t n, char first, Bytes16 *others)
{
    static const uint8_t WITHIN[2 * REACH_BYTES] = {
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    const char *within = (const char *)WITHIN + REACH_BYTES - n;
    for (uint32_t i = 0; i < REACH_BYTES; i += 16) {
        Bytes16 x = bytes16(from + i);
        Bytes16 is_letter = (Bytes16)((x - bytes16_all(first)) <= bytes16_all(25));
        *others |= x & bytes16(within + i) & bytes16_all((char)0x80);
        x ^= is_letter & bytes16_all(0x20);
        memcpy(to + i, &x, sizeof x);
    }
}

#endif
