#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "base/value.h"

void json_init(JsonWriter *w, Buf *out, JsonStyle style)
{
    assert(style == JSON_STYLE_COMPACT || style == JSON_STYLE_PRETTY);
    *w = (JsonWriter){.out = out, .style = style};
}

static void new_line(JsonWriter *w)
{
    if (w->style == JSON_STYLE_COMPACT)
        return;
    buf_putc(w->out, '\n');
    for (uint32_t i = 0; i < w->depth; i++)
        buf_puts(w->out, "  ");
}

/* What stands between the item before and the next. */
static void begin_item(JsonWriter *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    uint64_t bit = UINT64_C(1) << w->depth;
    if (w->has_items & bit)
        buf_putc(w->out, ',');
    w->has_items |= bit;
    new_line(w);
}

static void begin_items(JsonWriter *w, char bracket)
{
    begin_item(w);
    buf_putc(w->out, bracket);
    w->depth++;
    assert(w->depth < 64);
    w->has_items &= ~(UINT64_C(1) << w->depth);
}

static void end_items(JsonWriter *w, char bracket)
{
    assert(w->depth > 0 && !w->after_key);
    bool had_items = w->has_items >> w->depth & 1;
    w->depth--;
    if (had_items)
        new_line(w);
    buf_putc(w->out, bracket);
}

void json_begin_object(JsonWriter *w)
{
    begin_items(w, '{');
}

void json_end_object(JsonWriter *w)
{
    end_items(w, '}');
}

void json_begin_array(JsonWriter *w)
{
    begin_items(w, '[');
}

void json_end_array(JsonWriter *w)
{
    end_items(w, ']');
}

/* A byte that stands for itself. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Characters with an escape of one letter, and those letters. */
static const char ESCAPED[] = "\"\\\n\r\t\b\f", ESCAPES[] = "\"\\nrtbf";

static void put_quoted(Buf *out, Str s)
{
    buf_putc(out, '"');
    for (uint32_t i = 0; i < s.len;) {
        uint32_t plain = i;
        while (plain < s.len && is_plain(s.ptr[plain]))
            plain++;
        buf_put(out, s.ptr + i, plain - i);
        if ((i = plain) == s.len)
            break;
        uint32_t cp, n = utf8_decode(s.ptr + i, s.len - i, &cp);
        const char *escape = cp && cp < 0x80 ? strchr(ESCAPED, (int)cp) : NULL;
        if (escape)
            buf_printf(out, "\\%c", ESCAPES[escape - ESCAPED]);
        else if (cp < 0x20 || cp == 0x7f)
            buf_printf(out, "\\u%04x", cp);
        else if (cp == 0xfffd && n == 1)
            buf_puts(out, "\xef\xbf\xbd");
        else
            buf_put(out, s.ptr + i, n);
        i += n;
    }
    buf_putc(out, '"');
}

void json_key(JsonWriter *w, const char *name)
{
    assert(w->depth > 0 && !w->after_key);
    begin_item(w);
    put_quoted(w->out, str_of(name));
    buf_puts(w->out, w->style == JSON_STYLE_PRETTY ? ": " : ":");
    w->after_key = true;
}

void json_put_str(JsonWriter *w, Str s)
{
    begin_item(w);
    put_quoted(w->out, s);
}

void json_put_cstr(JsonWriter *w, const char *s)
{
    json_put_str(w, str_of(s));
}

void json_put_int(JsonWriter *w, int64_t v)
{
    char digits[24];
    uint32_t at = sizeof digits;
    uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (v < 0)
        digits[--at] = '-';
    begin_item(w);
    buf_put(w->out, digits + at, sizeof digits - at);
}

void json_put_float(JsonWriter *w, double v)
{
    if (!isfinite(v)) {
        json_put_null(w);
        return;
    }
    begin_item(w);
    value_print(w->out, (Value){.type = TYPE_FLOAT, .f = v});
}

void json_put_thousandths(JsonWriter *w, uint64_t v)
{
    char digits[24];
    uint32_t at = sizeof digits, part = (uint32_t)(v % 1000), n = 3;
    uint64_t whole = v / 1000;
    for (; n > 0 && part % 10 == 0; part /= 10)
        n--;
    for (uint32_t k = 0; k < n; k++, part /= 10)
        digits[--at] = (char)('0' + part % 10);
    if (n)
        digits[--at] = '.';
    do {
        digits[--at] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole);
    begin_item(w);
    buf_put(w->out, digits + at, sizeof digits - at);
}

void json_put_bool(JsonWriter *w, bool v)
{
    begin_item(w);
    buf_puts(w->out, v ? "true" : "false");
}

void json_put_null(JsonWriter *w)
{
    begin_item(w);
    buf_puts(w->out, "null");
}

void json_field_str(JsonWriter *w, const char *key, Str s)
{
    json_key(w, key);
    json_put_str(w, s);
}

void json_field_cstr(JsonWriter *w, const char *key, const char *s)
{
    json_key(w, key);
    json_put_cstr(w, s);
}

void json_field_int(JsonWriter *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_put_int(w, v);
}

void json_field_uint(JsonWriter *w, const char *key, uint64_t v)
{
    json_field_int(w, key, (int64_t)v);
}

void json_field_count(JsonWriter *w, const char *key, uint64_t v, uint64_t none)
{
    if (v == none)
        json_field_null(w, key);
    else
        json_field_int(w, key, (int64_t)v);
}

void json_field_float(JsonWriter *w, const char *key, double v)
{
    json_key(w, key);
    json_put_float(w, v);
}

void json_field_bool(JsonWriter *w, const char *key, bool v)
{
    json_key(w, key);
    json_put_bool(w, v);
}

void json_field_null(JsonWriter *w, const char *key)
{
    json_key(w, key);
    json_put_null(w);
}

void json_field_strs(JsonWriter *w, const char *key, const Str *list, size_t n)
{
    json_key(w, key);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_put_str(w, list[i]);
    json_end_array(w);
}
