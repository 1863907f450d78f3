/* call_time.c - what is asked of dates and timestamps: all in UTC. */
#include "base/time_pattern.h"

#include <stdlib.h>

#include "base/calendar.h"
#include "vm/call.h"

#define DAY_US INT64_C(86400000000)
#define MINUTE_US INT64_C(60000000)

/* The remainder first: the product could leave the range that the quotient is in. */
static inline int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

static inline int64_t year_of(int64_t days)
{
    int64_t y;
    unsigned m, d;
    civil_from_days(days, &y, &m, &d);
    return y;
}

static inline int64_t month_of(int64_t days)
{
    int64_t y;
    unsigned m, d;
    civil_from_days(days, &y, &m, &d);
    return m;
}

static inline int64_t day_of(int64_t days)
{
    int64_t y;
    unsigned m, d;
    civil_from_days(days, &y, &m, &d);
    return d;
}

static inline int64_t weekday_of(int64_t days)
{
    return floor_mod(days % 7 + 3, 7) + 1; /* day 0 was a Thursday */
}

static inline int64_t hour_of(int64_t us)
{
    return floor_mod(us, DAY_US) / (60 * MINUTE_US);
}

static inline int64_t minute_of(int64_t us)
{
    return floor_mod(us, 60 * MINUTE_US) / MINUTE_US;
}

static inline int64_t second_of(int64_t us)
{
    return floor_mod(us, MINUTE_US) / 1000000;
}

/* Null rows are computed too: any number is a day. */
#define EACH(f, x)                                                                                 \
    for (uint32_t i = 0; i < n; i++)                                                               \
        to[i] = f(x)

void call_time_column(Call *c, const uint64_t *live, Column *out, uint64_t *rest)
{
    (void)live;
    (void)rest;
    const Column *in = c->args[0].col;
    const int64_t *from = column_ints(in);
    int64_t *to = column_ints(out);
    uint32_t n = out->n_rows;
    bool is_date = in->type == TYPE_DATE;
    if (c->fn == BUILTIN_HOUR) {
        EACH(hour_of, from[i]);
    } else if (c->fn == BUILTIN_MINUTE) {
        EACH(minute_of, from[i]);
    } else if (c->fn == BUILTIN_SECOND) {
        EACH(second_of, from[i]);
    } else {
        if (is_date)
            memcpy(to, from, n * sizeof *to);
        else
            for (uint32_t i = 0; i < n; i++)
                to[i] = floor_div(from[i], DAY_US);
        if (c->fn == BUILTIN_YEAR)
            EACH(year_of, to[i]);
        else if (c->fn == BUILTIN_MONTH)
            EACH(month_of, to[i]);
        else if (c->fn == BUILTIN_DAY)
            EACH(day_of, to[i]);
        else
            EACH(weekday_of, to[i]);
    }
}

/* ---- one row ---- */

static int64_t days_of(const Call *c, uint32_t row)
{
    int64_t t = reg_int(&c->args[0], row);
    return c->args[0].type == TYPE_DATE ? t : floor_div(t, DAY_US);
}

bool call_now(Call *c, uint32_t row)
{
    (void)row;
    c->out.i = c->pass->inst->now_us;
    return true;
}

bool call_today(Call *c, uint32_t row)
{
    (void)row;
    c->out.i = floor_div(c->pass->inst->now_us, DAY_US);
    return true;
}

bool call_year(Call *c, uint32_t row)
{
    c->out.i = year_of(days_of(c, row));
    return true;
}

bool call_month(Call *c, uint32_t row)
{
    c->out.i = month_of(days_of(c, row));
    return true;
}

bool call_day(Call *c, uint32_t row)
{
    c->out.i = day_of(days_of(c, row));
    return true;
}

bool call_weekday(Call *c, uint32_t row)
{
    c->out.i = weekday_of(days_of(c, row));
    return true;
}

bool call_hour(Call *c, uint32_t row)
{
    c->out.i = hour_of(reg_int(&c->args[0], row));
    return true;
}

bool call_minute(Call *c, uint32_t row)
{
    c->out.i = minute_of(reg_int(&c->args[0], row));
    return true;
}

bool call_second(Call *c, uint32_t row)
{
    c->out.i = second_of(reg_int(&c->args[0], row));
    return true;
}

/* ---- patterns ---- */

static bool check_pattern(Call *c, Str pattern, bool reads)
{
    PatternError e;
    if (c->is_pattern_right)
        return true;
    c->is_pattern_right = c->args[1].is_const;
    if (time_pattern_check(pattern, reads, &e))
        return true;
    c->culprit = pattern;
    return call_fail(c, "%s", e.text);
}

bool call_format_time(Call *c, uint32_t row)
{
    Str pattern = reg_str(&c->args[1], row);
    int64_t t = reg_int(&c->args[0], row);
    if (!check_pattern(c, pattern, false))
        return false;
    char small[1024], *to = small;
    size_t most = TIME_PRINT_MAX(pattern.len);
    if (most > sizeof small)
        to = xmalloc(most);
    int64_t us_in_day = c->args[0].type == TYPE_DATE ? 0 : floor_mod(t, DAY_US);
    uint32_t n = time_print(days_of(c, row), us_in_day, pattern, to);
    char *bytes = call_bytes(c, n);
    memcpy(bytes, to, n);
    c->out.s = (Str){bytes, n};
    if (to != small)
        free(to);
    return true;
}

static void put_short(Buf *b, Str s, uint32_t max)
{
    buf_put_visible(b, str_slice(s, 0, max));
    if (s.len > max)
        buf_puts(b, "..");
}

bool call_parse_time(Call *c, uint32_t row)
{
    Str s = reg_str(&c->args[0], row), pattern = reg_str(&c->args[1], row);
    PatternError e;
    if (!check_pattern(c, pattern, true))
        return false;
    if (time_parse(s, pattern, &c->out.i, &e))
        return true;
    Buf b = {0};
    buf_putc(&b, '`');
    put_short(&b, s, 40);
    buf_puts(&b, "` is no `");
    put_short(&b, pattern, 40);
    buf_printf(&b, "`: %s", e.text);
    if (e.at < s.len) {
        buf_puts(&b, " at `");
        put_short(&b, str_slice(s, e.at, s.len), 20);
        buf_putc(&b, '`');
    }
    call_fail(c, "%s", b.ptr);
    buf_deinit(&b);
    c->culprit = s;
    return false;
}
