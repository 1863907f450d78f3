#include "base/time_pattern.h"

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/value.h"

#define S_PER_DAY 86400
#define US_PER_S 1000000

static const char *const MONTHS[] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

/* ---- patterns ---- */

/* The next thing of a pattern: a byte that stands for itself (conversion 0), or a conversion. */
typedef struct Piece {
    char conversion, byte;
    bool is_bare; /* %-d */
} Piece;

static bool next_piece(Str pattern, uint32_t *at, Piece *out)
{
    if (*at >= pattern.len)
        return false;
    *out = (Piece){.byte = pattern.ptr[(*at)++]};
    if (out->byte != '%' || *at >= pattern.len)
        return true;
    out->conversion = pattern.ptr[(*at)++];
    if (out->conversion == '-' && *at < pattern.len) {
        out->is_bare = true;
        out->conversion = pattern.ptr[(*at)++];
    }
    return true;
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool fail(PatternError *err, uint32_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail(PatternError *err, uint32_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    err->at = at;
    return false;
}

bool time_pattern_check(Str pattern, bool reads, PatternError *err)
{
    uint32_t at = 0, from = 0;
    bool has_year = false, has_month = false, has_day = false;
    Piece p;
    for (; next_piece(pattern, &at, &p); from = at) {
        if (!p.conversion) {
            if (p.byte == '%')
                return fail(err, from, "a `%%` at the end; `%%%%` stands for itself");
            continue;
        }
        bool is_known = is_one_of(p.conversion, "YCymbBhdejHIMSpfaAuwGVUWzZsFTRDnt%");
        if (!is_known && (unsigned char)(p.conversion - 0x21) >= 0x5e) /* not to be shown */
            return fail(err, from, "a `%%` before what is no letter; `%%%%` stands for itself");
        if (!is_known || (p.is_bare && !is_one_of(p.conversion, "YymdejHIMSuwGVUW")))
            return fail(err, from, "there is no conversion `%%%s%c`", p.is_bare ? "-" : "",
                        p.conversion);
        if (reads && is_one_of(p.conversion, "CGVUW"))
            return fail(err, from, "`%%%c` can be written, not read", p.conversion);
        has_year |= is_one_of(p.conversion, "YyFDs");
        has_month |= is_one_of(p.conversion, "mbBhjFDs");
        has_day |= is_one_of(p.conversion, "de");
    }
    if (reads && !has_year)
        return fail(err, PATTERN_WHOLE, "a time has a year, and it reads none");
    if (reads && has_day && !has_month)
        return fail(err, PATTERN_WHOLE, "it reads a day, but no month");
    return true;
}

/* ---- writing ---- */

typedef struct Moment {
    int64_t days, year;
    unsigned month, day;
    uint32_t second_of_day, us;
} Moment;

static uint32_t day_of_year(const Moment *m) /* from 0 */
{
    return (uint32_t)(m->days - days_from_civil(m->year, 1, 1));
}

static uint32_t weekday(const Moment *m) /* 0: Sunday */
{
    return (uint32_t)((m->days % 7 + 11) % 7); /* day 0 was a Thursday */
}

static uint32_t year_length(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
}

static Moment moment_of(int64_t days, int64_t us_in_day)
{
    Moment m = {.days = days};
    civil_from_days(days, &m.year, &m.month, &m.day);
    m.second_of_day = (uint32_t)(us_in_day / US_PER_S);
    m.us = (uint32_t)(us_in_day % US_PER_S);
    return m;
}

/* Week of ISO 8601 and the year that it belongs to: that of its Thursday. */
static uint32_t iso_week(const Moment *m, int64_t *year)
{
    int32_t from_monday = (int32_t)(weekday(m) + 6) % 7;
    int32_t thursday = (int32_t)day_of_year(m) - from_monday + 3;
    int32_t length = (int32_t)year_length(m->year);
    *year = m->year;
    if (thursday < 0) {
        --*year;
        thursday += (int32_t)year_length(*year);
    } else if (thursday >= length) {
        ++*year;
        thursday -= length;
    }
    return (uint32_t)thursday / 7 + 1;
}

static char *put_number(char *out, uint64_t v, int width, char pad)
{
    if (width == 2 && v - 10 < 90) { /* most of them */
        *out++ = (char)('0' + v / 10);
        *out++ = (char)('0' + v % 10);
        return out;
    }
    char digits[20];
    int n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    for (; width > n; width--)
        *out++ = pad;
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

static char *put_name(char *out, const char *name, size_t n)
{
    memcpy(out, name, n);
    return out + n;
}

static char *put_year(char *out, int64_t y, bool is_bare)
{
    if (y < 0)
        *out++ = '-';
    return put_number(out, y < 0 ? -(uint64_t)y : (uint64_t)y, is_bare ? 1 : 4, '0');
}

static char *put_seconds(char *out, const Moment *m)
{
    int64_t s; /* of a day that no timestamp reaches it may be too much */
    if (__builtin_mul_overflow(m->days, S_PER_DAY, &s) || __builtin_add_overflow(s, m->second_of_day, &s))
        s = m->days < 0 ? INT64_MIN : INT64_MAX;
    return out + value_print_int(s, out);
}

static char *put_conversion(char *out, const Moment *m, Piece p)
{
    uint32_t hour = m->second_of_day / 3600, minute = m->second_of_day / 60 % 60,
             second = m->second_of_day % 60;
    int wide = p.is_bare ? 1 : 2;
    int64_t century = m->year / 100 - (m->year % 100 < 0), iso_year;
    switch (p.conversion) {
    case 'Y': return put_year(out, m->year, p.is_bare);
    case 'C':
        if (century < 0)
            *out++ = '-';
        return put_number(out, century < 0 ? -(uint64_t)century : (uint64_t)century, 2, '0');
    case 'y': return put_number(out, (uint64_t)(m->year - century * 100), wide, '0');
    case 'm': return put_number(out, m->month, wide, '0');
    case 'b':
    case 'h': return put_name(out, MONTHS[m->month - 1], 3);
    case 'B': return put_name(out, MONTHS[m->month - 1], strlen(MONTHS[m->month - 1]));
    case 'd': return put_number(out, m->day, wide, '0');
    case 'e': return put_number(out, m->day, wide, ' ');
    case 'j': return put_number(out, day_of_year(m) + 1, p.is_bare ? 1 : 3, '0');
    case 'H': return put_number(out, hour, wide, '0');
    case 'I': return put_number(out, hour % 12 ? hour % 12 : 12, wide, '0');
    case 'M': return put_number(out, minute, wide, '0');
    case 'S': return put_number(out, second, wide, '0');
    case 'p': return put_name(out, hour < 12 ? "AM" : "PM", 2);
    case 'f': return put_number(out, m->us, 6, '0');
    case 'a': return put_name(out, DAYS[weekday(m)], 3);
    case 'A': return put_name(out, DAYS[weekday(m)], strlen(DAYS[weekday(m)]));
    case 'u': return put_number(out, weekday(m) ? weekday(m) : 7, 1, '0');
    case 'w': return put_number(out, weekday(m), 1, '0');
    case 'G': iso_week(m, &iso_year); return put_year(out, iso_year, p.is_bare);
    case 'V': return put_number(out, iso_week(m, &iso_year), wide, '0');
    case 'U': return put_number(out, (day_of_year(m) + 7 - weekday(m)) / 7, wide, '0');
    case 'W': return put_number(out, (day_of_year(m) + 7 - (weekday(m) + 6) % 7) / 7, wide, '0');
    case 'z': return put_name(out, "+0000", 5);
    case 'Z': return put_name(out, "UTC", 3);
    case 's': return put_seconds(out, m);
    case 'F': return out + value_print_date(m->days, out);
    case 'D':
        out = put_number(out, m->month, 2, '0');
        *out++ = '/';
        out = put_number(out, m->day, 2, '0');
        *out++ = '/';
        return put_number(out, (uint64_t)(m->year - century * 100), 2, '0');
    case 'T':
    case 'R':
        out = put_number(out, hour, 2, '0');
        *out++ = ':';
        out = put_number(out, minute, 2, '0');
        if (p.conversion == 'R')
            return out;
        *out++ = ':';
        return put_number(out, second, 2, '0');
    case 'n': *out++ = '\n'; return out;
    case 't': *out++ = '\t'; return out;
    }
    *out++ = '%';
    return out;
}

uint32_t time_print(int64_t days, int64_t us_in_day, Str pattern, char *out)
{
    Moment m = moment_of(days, us_in_day);
    char *to = out;
    uint32_t at = 0;
    Piece p;
    while (next_piece(pattern, &at, &p))
        if (p.conversion)
            to = put_conversion(to, &m, p);
        else
            *to++ = p.byte;
    return (uint32_t)(to - out);
}

/* ---- reading ---- */

typedef struct Reading {
    const char *p, *end;
    int64_t year, epoch_s, offset_s;
    uint32_t month, day, day_of_year, hour, hour12, minute, second, us;
    bool has_epoch, is_pm;
} Reading;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_blanks(Reading *r)
{
    while (r->p < r->end && is_blank(*r->p))
        r->p++;
}

/* A number of min to max digits, in [low, high]. */
static bool read_number(Reading *r, int min, int max, uint32_t low, uint32_t high, uint32_t *out)
{
    uint32_t v = 0;
    int n = 0;
    for (; n < max && r->p < r->end && is_digit(*r->p); n++)
        v = v * 10 + (uint32_t)(*r->p++ - '0');
    *out = v;
    return n >= min && v >= low && v <= high;
}

static bool read_byte(Reading *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static bool read_word(Reading *r, const char *word, size_t n)
{
    if ((size_t)(r->end - r->p) < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((r->p[i] | 0x20) != (word[i] | 0x20))
            return false;
    r->p += n;
    return true;
}

/* A full name before its first three letters. */
static bool read_name(Reading *r, const char *const *names, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        if (read_word(r, names[i], strlen(names[i])) || read_word(r, names[i], 3)) {
            *out = i;
            return true;
        }
    return false;
}

static bool read_year(Reading *r)
{
    uint32_t v;
    bool is_negative = read_byte(r, '-'), is_long = is_negative || read_byte(r, '+');
    if (!read_number(r, 4, is_long ? 9 : 4, 0, 999999999, &v))
        return false;
    r->year = is_negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool read_fraction(Reading *r)
{
    const char *from = r->p;
    uint32_t v;
    if (!read_number(r, 1, 9, 0, 999999999, &v))
        return false;
    for (long n = r->p - from; n < 9; n++)
        v *= 10;
    r->us = v / 1000;
    return true;
}

static bool read_zone(Reading *r)
{
    uint32_t hours, minutes = 0;
    r->offset_s = 0;
    if (read_byte(r, 'Z') || read_byte(r, 'z'))
        return true;
    bool is_negative = read_byte(r, '-');
    if ((!is_negative && !read_byte(r, '+')) || !read_number(r, 2, 2, 0, 23, &hours))
        return false;
    bool has_colon = read_byte(r, ':');
    if ((has_colon || (r->p < r->end && is_digit(*r->p))) && !read_number(r, 2, 2, 0, 59, &minutes))
        return false;
    r->offset_s = (int64_t)hours * 3600 + minutes * 60;
    if (is_negative)
        r->offset_s = -r->offset_s;
    return true;
}

static bool read_epoch(Reading *r)
{
    const char *from = r->p;
    if (r->p < r->end && *r->p == '-')
        r->p++;
    while (r->p < r->end && is_digit(*r->p))
        r->p++;
    r->has_epoch = true;
    return value_parse_int((Str){from, (uint32_t)(r->p - from)}, &r->epoch_s);
}

static bool read_conversion(Reading *r, char conversion)
{
    uint32_t v;
    switch (conversion) {
    case 'Y': return read_year(r);
    case 'y':
        if (!read_number(r, 1, 2, 0, 99, &v))
            return false;
        r->year = v < 69 ? 2000 + v : 1900 + v;
        return true;
    case 'm': return read_number(r, 1, 2, 1, 12, &r->month);
    case 'b':
    case 'B':
    case 'h':
        if (!read_name(r, MONTHS, 12, &v))
            return false;
        r->month = v + 1;
        return true;
    case 'e': skip_blanks(r); return read_number(r, 1, 2, 1, 31, &r->day);
    case 'd': return read_number(r, 1, 2, 1, 31, &r->day);
    case 'j': return read_number(r, 1, 3, 1, 366, &r->day_of_year);
    case 'H': return read_number(r, 1, 2, 0, 23, &r->hour);
    case 'I': return read_number(r, 1, 2, 1, 12, &r->hour12);
    case 'M': return read_number(r, 1, 2, 0, 59, &r->minute);
    case 'S': return read_number(r, 1, 2, 0, 59, &r->second);
    case 'p':
        r->is_pm = read_word(r, "PM", 2);
        return r->is_pm || read_word(r, "AM", 2);
    case 'f': return read_fraction(r);
    case 'a':
    case 'A': return read_name(r, DAYS, 7, &v);
    case 'u': return read_number(r, 1, 1, 1, 7, &v);
    case 'w': return read_number(r, 1, 1, 0, 6, &v);
    case 'z': return read_zone(r);
    case 'Z': return read_word(r, "UTC", 3) || read_word(r, "GMT", 3) || read_word(r, "Z", 1);
    case 's': return read_epoch(r);
    case 'F':
        return read_year(r) && read_byte(r, '-') && read_number(r, 1, 2, 1, 12, &r->month) &&
               read_byte(r, '-') && read_number(r, 1, 2, 1, 31, &r->day);
    case 'D':
        return read_conversion(r, 'm') && read_byte(r, '/') && read_conversion(r, 'd') &&
               read_byte(r, '/') && read_conversion(r, 'y');
    case 'R': return read_conversion(r, 'H') && read_byte(r, ':') && read_conversion(r, 'M');
    case 'T': return read_conversion(r, 'R') && read_byte(r, ':') && read_conversion(r, 'S');
    case 'n':
    case 't': skip_blanks(r); return true;
    }
    return read_byte(r, '%');
}

/* The time that was read; false: there is no such day, or it is too far away. */
static bool reading_us(const Reading *r, int64_t *us, const char **why)
{
    int64_t days, seconds, y;
    unsigned m, d;
    uint32_t hour = r->hour12 ? r->hour12 % 12 + (r->is_pm ? 12 : 0) : r->hour;
    if (r->day_of_year && !r->month)
        days = days_from_civil(r->year, 1, 1) + r->day_of_year - 1;
    else
        days = days_from_civil(r->year, r->month ? r->month : 1, r->day ? r->day : 1);
    civil_from_days(days, &y, &m, &d);
    *why = "there is no such day";
    if (y != r->year || (r->month && m != r->month))
        return false;
    seconds = days * S_PER_DAY + hour * 3600 + r->minute * 60 + r->second - r->offset_s;
    if (r->has_epoch)
        seconds = r->epoch_s;
    *why = "it is beyond what a timestamp holds";
    return !__builtin_mul_overflow(seconds, US_PER_S, us) && !__builtin_add_overflow(*us, r->us, us);
}

bool time_parse(Str s, Str pattern, int64_t *us, PatternError *err)
{
    Reading r = {.p = s.ptr, .end = s.len ? s.ptr + s.len : s.ptr}; /* of an empty text ptr may be NULL */
    uint32_t at = 0;
    Piece p;
    while (next_piece(pattern, &at, &p)) {
        const char *from = r.p;
        if (!p.conversion && is_blank(p.byte)) {
            skip_blanks(&r);
        } else if (p.conversion ? !read_conversion(&r, p.conversion) : !read_byte(&r, p.byte)) {
            char what[4] = {'%', p.conversion, 0, 0};
            if (!p.conversion)
                what[0] = p.byte;
            return fail(err, (uint32_t)(from - s.ptr), "`%s` does not fit", what);
        }
    }
    if (r.p < r.end)
        return fail(err, (uint32_t)(r.p - s.ptr), "the pattern ends");
    const char *why;
    return reading_us(&r, us, &why) || fail(err, s.len, "%s", why);
}

/* ---- forms ---- */

const char *const TIME_FORMS[] = {"%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%b %d, %Y",
                                  "%d-%b-%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M",
                                  "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
                                  "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M:%S", "%a, %d %b %Y %H:%M:%S %z",
                                  "%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %z", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", NULL};

const char *time_form(Str s)
{
    int64_t us;
    PatternError why;
    for (const char *const *form = TIME_FORMS; *form; form++)
        if (time_parse(s, str_of(*form), &us, &why))
            return *form;
    return NULL;
}
