#include "base/value.h"

#include <math.h>

#include "base/time_pattern.h"
#include "base/utf8.h"

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

static const char INT_RANGE[] =
    "a number from -9223372036854775808 to 9223372036854775807";

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

Type value_wider(Type t, Str s)
{
    double f;
    return t == TYPE_INT && !value_is_whole(s) && value_parse_float(s, &f) ? TYPE_FLOAT : TYPE_STRING;
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
