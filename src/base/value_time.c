/* value_time.c - dates and timestamps, read and printed. */
#include "base/calendar.h"
#include "base/value.h"
#include "base/value_scan.h"

#define US_PER_DAY (86400 * US_PER_S)

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
