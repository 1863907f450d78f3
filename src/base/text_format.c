#include "base/text_format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* ---- patterns ---- */

typedef struct Cursor {
    Str s; /* the whole pattern */
    uint32_t at;
} Cursor;

static char peek(const Cursor *c, uint32_t ahead)
{
    return c->at + ahead < c->s.len ? c->s.ptr[c->at + ahead] : '\0';
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static char take_one_of(Cursor *c, const char *set)
{
    char next = peek(c, 0);
    if (!is_one_of(next, set))
        return '\0';
    c->at++;
    return next;
}

static bool fail(PatternError *err, uint32_t at, const char *text)
{
    snprintf(err->text, sizeof err->text, "%s", text);
    err->at = at;
    return false;
}

/* Digits, -1 if there are none; false: more than FORMAT_MAX. */
static bool take_number(Cursor *c, int32_t *out)
{
    *out = -1;
    while (peek(c, 0) >= '0' && peek(c, 0) <= '9') {
        *out = (*out < 0 ? 0 : *out) * 10 + (c->s.ptr[c->at++] - '0');
        if (*out > FORMAT_MAX)
            return false;
    }
    return true;
}

/* Whether a fill was said, too. */
static bool take_align(Cursor *c, FormatSpec *spec)
{
    bool has_fill = false;
    uint32_t n = utf8_len(c->s.ptr + c->at, c->s.len - c->at);
    if (n && peek(c, 0) != '}' && is_one_of(peek(c, n), "<>^=")) {
        spec->fill = (Str){c->s.ptr + c->at, n};
        c->at += n;
        has_fill = true;
    }
    spec->align = take_one_of(c, "<>^=");
    return has_fill;
}

/* What is between the colon and the closing brace. */
static bool take_spec(Cursor *c, FormatSpec *spec, PatternError *err)
{
    bool has_fill = take_align(c, spec);
    spec->sign = take_one_of(c, "-+ ");
    spec->is_alternate = take_one_of(c, "#") != 0;
    spec->has_zero = peek(c, 0) == '0';
    if (spec->has_zero && !has_fill)
        spec->fill = STR_LIT("0");
    uint32_t at = c->at;
    if (!take_number(c, &spec->width))
        return fail(err, at, "a width above 1000");
    spec->grouping = take_one_of(c, ",_");
    at = c->at;
    if (take_one_of(c, ".")) {
        if (!take_number(c, &spec->precision))
            return fail(err, at, "a precision above 1000");
        if (spec->precision < 0)
            return fail(err, at, "a point without a number: `.2`");
    }
    spec->letter = take_one_of(c, "dxXobfFeEgG%s");
    if (peek(c, 0) == '}')
        return true;
    if (c->at >= c->s.len)
        return fail(err, c->s.len, "a placeholder that is not closed");
    return fail(err, c->at, "a placeholder is `{}` or `{:[[fill]align][sign][#][0][width][,][.precision][letter]}`");
}

/* At an opening brace that is no text. */
static bool take_placeholder(Cursor *c, FormatPart *part, PatternError *err)
{
    part->has_value = true;
    part->at = c->at++;
    part->spec = (FormatSpec){.fill = {" ", 1}, .width = -1, .precision = -1};
    if (take_one_of(c, ":")) {
        if (!take_spec(c, &part->spec, err))
            return false;
    } else if (peek(c, 0) != '}') {
        return fail(err, part->at, c->at >= c->s.len ? "a placeholder that is not closed"
                                                     : "a placeholder is `{}` or `{:...}`, and a brace `{{`");
    }
    c->at++;
    return true;
}

bool text_format_open(Str pattern, TextFormat *out, PatternError *err)
{
    Cursor c = {.s = pattern};
    uint32_t most = 1;
    for (uint32_t i = 0; i < pattern.len; i++)
        most += pattern.ptr[i] == '{' || pattern.ptr[i] == '}';
    *out = (TextFormat){.parts = xcalloc(most, sizeof *out->parts)};
    while (c.at < pattern.len) {
        FormatPart *part = &out->parts[out->n_parts++];
        uint32_t from = c.at;
        while (c.at < pattern.len && !is_one_of(peek(&c, 0), "{}"))
            c.at++;
        part->text = (Str){pattern.ptr + from, c.at - from};
        if (c.at == pattern.len)
            break;
        if (peek(&c, 1) == peek(&c, 0)) { /* the first of the two is text */
            part->text.len++;
            c.at += 2;
        } else if (peek(&c, 0) == '}') {
            free(out->parts);
            return fail(err, c.at, "a `}` that closes nothing; `}}` is a brace");
        } else if (!take_placeholder(&c, part, err)) {
            free(out->parts);
            return false;
        }
        out->n_values += part->has_value;
    }
    return true;
}

void text_format_close(TextFormat *f)
{
    free(f->parts);
}

bool text_format_takes(const FormatSpec *spec, Type t, char why[160])
{
    bool is_number = t == TYPE_INT || t == TYPE_FLOAT;
    char letter = spec->letter;
    if (is_one_of(letter, "dxXob") && t != TYPE_INT)
        snprintf(why, 160, "`%c` writes an int, and this is %s", letter, type_name(t));
    else if (is_one_of(letter, "fFeEgG%") && !is_number)
        snprintf(why, 160, "`%c` writes a number, and this is %s", letter, type_name(t));
    else if ((!is_number || letter == 's') &&
             (spec->align == '=' || spec->sign || spec->is_alternate || spec->has_zero || spec->grouping))
        snprintf(why, 160, "`= + - # 0 , _` are for numbers, and this is %s",
                 letter == 's' ? "text by its `s`" : type_name(t));
    else if (spec->precision >= 0 && t == TYPE_FLOAT && !letter)
        snprintf(why, 160, "a precision of a float goes with a letter: `.%df`", spec->precision);
    else if (spec->precision >= 0 && (t == TYPE_INT ? !is_one_of(letter, "fFeEgG%s") : !is_number && t != TYPE_STRING))
        snprintf(why, 160, "a precision is for floats and strings, and this is %s", type_name(t));
    else if (spec->is_alternate && !is_one_of(letter, "xXob"))
        snprintf(why, 160, "`#` goes with x, o or b");
    else if (spec->grouping == ',' && is_one_of(letter, "xXob"))
        snprintf(why, 160, "digits of `%c` are grouped by `_`", letter);
    else
        return true;
    return false;
}

/* ---- numbers ---- */

#define NUMBER_MAX (FORMAT_MAX + 400) /* 1e308 has 309 digits before the point */

/* A number in pieces: sign, prefix, whole digits, the rest. */
typedef struct Number {
    char sign;          /* 0: none */
    const char *prefix; /* 0x */
    char digits[NUMBER_MAX];
    uint32_t n, n_whole; /* bytes of digits; of those, whole digits */
} Number;

static void number_of_int(Number *out, int64_t v, char letter)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v, base = 10;
    if (letter == 'x' || letter == 'X')
        base = 16;
    else if (letter == 'o' || letter == 'b')
        base = letter == 'o' ? 8 : 2;
    char all[64];
    uint32_t n = 0;
    do
        all[n++] = (letter == 'X' ? upper : lower)[rest % base];
    while ((rest /= base) != 0);
    out->n = out->n_whole = n;
    for (uint32_t i = 0; i < n; i++)
        out->digits[i] = all[n - 1 - i];
    out->prefix = letter == 'x' ? "0x" : letter == 'X' ? "0X" : letter == 'o' ? "0o" : letter == 'b' ? "0b" : "";
}

