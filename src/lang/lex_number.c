/* lex_number.c - numbers, durations and sizes. Their values come from base/value. */
#include "lang/lex_state.h"

#include <string.h>

#include "pipe_parse.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Without the underscores between digits; false if one stands elsewhere. */
static bool drop_underscores(Lex *lex, Str s, Str *out)
{
    Buf b = {0};
    bool ok = true;
    for (uint32_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '_')
            buf_putc(&b, s.ptr[i]);
        else if (i == 0 || i + 1 == s.len || !is_digit(s.ptr[i - 1]) ||
                 !is_digit(s.ptr[i + 1]))
            ok = false;
    }
    *out = arena_str(lex->arena, buf_str(&b));
    buf_deinit(&b);
    return ok;
}

/* digits [. digits] [e digits]: how much of s is that. */
static uint32_t number_prefix(Str s, bool *is_float)
{
    uint32_t i = 0;
    *is_float = false;
    while (i < s.len && is_digit(s.ptr[i]))
        i++;
    if (i + 1 < s.len && s.ptr[i] == '.' && is_digit(s.ptr[i + 1])) {
        *is_float = true;
        for (i++; i < s.len && is_digit(s.ptr[i]);)
            i++;
    }
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        uint32_t j = i + 1;
        j += j < s.len && (s.ptr[j] == '+' || s.ptr[j] == '-');
        if (j < s.len && is_digit(s.ptr[j])) {
            *is_float = true;
            while (j < s.len && is_digit(s.ptr[j]))
                j++;
            i = j;
        }
    }
    return i;
}

/* Units that people write, and ours. */
static const char *const UNITS[][2] = {
    {"sec", "s"},        {"secs", "s"},       {"second", "s"},  {"seconds", "s"},
    {"S", "s"},          {"msec", "ms"},      {"millis", "ms"}, {"usec", "us"},
    {"\xc2\xb5s", "us"}, {"\xce\xbcs", "us"}, {"min", "m"},     {"mins", "m"},
    {"minute", "m"},     {"minutes", "m"},    {"hr", "h"},      {"hrs", "h"},
    {"hour", "h"},       {"hours", "h"},      {"H", "h"},       {"day", "d"},
    {"days", "d"},       {"D", "d"},          {"b", "B"},       {"k", "kB"},
    {"K", "kB"},         {"KB", "kB"},        {"kb", "kB"},     {"M", "MB"},
    {"mb", "MB"},        {"Mb", "MB"},        {"G", "GB"},      {"g", "GB"},
    {"gb", "GB"},        {"Gb", "GB"},        {"T", "TB"},      {"tb", "TB"},
    {"kib", "KiB"},      {"kiB", "KiB"},      {"Ki", "KiB"},    {"mib", "MiB"},
    {"Mi", "MiB"},       {"gib", "GiB"},      {"Gi", "GiB"},
};

static bool is_unit(Str word)
{
    Value v;
    Str one = {(char[8]){'1'}, word.len + 1};
    if (word.len > 4)
        return false;
    memcpy((char *)one.ptr + 1, word.ptr, word.len);
    return value_parse(TYPE_DURATION, one, &v, NULL) ||
           value_parse(TYPE_SIZE, one, &v, NULL);
}

