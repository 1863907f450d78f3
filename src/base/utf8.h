/* utf8.h - code points in byte strings. Invalid bytes are told apart, never fixed. */
#ifndef PIPE_BASE_UTF8_H
#define PIPE_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes of the valid sequence at p (1..4), 0 if none starts there. n: bytes left. */
uint32_t utf8_len(const char *p, uint32_t n);
/* Decodes the sequence at p into *cp and returns its bytes; an invalid byte gives
 * *cp = 0xfffd and 1. n >= 1. */
uint32_t utf8_decode(const char *p, uint32_t n, uint32_t *cp);
/* Writes cp (<= 0x10ffff) to out[4]; returns the bytes written. */
uint32_t utf8_encode(uint32_t cp, char out[4]);
/* Offset of the first invalid byte, or s.len when all is valid. */
uint32_t utf8_valid_prefix(Str s);
uint32_t utf8_count(Str s);        /* code points; an invalid byte counts as one */
uint32_t utf8_width(Str s);        /* terminal columns */

#endif
