/* value_scan.h - what reading and printing values is made of: for value*.c alone.
 *
 * Parsers move a Scan over the text; what returns false may have moved it. Printers write to a place that has room for
 * VALUE_PRINT_MAX bytes and return the end of what they wrote. No allocation, no state.
 */
#ifndef PIPE_BASE_VALUE_SCAN_H
#define PIPE_BASE_VALUE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define US_PER_S INT64_C(1000000)

typedef struct Scan {
    const char *p, *end;
} Scan;

static inline Scan scan_of(Str s)
{
    return (Scan){s.ptr, s.len ? s.ptr + s.len : s.ptr};
}

static inline bool scan_done(const Scan *sc)
{
    return sc->p == sc->end;
}

static inline bool scan_char(Scan *sc, char c)
{
    if (sc->p == sc->end || *sc->p != c)
        return false;
    sc->p++;
    return true;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One digit or more; false if none is there or they do not fit. */
static inline bool scan_u64(Scan *sc, uint64_t *out)
{
    const char *start = sc->p;
    /* Nineteen digits fit whatever they are. */
    const char *safe_end = sc->end - sc->p > 19 ? sc->p + 19 : sc->end;
    uint64_t v = 0;
    for (; sc->p < safe_end && is_digit(*sc->p); sc->p++)
        v = v * 10 + (uint64_t)(*sc->p - '0');
    for (; sc->p < sc->end && is_digit(*sc->p); sc->p++) {
        uint64_t d = (uint64_t)(*sc->p - '0');
        if (v > (UINT64_MAX - d) / 10)
            return false;
        v = v * 10 + d;
    }
    *out = v;
    return sc->p > start;
}

/* Exactly n digits, n <= 9. */
static inline bool scan_digits(Scan *sc, uint32_t n, uint32_t *out)
{
    uint32_t v = 0;
    if (sc->end - sc->p < (ptrdiff_t)n)
        return false;
    for (uint32_t i = 0; i < n; i++, sc->p++) {
        if (!is_digit(*sc->p))
            return false;
        v = v * 10 + (uint32_t)(*sc->p - '0');
    }
    *out = v;
    return true;
}

/* The sign back onto a magnitude; false if it does not fit. */
static inline bool signed_of(uint64_t magnitude, bool is_negative, int64_t *out)
{
    if (magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static inline uint64_t magnitude_of(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* At least `width` digits, zeros in front. Returns the end. */
static inline char *put_u64(char *out, uint64_t v, uint32_t width)
{
    static const char PAIRS[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[20], *p = digits + sizeof digits;
    for (; v >= 100; v /= 100)
        memcpy(p -= 2, PAIRS + 2 * (v % 100), 2);
    if (v >= 10)
        memcpy(p -= 2, PAIRS + 2 * v, 2);
    else
        *--p = (char)('0' + v);
    uint32_t n = (uint32_t)(digits + sizeof digits - p);
    for (; width > n; width--)
        *out++ = '0';
    memcpy(out, p, n);
    return out + n;
}

/* ".5", ".000001" or nothing for a number of microseconds below a second. */
static inline char *put_fraction(char *out, uint64_t us)
{
    if (us == 0)
        return out;
    *out++ = '.';
    out = put_u64(out, us, 6);
    while (out[-1] == '0')
        out--;
    return out;
}

#endif
