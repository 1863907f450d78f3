/* json_scan.h - the tokens of one line of JSON, found in one pass.
 *
 * jansson is the library of this program for JSON, but it builds a tree of counted nodes for each document,
 * which costs several times what the values cost: rows of a file are scanned here, and the tests hold what
 * comes out against jansson.
 *
 * A line ends in LF, which stands for itself: no token contains one, so that every loop here stops there, and
 * none asks where the bytes end. `limit` is where the bytes may be read up to, in words of eight.
 *
 * Pure. A function that finds a mistake sets *bad and returns NULL.
 */
#ifndef PIPE_DATA_JSON_SCAN_H
#define PIPE_DATA_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define JSON_DEPTH_MAX 1000 /* arrays and objects within one another */

/* What is wrong, and where. */
typedef struct JsonBad {
    const char *at;
    const char *what; /* "expected `:` behind a key" */
} JsonBad;

static inline const char *jscan_fail(JsonBad *bad, const char *at, const char *what)
{
    *bad = (JsonBad){at, what};
    return NULL;
}

static inline const char *jscan_blanks(const char *p)
{
    while (*p == ' ' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

/* Byte by byte, so that none looks beyond an LF. */
static inline bool jscan_is_true(const char *p)
{
    return p[0] == 't' && p[1] == 'r' && p[2] == 'u' && p[3] == 'e';
}
static inline bool jscan_is_false(const char *p)
{
    return p[0] == 'f' && p[1] == 'a' && p[2] == 'l' && p[3] == 's' && p[4] == 'e';
}
static inline bool jscan_is_null(const char *p)
{
    return p[0] == 'n' && p[1] == 'u' && p[2] == 'l' && p[3] == 'l';
}

/* The first `"`, `\` or control byte from p on; there is one (LF). */
static inline const char *jscan_special(const char *p, const char *limit)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (; limit - p >= 8; p += 8) {
        uint64_t w;
        memcpy(&w, p, sizeof w);
        uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
        /* A borrow sets bits above a byte that hits, never below the first. */
        uint64_t hits = (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                         ((w - ones * 0x20) & ~w)) & highs;
        if (hits)
            return p + (__builtin_ctzll(hits) >> 3);
    }
#else
    (void)limit;
#endif
    while (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

/* p: behind the opening quote. The closing quote; *has_escapes says whether there are any. */
const char *jscan_string_end(const char *p, const char *limit, bool *has_escapes, JsonBad *bad);

static inline const char *jscan_string(const char *p, const char *limit, bool *has_escapes, JsonBad *bad)
{
    const char *end = jscan_special(p, limit);
    *has_escapes = false;
    return *end == '"' ? end : jscan_string_end(p, limit, has_escapes, bad);
}

/* Decodes the escapes of a string that jscan_string_end passed; out has room for raw.len bytes. Returns the
 * length. Half of a surrogate pair alone becomes U+FFFD. */
uint32_t jscan_unescape(Str raw, char *out);

/* p: the first byte of any value. Its end; all of it is checked. */
const char *jscan_value(const char *p, const char *limit, JsonBad *bad);

#endif
