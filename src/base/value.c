/* How to read it: numbers, then the calendar, timestamps, durations and sizes, each parse
 * beside its print; last what works on any type. Parsers move a Scan over the text. */
#include "base/value.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/decimal.h"
#include "base/time_pattern.h"
#include "base/utf8.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_S)

typedef struct Scan {
    const char *p, *end;
} Scan;

static Scan scan_of(Str s)
{
    return (Scan){s.ptr, s.len ? s.ptr + s.len : s.ptr};
}

static bool scan_done(const Scan *sc)
{
    return sc->p == sc->end;
}

static bool scan_char(Scan *sc, char c)
{
    if (sc->p == sc->end || *sc->p != c)
        return false;
    sc->p++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One digit or more; false if none is there or they do not fit. */
static bool scan_u64(Scan *sc, uint64_t *out)
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
static bool scan_digits(Scan *sc, uint32_t n, uint32_t *out)
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
static bool signed_of(uint64_t magnitude, bool is_negative, int64_t *out)
{
    if (magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static uint64_t magnitude_of(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static const uint64_t POW10_INTS[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

/* At least `width` digits, zeros in front. Returns the end. */
static char *put_u64(char *out, uint64_t v, uint32_t width)
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
static char *put_fraction(char *out, uint64_t us)
{
    if (us == 0)
        return out;
    *out++ = '.';
    out = put_u64(out, us, 6);
    while (out[-1] == '0')
        out--;
    return out;
}

/* int, float, bool */

bool value_parse_int(Str s, int64_t *out)
{
    Scan sc = scan_of(s);
    bool is_negative = scan_char(&sc, '-');
    uint64_t v;
    return scan_u64(&sc, &v) && scan_done(&sc) && signed_of(v, is_negative, out);
}

/* word is in lower case. */
static bool is_word(Str s, const char *word)
{
    uint32_t i = 0;
    for (; i < s.len && word[i]; i++)
        if ((s.ptr[i] | 0x20) != word[i]) /* lower-cases the letters */
            return false;
    return i == s.len && !word[i];
}

bool value_parse_float(Str s, double *out)
{
    bool is_negative = s.len > 0 && s.ptr[0] == '-';
    if (is_negative)
        s = (Str){s.ptr + 1, s.len - 1};
    if (decimal_parse(s, out)) {
    } else if (is_word(s, "inf") || is_word(s, "infinity")) {
        *out = HUGE_VAL;
    } else if (is_word(s, "nan")) {
        *out = (double)NAN;
    } else {
        return false;
    }
    if (is_negative)
        *out = -*out;
    return true;
}

bool value_parse_bool(Str s, bool *out)
{
    *out = is_word(s, "true");
    return *out || is_word(s, "false");
}

#define N_POW10_INTS (int64_t)(sizeof POW10_INTS / sizeof *POW10_INTS)

/* v without its last n digits, half up. */
static uint64_t drop_digits(uint64_t v, int64_t n)
{
    if (n >= N_POW10_INTS)
        return 0; /* UINT64_MAX is below half of 10^20 */
    uint64_t unit = POW10_INTS[n], rest = v % unit;
    return v / unit + (rest >= unit - rest);
}

double value_round_float(double v, int64_t n_digits)
{
    if (!isfinite(v) || n_digits > 400)
        return v;
    if (n_digits < -400)
        return copysign(0.0, v);
    Decimal d = decimal_of_double(v);
    int64_t n_dropped = -(d.exp10 + n_digits);
    if (n_dropped <= 0)
        return v;
    return copysign(decimal_to_double(drop_digits(d.digits, n_dropped), (int32_t)-n_digits),
                    v);
}

bool value_round_int(int64_t v, int64_t n_digits, int64_t *out)
{
    uint64_t magnitude = magnitude_of(v);
    if (n_digits < 0) {
        int64_t n_dropped = n_digits < -N_POW10_INTS ? N_POW10_INTS : -n_digits;
        magnitude = drop_digits(magnitude, n_dropped);
        if (magnitude > 0 && magnitude > UINT64_MAX / POW10_INTS[n_dropped])
            return false;
        if (magnitude > 0)
            magnitude *= POW10_INTS[n_dropped];
    }
    return signed_of(magnitude, v < 0, out);
}

int value_cmp(const Value *a, const Value *b)
{
    if (a->type == TYPE_STRING)
        return str_cmp(a->s, b->s);
    if (a->type != TYPE_FLOAT)
        return (a->i > b->i) - (a->i < b->i);
    if (isnan(a->f) || isnan(b->f))
        return (isnan(a->f) != 0) - (isnan(b->f) != 0);
    return (a->f > b->f) - (a->f < b->f);
}

/* date. The calendar repeats every 400 years of 146097 days; years are counted from
 * 1 March, so that the leap day is the last: Howard Hinnant, "chrono-compatible low-level
 * date algorithms". */

#define DAYS_PER_ERA 146097
#define EPOCH_DAYS 719468 /* 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400);
    int64_t year = y - era * 400;
    int64_t month = (m + 9) % 12; /* from March */
    int64_t day = (153 * month + 2) / 5 + d - 1;
    return era * DAYS_PER_ERA + year * 365 + year / 4 - year / 100 + day - EPOCH_DAYS;
}

/* A million years around 1970 in 32 bits, where divisions are multiplications: Neri and Schneider,
 * "Euclidean affine functions and their application to calendar algorithms". */
#define NEAR_YEARS 400000
#define NEAR_DAYS (EPOCH_DAYS + NEAR_YEARS / 400 * (int64_t)DAYS_PER_ERA) /* before 1970: from there days are counted */

static void civil_of_near(uint32_t n, int64_t *y, unsigned *m, unsigned *d)
{
    uint32_t in_century = (4 * n + 3) % DAYS_PER_ERA / 4;
    uint64_t years = UINT64_C(2939745) * (4 * in_century + 3); /* 2^32 is a year */
    uint32_t in_year = (uint32_t)years / 2939745 / 4;
    uint32_t months = 2141 * in_year + 197913; /* 2^16 is a month, the third is March */
    bool is_next = in_year >= 306;
    *y = (int64_t)((4 * n + 3) / DAYS_PER_ERA * 100 + (uint32_t)(years >> 32) + is_next) - NEAR_YEARS;
    *m = (months >> 16) - (is_next ? 12 : 0);
    *d = (months & 0xffff) / 2141 + 1;
}

void civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    if (days >= -NEAR_DAYS && days < 2 * NEAR_DAYS) {
        civil_of_near((uint32_t)(days + NEAR_DAYS), y, m, d);
        return;
    }
    /* Whole eras first: days + EPOCH_DAYS could overflow. */
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t rest = days % DAYS_PER_ERA;
    rest += (rest < 0 ? DAYS_PER_ERA : 0) + EPOCH_DAYS;
    era += rest / DAYS_PER_ERA;
    rest %= DAYS_PER_ERA;
    int64_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t day = rest - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;
    *d = (unsigned)(day - (153 * month + 2) / 5 + 1);
    *m = (unsigned)(month < 10 ? month + 3 : month - 9);
    *y = year + era * 400 + (*m <= 2);
}

static bool scan_date(Scan *sc, int64_t *days)
{
    bool is_negative = scan_char(sc, '-');
    bool is_long = is_negative || scan_char(sc, '+');
    const char *start = sc->p;
    uint64_t year;
    uint32_t month, day;
    if (!scan_u64(sc, &year) || year > 999999999)
        return false;
    ptrdiff_t n = sc->p - start;
    if (is_long ? n < 4 : n != 4)
        return false;
    if (!scan_char(sc, '-') || !scan_digits(sc, 2, &month) || !scan_char(sc, '-') ||
        !scan_digits(sc, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *days = days_from_civil(is_negative ? -(int64_t)year : (int64_t)year, month, day);
    if (day > 28) { /* the 31st of a short month comes back as another day */
        int64_t y;
        unsigned m, d;
        civil_from_days(*days, &y, &m, &d);
        return d == day;
    }
    return true;
}

static char *put_date(char *out, int64_t days)
{
    int64_t y;
    unsigned m, d;
    civil_from_days(days, &y, &m, &d);
    if (y < 0)
        *out++ = '-';
    else if (y > 9999)
        *out++ = '+';
    out = put_u64(out, magnitude_of(y), 4);
    *out++ = '-';
    out = put_u64(out, m, 2);
    *out++ = '-';
    return put_u64(out, d, 2);
}

bool value_parse_date(Str s, int64_t *days)
{
    Scan sc = scan_of(s);
    return scan_date(&sc, days) && scan_done(&sc);
}

uint32_t value_print_date(int64_t days, char *out)
{
    return (uint32_t)(put_date(out, days) - out);
}

/* timestamp */

/* Digits after a point, as microseconds; what is smaller is cut off. */
static bool scan_fraction(Scan *sc, uint32_t *us)
{
    const char *start = sc->p;
    uint32_t unit = 100000, v = 0;
    for (; sc->p < sc->end && is_digit(*sc->p); sc->p++, unit /= 10)
        v += unit * (uint32_t)(*sc->p - '0');
    *us = v;
    return sc->p > start;
}

/* Nothing, Z, +01:00, +0100 or +01. */
static bool scan_zone(Scan *sc, int64_t *offset_s)
{
    uint32_t hours, minutes = 0;
    *offset_s = 0;
    if (scan_done(sc) || scan_char(sc, 'Z'))
        return true;
    bool is_negative = scan_char(sc, '-');
    if (!is_negative && !scan_char(sc, '+'))
        return false;
    if (!scan_digits(sc, 2, &hours))
        return false;
    if (!scan_done(sc)) {
        scan_char(sc, ':');
        if (!scan_digits(sc, 2, &minutes))
            return false;
    }
    if (hours > 23 || minutes > 59)
        return false;
    *offset_s = (int64_t)hours * 3600 + minutes * 60;
    if (is_negative)
        *offset_s = -*offset_s;
    return true;
}

bool value_parse_timestamp(Str s, int64_t *us)
{
    Scan sc = scan_of(s);
    int64_t days, offset_s;
    uint32_t hour, minute, second = 0, fraction = 0;
    if (!scan_date(&sc, &days) || (!scan_char(&sc, 'T') && !scan_char(&sc, ' ')))
        return false;
    if (!scan_digits(&sc, 2, &hour) || !scan_char(&sc, ':') || !scan_digits(&sc, 2, &minute))
        return false;
    if (scan_char(&sc, ':')) {
        if (!scan_digits(&sc, 2, &second))
            return false;
        if (scan_char(&sc, '.') && !scan_fraction(&sc, &fraction))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (!scan_zone(&sc, &offset_s) || !scan_done(&sc))
        return false;
    int64_t seconds = (int64_t)hour * 3600 + minute * 60 + second - offset_s;
    seconds += days * 86400; /* |days| < 10^12: years have at most nine digits */
    int64_t lowest = INT64_MIN / US_PER_S - 1, highest = INT64_MAX / US_PER_S;
    if (seconds < lowest || seconds > highest)
        return false;
    /* Both parts of one sign, so that no step leaves the range that the sum is in. */
    int64_t rest = fraction;
    if (seconds < 0 && rest > 0) {
        seconds++;
        rest -= US_PER_S;
    }
    if (seconds == lowest || (seconds > 0 && rest > INT64_MAX - seconds * US_PER_S) ||
        (seconds < 0 && rest < INT64_MIN - seconds * US_PER_S))
        return false;
    *us = seconds * US_PER_S + rest;
    return true;
}

uint32_t value_print_timestamp(int64_t us, char *out)
{
    int64_t days = floor_div(us, US_PER_DAY);
    /* In two steps: days * US_PER_DAY is below INT64_MIN for the first day there is. */
    int64_t rest = us % US_PER_DAY;
    uint64_t in_day = (uint64_t)(rest < 0 ? rest + US_PER_DAY : rest);
    uint64_t second = in_day / (uint64_t)US_PER_S;
    char *p = put_date(out, days);
    *p++ = 'T';
    p = put_u64(p, second / 3600, 2);
    *p++ = ':';
    p = put_u64(p, second / 60 % 60, 2);
    *p++ = ':';
    p = put_u64(p, second % 60, 2);
    p = put_fraction(p, in_day % (uint64_t)US_PER_S);
    *p++ = 'Z';
    return (uint32_t)(p - out);
}

/* duration and size: numbers with a unit */

typedef struct Unit {
    const char *name;
    uint64_t value;
} Unit;

static const Unit DURATION_UNITS[] = {
    {"d", 86400000000}, {"h", 3600000000}, {"m", 60000000},
    {"s", 1000000},     {"ms", 1000},      {"us", 1},
};
/* The order in which printing tries them. */
static const Unit SIZE_UNITS[] = {
    {"TB", 1000000000000}, {"GiB", 1u << 30}, {"GB", 1000000000}, {"MiB", 1u << 20},
    {"MB", 1000000},       {"KiB", 1u << 10}, {"kB", 1000},       {"B", 1},
};
#define N_UNITS(units) (uint32_t)(sizeof(units) / sizeof *(units))

/* A number, perhaps with a fraction, and the letters after it: one of units[*first..n).
 * *first moves past that unit. False also when it is not a whole number of what the
 * units count, or does not fit. */
static bool scan_quantity(Scan *sc, const Unit *units, uint32_t n_units, uint32_t *first,
                          uint64_t *out, bool *has_fraction)
{
    uint64_t whole;
    if (!scan_u64(sc, &whole))
        return false;
    Str fraction = {sc->p, 0};
    *has_fraction = scan_char(sc, '.');
    if (*has_fraction) {
        fraction.ptr = sc->p;
        for (; sc->p < sc->end && is_digit(*sc->p); sc->p++)
            fraction.len++;
        if (fraction.len == 0)
            return false;
        while (fraction.len > 0 && fraction.ptr[fraction.len - 1] == '0')
            fraction.len--;
    }
    Str name = {sc->p, 0};
    while (sc->p < sc->end && !is_digit(*sc->p)) {
        sc->p++;
        name.len++;
    }
    while (*first < n_units && !str_is(name, units[*first].name))
        (*first)++;
    if (*first == n_units)
        return false;
    uint64_t unit = units[(*first)++].value;
    if (whole > UINT64_MAX / unit)
        return false;
    *out = whole * unit;
    if (fraction.len > 18)
        return false;
    uint64_t rest = 0, scale = 1; /* the fraction is rest / scale */
    for (uint32_t i = 0; i < fraction.len; i++) {
        scale *= 10;
        rest = rest * 10 + (uint64_t)(fraction.ptr[i] - '0');
    }
    /* rest / scale * unit must be whole; scale and unit are reduced first. */
    uint64_t gcd = unit, r = scale;
    while (r) {
        uint64_t t = gcd % r;
        gcd = r;
        r = t;
    }
    if (rest % (scale / gcd) != 0)
        return false;
    uint64_t more = rest / (scale / gcd) * (unit / gcd);
    if (*out > UINT64_MAX - more)
        return false;
    *out += more;
    return true;
}

bool value_parse_duration(Str s, int64_t *us)
{
    Scan sc = scan_of(s);
    bool is_negative = scan_char(&sc, '-'), has_fraction = false;
    uint64_t sum = 0, part;
    uint32_t unit = 0;
    do {
        if (has_fraction || !scan_quantity(&sc, DURATION_UNITS, N_UNITS(DURATION_UNITS),
                                           &unit, &part, &has_fraction))
            return false;
        if (sum > UINT64_MAX - part)
            return false;
        sum += part;
    } while (!scan_done(&sc));
    return signed_of(sum, is_negative, us);
}

uint32_t value_print_duration(int64_t us, char *out)
{
    char *p = out;
    uint64_t rest = magnitude_of(us);
    if (us < 0)
        *p++ = '-';
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t n = rest / DURATION_UNITS[i].value;
        rest %= DURATION_UNITS[i].value;
        if (n > 0) {
            p = put_u64(p, n, 1);
            *p++ = DURATION_UNITS[i].name[0];
        }
    }
    if (rest > 0 || us == 0) {
        p = put_u64(p, rest / (uint64_t)US_PER_S, 1);
        p = put_fraction(p, rest % (uint64_t)US_PER_S);
        *p++ = 's';
    }
    return (uint32_t)(p - out);
}

bool value_parse_size(Str s, int64_t *bytes)
{
    Scan sc = scan_of(s);
    bool is_negative = scan_char(&sc, '-'), has_fraction;
    uint64_t v;
    uint32_t unit = 0;
    return scan_quantity(&sc, SIZE_UNITS, N_UNITS(SIZE_UNITS), &unit, &v, &has_fraction) &&
           scan_done(&sc) && signed_of(v, is_negative, bytes);
}

uint32_t value_print_size(int64_t bytes, char *out)
{
    char *p = out;
    uint64_t v = magnitude_of(bytes);
    const Unit *unit = SIZE_UNITS;
    while (v == 0 ? unit->value != 1 : v % unit->value != 0)
        unit++;
    if (bytes < 0)
        *p++ = '-';
    p = put_u64(p, v / unit->value, 1);
    size_t n = strlen(unit->name);
    memcpy(p, unit->name, n);
    return (uint32_t)(p + n - out);
}

/* Any type */

static const char INT_RANGE[] =
    "a number from -9223372036854775808 to 9223372036854775807";

bool value_is_whole(Str s)
{
    Scan sc = scan_of(s);
    scan_char(&sc, '-');
    const char *start = sc.p;
    while (!scan_done(&sc) && is_digit(*sc.p))
        sc.p++;
    return scan_done(&sc) && sc.p > start;
}

bool value_parse(Type t, Str s, Value *out, const char **why)
{
    const char *expected = "";
    bool ok = false, truth = false;
    *out = (Value){.type = t};
    switch (t) {
    case TYPE_BOOL:
        ok = value_parse_bool(s, &truth);
        out->i = truth;
        expected = "true or false";
        break;
    case TYPE_INT:
        ok = value_parse_int(s, &out->i);
        expected = value_is_whole(s) ? INT_RANGE : "a whole number";
        break;
    case TYPE_FLOAT:
        ok = value_parse_float(s, &out->f);
        expected = "a number";
        break;
    case TYPE_STRING:
        ok = true;
        out->s = s;
        break;
    case TYPE_DATE:
        ok = value_parse_date(s, &out->i);
        expected = "a date such as 2026-01-02";
        break;
    case TYPE_TIMESTAMP:
        ok = value_parse_timestamp(s, &out->i);
        expected = "a timestamp such as 2026-01-02T03:04:05Z";
        break;
    case TYPE_DURATION:
        ok = value_parse_duration(s, &out->i);
        expected = "a duration such as 1h30m or 0.5s (d h m s ms us)";
        break;
    case TYPE_SIZE:
        ok = value_parse_size(s, &out->i);
        expected = "a size such as 64kB (B kB MB GB TB KiB MiB GiB)";
        break;
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES:
        expected = "a type with values that can be read";
        break;
    }
    if (!ok && why)
        *why = expected;
    return ok;
}

const char *value_hint(Type t, Str s)
{
    bool is_time = t == TYPE_DATE || t == TYPE_TIMESTAMP;
    int64_t days;
    if (t == TYPE_TIMESTAMP && value_parse_date(s, &days))
        return " (of a date it is made by `timestamp(date(x))`)";
    return is_time && time_form(s) ? " (`parse_time` reads other forms)" : "";
}

void value_print(Buf *b, Value v)
{
    if (v.is_null)
        return;
    buf_reserve(b, VALUE_PRINT_MAX);
    char *out = b->ptr + b->len;
    uint32_t n = 0;
    switch (v.type) {
    case TYPE_BOOL: buf_puts(b, v.i ? "true" : "false"); return;
    case TYPE_STRING: buf_put_str(b, v.s); return;
    case TYPE_INT: n = value_print_int(v.i, out); break;
    case TYPE_FLOAT: n = value_print_float(v.f, out); break;
    case TYPE_DATE: n = value_print_date(v.i, out); break;
    case TYPE_TIMESTAMP: n = value_print_timestamp(v.i, out); break;
    case TYPE_DURATION: n = value_print_duration(v.i, out); break;
    case TYPE_SIZE: n = value_print_size(v.i, out); break;
    case TYPE_ERROR:
    case TYPE_NULL:
    case TYPE_TABLE:
    case TYPE_LIST:
    case N_TYPES: break;
    }
    b->len += n;
    b->ptr[b->len] = '\0';
}

static void print_quoted(Buf *b, Str s)
{
    buf_putc(b, '"');
    for (uint32_t i = 0; i < s.len;) {
        uint32_t cp, n = utf8_decode(s.ptr + i, s.len - i, &cp);
        if (cp == '\n')
            buf_puts(b, "\\n");
        else if (cp == '\t')
            buf_puts(b, "\\t");
        else if (cp == '"' || cp == '\\')
            buf_printf(b, "\\%c", (int)cp);
        else if (cp == '{')
            buf_puts(b, "{{");
        else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp == 0xfffd && n == 1))
            buf_printf(b, "\\u{%x}", cp);
        else
            buf_put(b, s.ptr + i, n);
        i += n;
    }
    buf_putc(b, '"');
}

void value_print_literal(Buf *b, Value v)
{
    bool is_call = v.type == TYPE_DATE || v.type == TYPE_TIMESTAMP ||
                   (v.type == TYPE_FLOAT && !isfinite(v.f));
    if (v.is_null || v.type == TYPE_NULL) {
        buf_puts(b, "null");
    } else if (v.type == TYPE_STRING) {
        print_quoted(b, v.s);
    } else if (is_call) {
        buf_printf(b, "%s(\"", type_name(v.type));
        value_print(b, v);
        buf_puts(b, "\")");
    } else {
        value_print(b, v);
    }
}