static void number_of_float(Number *out, double v, char letter, int precision)
{
    int p = precision < 0 ? 6 : precision, n;
    double x = fabs(v);
    char *to = out->digits;
    out->prefix = "";
    switch (letter) {
    case 'f':
    case 'F': n = snprintf(to, NUMBER_MAX, "%.*f", p, x); break;
    case 'e': n = snprintf(to, NUMBER_MAX, "%.*e", p, x); break;
    case 'E': n = snprintf(to, NUMBER_MAX, "%.*E", p, x); break;
    case 'g': n = snprintf(to, NUMBER_MAX, "%.*g", p, x); break;
    case 'G': n = snprintf(to, NUMBER_MAX, "%.*G", p, x); break;
    case '%': n = snprintf(to, NUMBER_MAX, "%.*f%%", p, x * 100); break;
    default: n = (int)value_print_float(x, to); break;
    }
    out->n = (uint32_t)n;
    out->n_whole = (uint32_t)strspn(to, "0123456789");
    if (out->n_whole > out->n)
        out->n_whole = out->n;
}

/* The whole digits with separators, `size` digits apart, behind n_zeros further zeros. */
static void put_grouped(Buf *out, const Number *x, uint32_t n_zeros, char separator, uint32_t size)
{
    uint32_t n = n_zeros + x->n_whole;
    if (!separator && n_zeros == 0) {
        buf_put(out, x->digits, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (separator && i > 0 && (n - i) % size == 0)
            buf_putc(out, separator);
        buf_putc(out, i < n_zeros ? '0' : x->digits[i - n_zeros]);
    }
}

static void put_fill(Buf *out, Str fill, uint32_t n)
{
    while (n-- > 0)
        buf_put_str(out, fill);
}

static void put_number(Buf *out, const FormatSpec *spec, const Number *x)
{
    const char *prefix = spec->is_alternate ? x->prefix : "";
    uint32_t size = is_one_of(spec->letter, "xXob") ? 4 : 3;
    uint32_t width = spec->width < 0 ? 0 : (uint32_t)spec->width;
    uint32_t around = (x->sign != 0) + (uint32_t)strlen(prefix) + (x->n - x->n_whole);
    uint32_t n_zeros = 0, have;
    bool zeros_fill = (spec->align == '=' || (spec->has_zero && !spec->align)) && str_is(spec->fill, "0");
    for (;; n_zeros++) {
        uint32_t whole = n_zeros + x->n_whole;
        have = around + whole + (spec->grouping && whole ? (whole - 1) / size : 0);
        if (!zeros_fill || have >= width)
            break;
    }
    uint32_t pad = have < width ? width - have : 0;
    char align = spec->align ? spec->align : '>';
    uint32_t before = align == '>' ? pad : align == '^' ? pad / 2 : 0;
    put_fill(out, spec->fill, before);
    if (x->sign)
        buf_putc(out, x->sign);
    buf_puts(out, prefix);
    if (align == '=')
        put_fill(out, spec->fill, pad);
    put_grouped(out, x, n_zeros, spec->grouping, size);
    buf_put(out, x->digits + x->n_whole, x->n - x->n_whole);
    if (align == '<' || align == '^')
        put_fill(out, spec->fill, pad - before);
}

/* ---- values ---- */

static void put_text(Buf *out, const FormatSpec *spec, Str s)
{
    uint32_t n = utf8_count(s);
    if (spec->precision >= 0 && n > (uint32_t)spec->precision) {
        uint32_t at = 0;
        for (int32_t i = 0; i < spec->precision; i++) {
            uint32_t len = utf8_len(s.ptr + at, s.len - at);
            at += len ? len : 1;
        }
        s.len = at;
        n = (uint32_t)spec->precision;
    }
    uint32_t pad = spec->width > 0 && n < (uint32_t)spec->width ? (uint32_t)spec->width - n : 0;
    uint32_t before = spec->align == '>' ? pad : spec->align == '^' ? pad / 2 : 0;
    put_fill(out, spec->fill, before);
    buf_put_str(out, s);
    put_fill(out, spec->fill, pad - before);
}

void text_format_put(Buf *out, const FormatSpec *spec, Value v)
{
    bool is_number = v.type == TYPE_INT || v.type == TYPE_FLOAT;
    if (v.type == TYPE_STRING) {
        put_text(out, spec, v.s);
        return;
    }
    if ((!is_number || spec->letter == 's') && spec->width <= 0 && spec->precision < 0) {
        value_print(out, v);
        return;
    }
    if (!is_number || spec->letter == 's') {
        Buf b = {0};
        value_print(&b, v);
        put_text(out, spec, buf_str(&b));
        buf_deinit(&b);
        return;
    }
    Number x;
    bool is_negative;
    if (v.type == TYPE_INT && !is_one_of(spec->letter, "fFeEgG%")) {
        is_negative = v.i < 0;
        number_of_int(&x, v.i, spec->letter);
    } else {
        double f = v.type == TYPE_INT ? (double)v.i : v.f;
        is_negative = signbit(f) && !isnan(f);
        number_of_float(&x, f, spec->letter, spec->precision);
    }
    x.sign = is_negative ? '-' : spec->sign == '+' || spec->sign == ' ' ? spec->sign : '\0';
    put_number(out, spec, &x);
}
