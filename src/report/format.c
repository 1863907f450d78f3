#include "report/format.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define US 1000ull
#define MS (1000 * US)
#define SEC (1000 * MS)

void time_put(Buf *out, uint64_t ns)
{
    /* Limits where three digits would round up into the next unit. */
    static const struct {
        uint64_t below, unit;
        int digits;
        const char *name;
    } forms[] = {
        {999, 1, 0, "ns"},           {9995, US, 2, "us"},
        {99950, US, 1, "us"},        {999500, US, 0, "us"},
        {9995 * US, MS, 2, "ms"},    {99950 * US, MS, 1, "ms"},
        {999500 * US, MS, 0, "ms"},  {9995 * MS, SEC, 2, "s"},
        {99950 * MS, SEC, 1, "s"},   {120 * SEC, SEC, 0, "s"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (ns < forms[i].below) {
            buf_printf(out, "%.*f %s", forms[i].digits,
                       (double)ns / (double)forms[i].unit, forms[i].name);
            return;
        }
    unsigned long long s = (ns + SEC / 2) / SEC;
    if (s < 3600)
        buf_printf(out, "%llum%02llus", s / 60, s % 60);
    else
        buf_printf(out, "%lluh%02llum", s / 3600, s / 60 % 60);
}

void count_put(Buf *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_putc(out, ',');
        buf_putc(out, digits[i]);
    }
}

void bytes_put(Buf *out, uint64_t n)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double v = (double)n;
    size_t u = 0;
    for (; v >= 999.5 && u + 1 < sizeof units / sizeof *units; u++)
        v /= 1000;
    buf_printf(out, "%.*f %s", u && v < 9.95 ? 1 : 0, v, units[u]);
}

Str column_fit(Str s, uint32_t width)
{
    uint32_t at = 0;
    while (at < s.len) {
        uint32_t cp, n = utf8_decode(s.ptr + at, s.len - at, &cp);
        uint32_t w = utf8_width(str_slice(s, at, n));
        if (w > width)
            break;
        width -= w;
        at += n;
    }
    return str_slice(s, 0, at);
}

static void blanks_put(Buf *out, uint32_t n)
{
    buf_printf(out, "%*s", (int)n, "");
}

void column_put(Buf *out, Str s, uint32_t width, bool is_ascii)
{
    Buf shown = {0};
    buf_put_visible(&shown, s);
    Str text = buf_str(&shown);
    if (utf8_width(text) > width && width > 0) {
        text = column_fit(text, width - 1);
        buf_put_str(out, text);
        buf_puts(out, is_ascii ? "~" : "\xe2\x80\xa6");
        blanks_put(out, width - 1 - utf8_width(text));
    } else if (width > 0) {
        buf_put_str(out, text);
        blanks_put(out, width - utf8_width(text));
    }
    buf_deinit(&shown);
}

void column_put_right(Buf *out, Str s, uint32_t width)
{
    Str fit = column_fit(s, width);
    blanks_put(out, width - utf8_width(fit));
    buf_put_str(out, fit);
}

static uint32_t piece_end(Str text, uint32_t at, const char *between)
{
    uint32_t gap = (uint32_t)strlen(between);
    for (; at < text.len; at++)
        if (text.len - at >= gap && memcmp(text.ptr + at, between, gap) == 0)
            return at + gap;
    return text.len;
}

Str wrap_next(Str text, uint32_t *at, const char *between, uint32_t width)
{
    Str line = {0};
    for (uint32_t from = *at, end; *at < text.len; *at = end) {
        end = piece_end(text, *at, between);
        Str longer = str_slice(text, from, end - from);
        while (longer.len && longer.ptr[longer.len - 1] == ' ')
            longer.len--;
        if (*at > from && utf8_width(longer) > width)
            break;
        line = longer;
    }
    return line;
}

static void cause_put(Buf *out, const RunInfo *info, uint32_t step)
{
    buf_puts(out, " since ");
    buf_put_visible(out, info->steps[step].name);
    buf_puts(out, " failed");
}

void skips_put(Buf *out, const RunInfo *info, const uint64_t *n, const uint32_t *cause)
{
    enum { MAX_SAID = 5 };
    uint32_t last = RUN_NO_STEP; /* said, but not yet why */
    uint32_t n_said = 0;
    for (uint32_t i = 0; i < info->n_steps && n_said < MAX_SAID; i++) {
        if (n[i] == 0 || cause[i] >= info->n_steps)
            continue;
        if (last != RUN_NO_STEP && cause[last] != cause[i])
            cause_put(out, info, cause[last]);
        buf_puts(out, n_said++ ? ", " : "");
        count_put(out, n[i]);
        buf_puts(out, " of ");
        buf_put_visible(out, info->steps[i].name);
        last = i;
    }
    if (last != RUN_NO_STEP)
        cause_put(out, info, cause[last]);
}

/* More batches alive than the bound and the credits granted beyond it allow: a mistake of ours, which
 * every report names. */
static bool is_broken(uint64_t bound, const ScopeCount *c)
{
    return bound != UINT64_MAX && c->peak_live > bound && c->peak_live - bound > c->n_overdrafts;
}

void bound_put_passed(Buf *out, uint64_t bound, const ScopeCount *c)
{
    if (c->n_overdrafts) {
        buf_puts(out, ", ");
        count_put(out, c->n_overdrafts);
        buf_puts(out, c->n_overdrafts == 1 ? " overdraft" : " overdrafts");
    }
    if (is_broken(bound, c))
        buf_puts(out, ": more than was proved, a mistake in pipemill: please report it");
}

/* ---- colours: told apart also with red-green blindness, after Okabe and Ito */

static const StepColor COLORS[N_STEP_COLORS] = {
    {"#6b7785", "#8f9bab", 246}, {"#0072b2", "#4aa8e0", 32},
    {"#d98200", "#f0a830", 214}, {"#00875f", "#2fbf94", 36},
    {"#b5539c", "#dd86c6", 175}, {"#5b54c4", "#958ff5", 105},
    {"#8a7400", "#d4c04a", 178}, {"#c04a1e", "#f08058", 173},
};

const StepColor *step_color(uint32_t step)
{
    return &COLORS[step % N_STEP_COLORS];
}

void bad_rows_put(Buf *out, uint64_t n_rows, uint64_t n_values, Str rejects)
{
    if (n_rows) {
        count_put(out, n_rows);
        buf_puts(out, n_rows == 1 ? " bad row" : " bad rows");
    }
    if (n_rows && n_values)
        buf_puts(out, ", ");
    if (n_values) {
        count_put(out, n_values);
        buf_puts(out, n_values == 1 ? " bad value as null" : " bad values as null");
    }
    if (rejects.len && (n_rows || n_values)) {
        buf_puts(out, " -> ");
        buf_put_visible(out, rejects);
    }
}
