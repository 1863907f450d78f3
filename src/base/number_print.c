/* Whole numbers and floats as text. Both are made eight digits at a time and stored whole; what is too much is
 * overwritten by what comes next. */
#include <math.h>

#include "base/decimal.h"
#include "base/digits.h"
#include "base/shortest.h"
#include "base/shortest_many.h"
#include "base/simd.h"
#include "base/text16.h"
#include "base/value.h"

#define E8 100000000u

/* v < 10^8 without zeros in front; writes 8 bytes. Returns the digits. */
static inline uint32_t put_upto8(char *to, uint32_t v)
{
    uint64_t w = digits8(v);
    uint32_t zeros = (uint32_t)__builtin_ctzll(w | UINT64_C(1) << 56) / 8;
    word_put(to, (w + DIGIT_ZEROS) >> zeros * 8);
    return 8 - zeros;
}

static inline void put_8(char *to, uint32_t v)
{
    word_put(to, digits8(v) + DIGIT_ZEROS);
}

/* Writes up to 24 bytes. */
static inline uint32_t put_digits(char *to, uint64_t v)
{
    if (v < E8)
        return put_upto8(to, (uint32_t)v);
    uint64_t upper = v / E8;
    uint32_t n;
    if (upper < E8) {
        n = put_upto8(to, (uint32_t)upper);
    } else {
        n = put_upto8(to, (uint32_t)(upper / E8));
        put_8(to + n, (uint32_t)(upper % E8));
        n += 8;
    }
    put_8(to + n, (uint32_t)(v % E8));
    return n + 8;
}