static void report_unit(Lex *lex, Span span, Str number, Str unit)
{
    Diag *d =
        diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` is not a unit", STR_ARG(unit));
    diag_label(lex->diags, d, span, "no such unit");
    int base = !str_is(number, "0") ? 0 : unit.ptr[0] == 'x' || unit.ptr[0] == 'X' ? 16 : unit.ptr[0] == 'o' ? 8 : unit.ptr[0] == 'b' ? 2 : 0;
    if (base && unit.len > 1 && unit.len < 15) { /* 0xff */
        char digits[16] = {0};
        char *end;
        memcpy(digits, unit.ptr + 1, unit.len - 1);
        unsigned long long v = strtoull(digits, &end, base);
        if (*end == '\0') {
            Str decimal = arena_printf(lex->arena, "%llu", v);
            diag_help(lex->diags, d, "numbers are written in decimal: `%.*s`", STR_ARG(decimal));
            diag_fix_certain(lex->diags, d, (Span){span.lo - 1, span.hi}, decimal);
            return;
        }
    }
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        if (str_is(unit, UNITS[i][0])) {
            diag_help(lex->diags, d, "did you mean `%.*s%s`?", STR_ARG(number),
                      UNITS[i][1]);
            diag_fix_certain(lex->diags, d, span, str_of(UNITS[i][1]));
            return;
        }
    }
    diag_help(lex->diags, d,
              "durations end in `us ms s m h d`, sizes in `B kB MB GB TB KiB MiB GiB`");
}

static void scan_number(Lex *lex, Str text)
{
    Span span = lex_span(lex, lex->at, text.len);
    Token *t = lex_push(lex, TOK_BAD, lex_slice(lex, text.len));
    const char *why = "";
    bool is_float;
    Str s;

    if (!drop_underscores(lex, text, &s)) {
        Diag *d = diag_add(lex->diags, E_BAD_NUMBER, span,
                           "`_` in a number stands between digits");
        diag_help(lex->diags, d, "write it as in `1_000_000`");
        return;
    }
    uint32_t n = number_prefix(s, &is_float);
    t->text = s;
    if (n == s.len) {
        Type type = is_float ? TYPE_FLOAT : TYPE_INT;
        /* The least int has a magnitude that is no int: `-` before it takes it whole.
         */
        bool is_least = str_is(s, "9223372036854775808") && lex->tokens->n > 1 &&
                        t[-1].kind == TOK_MINUS;
        if (is_least)
            t->value = (Value){.type = TYPE_INT, .i = INT64_MIN};
        else if (!value_parse(type, s, &t->value, &why))
            diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` is not %s", STR_ARG(s),
                     why);
        t->kind = is_float ? TOK_FLOAT : TOK_INT;
        t->value.type = type;
        return;
    }
    if (value_parse(TYPE_DURATION, s, &t->value, &why)) {
        t->kind = TOK_DURATION;
        return;
    }
    if (value_parse(TYPE_SIZE, s, &t->value, &why)) {
        t->kind = TOK_SIZE;
        return;
    }
    if (s.ptr[n] == '.') {
        diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` has two decimal points",
                 STR_ARG(s));
        return;
    }
    uint32_t in_text = text.len - (s.len - n); /* `_` stand before the unit only */
    Str unit = {s.ptr + n, s.len - n};
    if (is_unit(unit)) {
        Diag *d = diag_add(lex->diags, E_BAD_NUMBER, span,
                           "`%.*s` is too large or too fine", STR_ARG(s));
        diag_note(lex->diags, d,
                  "durations count whole microseconds, sizes whole bytes");
        t->kind = TOK_INT;
        t->value = (Value){.type = TYPE_INT};
        return;
    }
    report_unit(lex, lex_span(lex, span.lo - lex->base + in_text, unit.len),
                (Str){s.ptr, n}, unit);
    /* The rest of the statement can be read with any value. */
    t->kind = TOK_INT;
    t->value = (Value){.type = TYPE_INT};
}

uint32_t lex_number(Lex *lex, Str text)
{
    for (uint32_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80 && lex_is_lookalike(str_slice(text, i, text.len)))
            text.len = i;
    scan_number(lex, text);
    return text.len;
}

int lex_point(Lex *lex, Str text)
{
    Diag *d = diag_add(lex->diags, E_BAD_NUMBER, lex_span(lex, lex->at, text.len),
                       "a decimal point has digits on both sides");
    if (text.ptr[0] == '.') {
        diag_help(lex->diags, d, "write `0%.*s`", STR_ARG(text));
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at, 0), STR_LIT("0"));
    } else {
        uint32_t point = 0; /* `5.`, `1.e5` */
        while (text.ptr[point++] != '.')
            ;
        diag_help(lex->diags, d, "write `%.*s0%.*s`", (int)point, text.ptr, (int)(text.len - point), text.ptr + point);
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at + point, 0), STR_LIT("0"));
    }
    Token *t = lex_push(lex, TOK_FLOAT, lex_slice(lex, text.len));
    t->value = (Value){.type = TYPE_FLOAT};
    return 1;
}