uint32_t value_print_int(int64_t v, char *out)
{
    uint32_t sign = v < 0;
    *out = '-';
    return sign + put_digits(out + sign, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* The 17 digits of a float, zeros at their end. */
typedef struct Digits17 {
    Text16 rest;    /* all but the first, as characters */
    uint32_t first;
    int32_t point;  /* how many stand before the point */
    uint32_t n;     /* without the zeros at their end; at least 2 */
} Digits17;

/* digits: 16 or 17 of them. */
static inline Digits17 digits17(uint64_t digits, int32_t exp10)
{
    uint32_t is_16 = digits < UINT64_C(10000000000000000);
    digits += digits * 9 & (0 - (uint64_t)is_16); /* times 10, without a branch that is guessed wrong */
    uint32_t high = (uint32_t)(digits / E8), first = high / E8;
    Text16 rest = text16(high - first * E8, (uint32_t)(digits % E8));
    return (Digits17){.rest = text16_chars(rest),
                      .first = first + '0',
                      .point = exp10 + 17 - (int32_t)is_16,
                      .n = 1 + text16_used(rest)};
}

/* 1 to 16 digits before the point: the digits as they are up to it, and one byte later from it on. */
static inline uint32_t put_plain(char *p, const Digits17 *d)
{
    uint32_t point = (uint32_t)d->point;
    text16_put(p + 2, d->rest); /* the 16th and 17th are left of this */
    text16_put_split(p, d->first, d->rest, point);
    p[point] = '.';
    return (d->n > point ? d->n : point + 1) + 1; /* at least one digit behind the point */
}

/* Up to three zeros between the point and the digits. */
__attribute__((noinline)) static uint32_t put_below_one(char *p, const Digits17 *d)
{
    uint32_t n = 2 + (uint32_t)-d->point;
    memcpy(p, "0.000", 5);
    p[n] = (char)d->first;
    text16_put(p + n + 1, d->rest);
    n += d->n;
    return n - (p[n - 1] == '0'); /* a single digit */
}

/* Like Python's repr: exponents from -5 down and from 16 up. */
__attribute__((noinline)) static uint32_t put_exponent(char *p, const Digits17 *d)
{
    p[0] = (char)d->first;
    p[1] = '.';
    text16_put(p + 2, d->rest);
    uint32_t n = d->n == 2 && p[2] == '0' ? 1 : d->n + 1;
    int32_t e = d->point - 1;
    p[n++] = 'e';
    p[n++] = e < 0 ? '-' : '+';
    uint32_t size = (uint32_t)(e < 0 ? -e : e);
    if (size < 10)
        p[n++] = '0';
    return n + put_digits(p + n, size);
}

/* What one product does not decide. */
__attribute__((noinline)) static uint32_t put_other(char *p, double v)
{
    if (isnan(v)) {
        memcpy(p, "nan", 3);
        return 3;
    }
    uint32_t sign = signbit(v) != 0;
    *p = '-';
    p += sign;
    if (isinf(v) || v == 0) {
        memcpy(p, v == 0 ? "0.0" : "inf", 3);
        return sign + 3;
    }
    Decimal dec = decimal_of_double_long(v);
    while (dec.digits < UINT64_C(1000000000000000)) {
        dec.digits *= 10;
        dec.exp10--;
    }
    Digits17 d = digits17(dec.digits, dec.exp10);
    return sign + (d.point > 16 || d.point < -3 ? put_exponent(p, &d)
                   : d.point > 0                ? put_plain(p, &d)
                                                : put_below_one(p, &d));
}

static inline uint32_t put_float(char *out, double v, uint64_t digits, int32_t exp10)
{
    uint32_t sign = (uint32_t)(double_bits(v) >> 63);
    *out = '-';
    char *p = out + sign;
    Digits17 d = digits17(digits, exp10);
    if ((uint32_t)d.point - 1 < 16)
        return sign + put_plain(p, &d);
    return sign + (d.point > 16 || d.point < -3 ? put_exponent(p, &d) : put_below_one(p, &d));
}

static inline uint32_t print_bool(bool v, char *out)
{
    memcpy(out, v ? "true\0" : "false", 5);
    return v ? 4 : 5;
}

uint32_t value_print_float(double v, char *out)
{
    uint64_t digits;
    int32_t exp10;
    if (shortest_digits(double_bits(fabs(v)), &digits, &exp10))
        return put_float(out, v, digits, exp10);
    return put_other(out, v);
}

#define AT_ONCE 64u

static void digits_many(const double *v, uint32_t n, uint64_t *digits, int32_t *exp10)
{
    uint32_t i = 0;
#if defined(__x86_64__)
    if (simd_level() == SIMD_AVX512) {
        i = n / 8 * 8;
        shortest_many_avx512(v, i, digits, exp10);
    }
#endif
    for (; i < n; i++)
        if (!shortest_digits(double_bits(fabs(v[i])), &digits[i], &exp10[i]))
            digits[i] = 0; /* another way must be taken */
}

/* First the digits of all, then their text: the steps to one number wait for each other, and a processor looks ahead
 * only so far to find others to take meanwhile. */
static void print_floats(const double *v, uint32_t n, char *text, uint8_t *lens)
{
    uint64_t digits[AT_ONCE];
    int32_t exp10[AT_ONCE];
    digits_many(v, n, digits, exp10);
    for (uint32_t i = 0; i < n; i++, text += VALUE_PRINT_MAX)
        lens[i] = (uint8_t)(digits[i] ? put_float(text, v[i], digits[i], exp10[i]) : put_other(text, v[i]));
}

bool value_print_many(Type t, const void *values, uint32_t from, uint32_t n, char *text, uint8_t *lens)
{
    const int64_t *ints = (const int64_t *)values + from;
    const double *floats = (const double *)values + from;
    const uint8_t *bools = (const uint8_t *)values + from;
#define EACH(PRINT)                                                                      \
    for (uint32_t i = 0; i < n; i++, text += VALUE_PRINT_MAX)                            \
        lens[i] = (uint8_t)(PRINT);                                                      \
    return true
    switch (t) {
    case TYPE_INT: EACH(value_print_int(ints[i], text));
    case TYPE_FLOAT:
        for (uint32_t i = 0; i < n; i += AT_ONCE)
            print_floats(floats + i, n - i < AT_ONCE ? n - i : AT_ONCE,
                         text + (size_t)i * VALUE_PRINT_MAX, lens + i);
        return true;
    case TYPE_BOOL: EACH(print_bool(bools[i] & 1, text));
    case TYPE_DATE: EACH(value_print_date(ints[i], text));
    case TYPE_TIMESTAMP: EACH(value_print_timestamp(ints[i], text));
    case TYPE_DURATION: EACH(value_print_duration(ints[i], text));
    case TYPE_SIZE: EACH(value_print_size(ints[i], text));
    case TYPE_STRING:
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: break;
    }
#undef EACH
    return false;
}
