/* lex.c - what tokens mean: names, numbers, strings, and what is wrong with them.
 * Where they end is in grammar/pipe.l. */
#include "lang/lex.h"

#include <string.h>

#include "base/suggest.h"
#include "base/utf8.h"
#include "lang/lex_state.h"
#include "pipe_parse.h"
#include "pipe_scan.h"

/* pipe_scan.h declares pipe_lex, but YY_DECL in pipe.l renames it. */
int pipe_scan(yyscan_t scanner);

static Span span_at(const Lex *lex, uint32_t offset, uint32_t len)
{
    uint32_t lo = lex->base + offset;
    return (Span){lo, lo + len};
}

static Token *push(Lex *lex, int kind, Str text)
{
    Token t = {.kind = kind, .span = span_at(lex, lex->at, text.len), .text = text};
    vec_push(lex->arena, lex->tokens, t);
    lex->at += text.len;
    return &lex->tokens->ptr[lex->tokens->n - 1];
}

static Str source_slice(const Lex *lex, uint32_t len)
{
    return str_slice(lex->text, lex->at, len);
}

int lex_token(Lex *lex, int kind, Str text)
{
    if (kind == TOK_LPAREN || kind == TOK_LBRACK)
        lex->n_parens++;
    else if (kind == TOK_RPAREN || kind == TOK_RBRACK)
        lex->n_parens -= lex->n_parens > 0;
    /* yytext is overwritten by the next token; the source stays. */
    push(lex, kind, source_slice(lex, text.len));
    return 1;
}

void lex_skip(Lex *lex, Str text)
{
    lex->at += text.len;
}

/* A text that goes to the end of its line, less the start of CRLF. */
static void token_before_cr(Lex *lex, int kind, Str text)
{
    uint32_t end = lex->at + text.len;
    if (text.ptr[text.len - 1] == '\r')
        text.len--;
    push(lex, kind, source_slice(lex, text.len));
    lex->at = end;
}

int lex_comment(Lex *lex, Str text)
{
    token_before_cr(lex, TOKEN_COMMENT, text);
    return 1;
}

/* ---- strings and their interpolations ---- */

static LexLevel *innermost(Lex *lex)
{
    return &lex->levels[lex->n_levels - 1];
}

static bool in_interpolation(const Lex *lex)
{
    return lex->n_levels > 0 && !lex->in_string;
}

/* All open strings end here, unclosed. */
static void abandon_strings(Lex *lex)
{
    lex->n_levels = 0;
    lex->in_string = false;
    push(lex, TOK_BAD, STR_LIT(""));
}

int lex_line_end(Lex *lex, Str text)
{
    if (in_interpolation(lex)) {
        Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, innermost(lex)->brace,
                           "this `{` in a string is not closed on its line");
        diag_help(lex->diags, d, "a plain brace in a string is written `{{`");
        abandon_strings(lex);
    }
    return lex_token(lex, TOK_NEWLINE, text);
}

int lex_string_begin(Lex *lex, Str text)
{
    Span quote = span_at(lex, lex->at, text.len);
    if (lex->n_levels == PARSE_MAX_BRACKETS) {
        diag_add(lex->diags, E_TOO_DEEP, quote, "strings are nested too deeply here");
        lex->has_given_up = true;
        return 0;
    }
    lex->levels[lex->n_levels++] = (LexLevel){.quote = quote};
    lex->in_string = true;
    return lex_token(lex, TOK_SBEG, text);
}

int lex_string_end(Lex *lex, Str text)
{
    lex->n_levels--;
    lex->in_string = false; /* what is around it is an interpolation, or no string */
    return lex_token(lex, TOK_SEND, text);
}

int lex_string_unclosed(Lex *lex)
{
    Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, innermost(lex)->quote,
                       "this string is not closed on its line");
    diag_help(lex->diags, d,
              "close it with `\"`; text over several lines stands in single quotes, "
              "or has `\\n` in it");
    abandon_strings(lex);
    return 1;
}

int lex_interpolation_begin(Lex *lex, Str text)
{
    lex->in_string = false;
    innermost(lex)->brace = span_at(lex, lex->at, text.len);
    innermost(lex)->braces = 0;
    return lex_token(lex, TOK_IOPEN, text);
}

int lex_brace_open(Lex *lex, Str text)
{
    if (in_interpolation(lex))
        innermost(lex)->braces++;
    return lex_token(lex, TOK_LBRACE, text);
}

bool lex_brace_close(Lex *lex, Str text)
{
    if (in_interpolation(lex) && innermost(lex)->braces == 0) {
        lex->in_string = true;
        lex_token(lex, TOK_ICLOSE, text);
        return true;
    }
    if (in_interpolation(lex))
        innermost(lex)->braces--;
    lex_token(lex, TOK_RBRACE, text);
    return false;
}

/* The code point of the hex digits in \u{..}; UINT32_MAX if they make none. */
static uint32_t unicode_escape(Str digits)
{
    uint32_t cp = 0;
    if (digits.len == 0 || digits.len > 6)
        return UINT32_MAX;
    for (uint32_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        uint32_t v = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : UINT32_MAX;
        if (v == UINT32_MAX)
            return v;
        cp = cp * 16 + v;
    }
    bool is_surrogate = cp >= 0xd800 && cp <= 0xdfff;
    return cp > 0x10ffff || is_surrogate ? UINT32_MAX : cp;
}

/* Decodes the escape at s.ptr[i] (a backslash, never the last byte) into *out; returns
 * its length. */
static uint32_t unescape(Lex *lex, Str s, uint32_t i, Buf *out)
{
    switch (s.ptr[i + 1]) {
    case 'n':
        buf_putc(out, '\n');
        return 2;
    case 't':
        buf_putc(out, '\t');
        return 2;
    case '"':
    case '\\':
        buf_putc(out, s.ptr[i + 1]);
        return 2;
    case 'u':
        if (i + 2 < s.len && s.ptr[i + 2] == '{') {
            const char *close = memchr(s.ptr + i, '}', s.len - i);
            uint32_t len = (uint32_t)(close - (s.ptr + i)) + 1;
            uint32_t cp = unicode_escape((Str){s.ptr + i + 3, len - 4});
            if (cp == UINT32_MAX) {
                Diag *d = diag_add(lex->diags, E_BAD_ESCAPE, span_at(lex, lex->at + i, len),
                                   "`%.*s` is not a character", (int)len, s.ptr + i);
                diag_help(lex->diags, d,
                          "between the braces stand 1 to 6 hex digits of a code point, "
                          "as in `\\u{e9}`");
            } else {
                char utf8[4];
                buf_put(out, utf8, utf8_encode(cp, utf8));
            }
            return len;
        }
        break;
    }
    uint32_t len = 1 + utf8_len(s.ptr + i + 1, s.len - i - 1);
    Diag *d = diag_add(lex->diags, E_BAD_ESCAPE, span_at(lex, lex->at + i, len),
                       "`%.*s` is not an escape", (int)len, s.ptr + i);
    if (s.ptr[i + 1] == '{')
        diag_help(lex->diags, d, "a plain brace in a string is written `{{`");
    else
        diag_help(lex->diags, d,
                  "the escapes are `\\n` `\\t` `\\\"` `\\\\` `\\u{e9}`; a raw string in "
                  "single quotes has none");
    return len;
}

int lex_string_text(Lex *lex, Str text)
{
    if (!memchr(text.ptr, '\\', text.len) && !memchr(text.ptr, '{', text.len))
        return lex_token(lex, TOK_STEXT, text);

    Buf out = {0};
    for (uint32_t i = 0; i < text.len;) {
        if (text.ptr[i] == '\\') {
            i += unescape(lex, text, i, &out);
        } else {
            i += text.ptr[i] == '{'; /* {{ */
            buf_putc(&out, text.ptr[i++]);
        }
    }
    Token *t = push(lex, TOK_STEXT, text);
    t->text = arena_str(lex->arena, buf_str(&out));
    buf_deinit(&out);
    return 1;
}

int lex_raw(Lex *lex, Str text)
{
    Token *t = push(lex, TOK_RAW, source_slice(lex, text.len));
    Str inner = {t->text.ptr + 1, text.len - 2};
    if (memchr(inner.ptr, '\n', inner.len))
        lex->long_raw = t->span;
    if (memchr(inner.ptr, '\r', inner.len)) {
        /* A program means the same however its lines end. */
        Buf out = {0};
        for (uint32_t i = 0; i < inner.len; i++)
            if (inner.ptr[i] != '\r' || i + 1 == inner.len || inner.ptr[i + 1] != '\n')
                buf_putc(&out, inner.ptr[i]);
        inner = arena_str(lex->arena, buf_str(&out));
        buf_deinit(&out);
    }
    t->text = inner;
    return 1;
}

int lex_unclosed(Lex *lex, Str text)
{
    bool is_raw = text.ptr[0] == '\'';
    Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, span_at(lex, lex->at, 1),
                       is_raw ? "this raw string is never closed"
                              : "this name in backticks is not closed on its line");
    if (is_raw && lex->long_raw.hi)
        diag_label(lex->diags, d, (Span){lex->long_raw.lo, lex->long_raw.lo + 1},
                   "or was this one, which spans lines, meant to end earlier?");
    if (is_raw)
        diag_help(lex->diags, d, "a text with a `'` in it stands in double quotes");
    token_before_cr(lex, TOK_BAD, text);
    return 1;
}

/* ---- names ---- */

typedef struct Lookalike {
    const char *utf8;
    const char *name;
    const char *plain; /* what is meant */
} Lookalike;

/* Characters that text processors and web pages put in place of plain ones. */
static const Lookalike LOOKALIKES[] = {
    {"\xe2\x80\x9c", "a curly quote", "\""},   {"\xe2\x80\x9d", "a curly quote", "\""},
    {"\xe2\x80\x9e", "a low quote", "\""},     {"\xc2\xab", "a guillemet", "\""},
    {"\xc2\xbb", "a guillemet", "\""},         {"\xe2\x80\x98", "a curly quote", "'"},
    {"\xe2\x80\x99", "a curly quote", "'"},    {"\xc2\xa0", "a no-break space", " "},
    {"\xe2\x80\x8b", "a zero-width space", ""}, {"\xef\xbb\xbf", "a byte order mark", ""},
    {"\xe2\x80\x93", "a dash", "-"},           {"\xe2\x80\x94", "a dash", "-"},
    {"\xe2\x88\x92", "a minus sign", "-"},     {"\xe2\x89\xa4", "a sign", "<="},
    {"\xe2\x89\xa5", "a sign", ">="},      {"\xe2\x89\xa0", "a sign", "!="},
    {"\xe2\x86\x92", "an arrow", "->"},        {"\xe2\x80\xa6", "an ellipsis", "..."},
};

static const Lookalike *lookalike_at(const char *p, size_t n)
{
    for (size_t i = 0; i < sizeof LOOKALIKES / sizeof *LOOKALIKES; i++) {
        size_t len = strlen(LOOKALIKES[i].utf8);
        if (len <= n && memcmp(p, LOOKALIKES[i].utf8, len) == 0)
            return &LOOKALIKES[i];
    }
    return NULL;
}

/* Where the quotation that opened before `from` ends on this line: offset behind its
 * closing lookalike, or 0. */
static uint32_t quotation_end(const Lex *lex, uint32_t from, const char *quote)
{
    for (uint32_t i = from; i < lex->text.len && lex->text.ptr[i] != '\n'; i++) {
        const Lookalike *l = lookalike_at(lex->text.ptr + i, lex->text.len - i);
        if (l && strcmp(l->plain, quote) == 0)
            return i + (uint32_t)strlen(l->utf8);
        if (lex->text.ptr[i] == *quote)
            return i + 1;
    }
    return 0;
}

/* Reports a lookalike and goes on as if what it stands for were there, as far as that
 * is a token by itself. */
static uint32_t lex_lookalike(Lex *lex, const Lookalike *l)
{
    uint32_t len = (uint32_t)strlen(l->utf8);
    Span span = span_at(lex, lex->at, len);
    bool is_quote = *l->plain == '"' || *l->plain == '\'';
    uint32_t end = is_quote ? quotation_end(lex, lex->at + len, l->plain) : 0;

    uint32_t cp;
    utf8_decode(l->utf8, len, &cp);
    Diag *d;
    if (*l->plain == '\0' || *l->plain == ' ')
        d = diag_add(lex->diags, E_BAD_CHARACTER, span, "%s (U+%04X) stands here", l->name,
                     cp);
    else
        d = diag_add(lex->diags, E_BAD_CHARACTER, span, "%s `%s` stands here where `%s` is meant",
                     l->name, l->utf8, l->plain);
    diag_fix(lex->diags, d, span, str_of(l->plain));
    if (is_quote) {
        diag_help(lex->diags, d, "strings stand in plain quotes: `\"text\"`");
        if (end)
            len = end - lex->at;
        Token *t = push(lex, end ? TOK_RAW : TOK_BAD, source_slice(lex, len));
        t->text = STR_LIT("");
    } else if (*l->plain == '\0' || *l->plain == ' ') {
        diag_help(lex->diags, d, "replace it by %s", *l->plain ? "a plain space" : "nothing");
        lex->at += len;
    } else {
        push(lex, TOK_BAD, source_slice(lex, len));
    }
    return len;
}

uint32_t lex_word(Lex *lex, Str text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x80)
            continue;
        const Lookalike *l = lookalike_at(text.ptr + i, text.len - i);
        if (l && i == 0)
            return lex_lookalike(lex, l);
        if (l)
            text.len = i; /* comes again by itself */
    }
    const Keyword *k = keyword_by_text(text);
    lex_token(lex, k ? k->token : TOK_NAME, text);
    return text.len;
}

int lex_backticks(Lex *lex, Str text)
{
    Token *t = push(lex, TOK_QNAME, source_slice(lex, text.len));
    t->text = (Str){t->text.ptr + 1, text.len - 2};
    if (text.len == 2) {
        diag_add(lex->diags, E_BAD_CHARACTER, t->span, "a name in backticks cannot be empty");
        t->kind = TOK_BAD;
    }
    return 1;
}

/* ---- numbers ---- */

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
        else if (i == 0 || i + 1 == s.len || !is_digit(s.ptr[i - 1]) || !is_digit(s.ptr[i + 1]))
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
    {"sec", "s"},   {"secs", "s"},  {"second", "s"}, {"seconds", "s"}, {"S", "s"},
    {"msec", "ms"}, {"millis", "ms"}, {"usec", "us"}, {"\xc2\xb5s", "us"}, {"\xce\xbcs", "us"},
    {"min", "m"},   {"mins", "m"},  {"minute", "m"}, {"minutes", "m"}, {"hr", "h"},
    {"hrs", "h"},   {"hour", "h"},  {"hours", "h"},  {"H", "h"},       {"day", "d"},
    {"days", "d"},  {"D", "d"},     {"b", "B"},      {"k", "kB"},      {"K", "kB"},
    {"KB", "kB"},   {"kb", "kB"},   {"M", "MB"},     {"mb", "MB"},     {"Mb", "MB"},
    {"G", "GB"},    {"g", "GB"},    {"gb", "GB"},    {"Gb", "GB"},     {"T", "TB"},
    {"tb", "TB"},   {"kib", "KiB"}, {"kiB", "KiB"},  {"Ki", "KiB"},    {"mib", "MiB"},
    {"Mi", "MiB"},  {"gib", "GiB"}, {"Gi", "GiB"},
};

static bool is_unit(Str word)
{
    Value v;
    Str one = {(char[8]){'1'}, word.len + 1};
    if (word.len > 4)
        return false;
    memcpy((char *)one.ptr + 1, word.ptr, word.len);
    return value_parse(TYPE_DURATION, one, &v, NULL) || value_parse(TYPE_SIZE, one, &v, NULL);
}

static void report_unit(Lex *lex, Span span, Str number, Str unit)
{
    Diag *d = diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` is not a unit", STR_ARG(unit));
    diag_label(lex->diags, d, span, "no such unit");
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        if (str_is(unit, UNITS[i][0])) {
            diag_help(lex->diags, d, "did you mean `%.*s%s`?", STR_ARG(number), UNITS[i][1]);
            diag_fix(lex->diags, d, span, str_of(UNITS[i][1]));
            return;
        }
    }
    diag_help(lex->diags, d,
              "durations end in `us ms s m h d`, sizes in `B kB MB GB TB KiB MiB GiB`");
}

int lex_number(Lex *lex, Str text)
{
    Span span = span_at(lex, lex->at, text.len);
    Token *t = push(lex, TOK_BAD, source_slice(lex, text.len));
    const char *why = "";
    bool is_float;
    Str s;

    if (!drop_underscores(lex, text, &s)) {
        Diag *d = diag_add(lex->diags, E_BAD_NUMBER, span, "`_` in a number stands between digits");
        diag_help(lex->diags, d, "write it as in `1_000_000`");
        return 1;
    }
    uint32_t n = number_prefix(s, &is_float);
    t->text = s;
    if (n == s.len) {
        Type type = is_float ? TYPE_FLOAT : TYPE_INT;
        /* The least int has a magnitude that is no int: `-` before it takes it whole. */
        bool is_least = str_is(s, "9223372036854775808") && lex->tokens->n > 1 &&
                        t[-1].kind == TOK_MINUS;
        if (is_least)
            t->value = (Value){.type = TYPE_INT, .i = INT64_MIN};
        else if (!value_parse(type, s, &t->value, &why))
            diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` is not %s", STR_ARG(s), why);
        t->kind = is_float ? TOK_FLOAT : TOK_INT;
        t->value.type = type;
        return 1;
    }
    if (value_parse(TYPE_DURATION, s, &t->value, &why)) {
        t->kind = TOK_DURATION;
        return 1;
    }
    if (value_parse(TYPE_SIZE, s, &t->value, &why)) {
        t->kind = TOK_SIZE;
        return 1;
    }
    if (s.ptr[n] == '.') {
        diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` has two decimal points", STR_ARG(s));
        return 1;
    }
    uint32_t in_text = text.len - (s.len - n); /* `_` stand before the unit only */
    Str unit = {s.ptr + n, s.len - n};
    if (is_unit(unit)) {
        Diag *d = diag_add(lex->diags, E_BAD_NUMBER, span, "`%.*s` is too large or too fine",
                           STR_ARG(s));
        diag_note(lex->diags, d, "durations count whole microseconds, sizes whole bytes");
        t->kind = TOK_INT;
        t->value = (Value){.type = TYPE_INT};
        return 1;
    }
    report_unit(lex, span_at(lex, span.lo - lex->base + in_text, unit.len),
                (Str){s.ptr, n}, unit);
    /* The rest of the statement can be read with any value. */
    t->kind = TOK_INT;
    t->value = (Value){.type = TYPE_INT};
    return 1;
}

int lex_point(Lex *lex, Str text)
{
    Diag *d = diag_add(lex->diags, E_BAD_NUMBER, span_at(lex, lex->at, text.len),
                       "a decimal point has digits on both sides");
    if (text.ptr[0] == '.') {
        diag_help(lex->diags, d, "write `0%.*s`", STR_ARG(text));
        diag_fix(lex->diags, d, span_at(lex, lex->at, 0), STR_LIT("0"));
    } else {
        diag_help(lex->diags, d, "write `%.*s0`", STR_ARG(text));
        diag_fix(lex->diags, d, span_at(lex, lex->at + text.len, 0), STR_LIT("0"));
    }
    Token *t = push(lex, TOK_FLOAT, source_slice(lex, text.len));
    t->value = (Value){.type = TYPE_FLOAT};
    return 1;
}

/* ---- other languages ---- */

typedef struct Foreign {
    const char *text;
    const char *ours;
    int kind; /* the token it is taken as */
} Foreign;

static const Foreign FOREIGN[] = {
    {"&&", "and", TOK_AND}, {"&", "and", TOK_AND},    {"||", "or", TOK_OR},
    {"!", "not", TOK_NOT},  {"<>", "!=", TOK_NE},     {"===", "==", TOK_EQ},
    {"!==", "!=", TOK_NE},  {":=", "=", TOK_ASSIGN},  {"=<", "<=", TOK_LE},
    {"=>", "->", TOK_ARROW},
};

int lex_foreign_operator(Lex *lex, Str text)
{
    const Foreign *f = FOREIGN;
    while (!str_is(text, f->text))
        f++; /* pipe.l sends only those in the table */
    Span span = span_at(lex, lex->at, text.len);
    Diag *d = diag_add(lex->diags, E_FOREIGN_OPERATOR, span, "`%s` is written `%s` here",
                       f->text, f->ours);
    if (f->kind == TOK_ARROW)
        diag_help(lex->diags, d, "`>=` is greater or equal, `->` renames");
    else
        diag_help(lex->diags, d, "write `%s`%s", f->ours,
                  f->kind == TOK_OR ? "; strings are joined by `+`" : "");
    diag_fix(lex->diags, d, span,
             f->kind == TOK_NOT ? STR_LIT("not ") : str_of(f->ours));
    push(lex, f->kind, source_slice(lex, text.len))->text = str_of(f->ours);
    return 1;
}

int lex_foreign_comment(Lex *lex, Str text)
{
    Diag *d = diag_add(lex->diags, E_FOREIGN_COMMENT, span_at(lex, lex->at, 2),
                       "`/*` does not start a comment");
    diag_help(lex->diags, d, "a comment starts with `#` and goes to the end of the line");
    lex_skip(lex, text);
    return 1;
}

uint32_t lex_foreign_line(Lex *lex, Str text)
{
    uint32_t blanks = 0;
    while (text.ptr[blanks] == ' ' || text.ptr[blanks] == '\t')
        blanks++;
    lex->at += blanks;
    if (lex->n_parens > 0) { /* an expression goes on */
        Str op = {text.ptr + blanks, text.ptr[blanks] == '/' ? 2 : 1};
        lex_token(lex, op.len == 2 ? TOK_IDIV : TOK_MINUS, op);
        return blanks + op.len;
    }
    Diag *d = diag_add(lex->diags, E_FOREIGN_COMMENT, span_at(lex, lex->at, 2),
                       "`%.2s` does not start a comment", text.ptr + blanks);
    diag_help(lex->diags, d, "a comment starts with `#` and goes to the end of the line");
    diag_fix(lex->diags, d, span_at(lex, lex->at, 2), STR_LIT("#"));
    token_before_cr(lex, TOKEN_COMMENT, (Str){text.ptr + blanks, text.len - blanks});
    return text.len;
}

int lex_bad_char(Lex *lex, Str text)
{
    Span span = span_at(lex, lex->at, text.len);
    unsigned char c = (unsigned char)text.ptr[0];
    if (c == '\\') {
        diag_add(lex->diags, E_BAD_ESCAPE, span, "`\\` stands at the end of a line");
    } else if (c < 0x20 || c == 0x7f) {
        diag_add(lex->diags, E_BAD_CHARACTER, span, "a control character (U+%04X) stands here", c);
    } else {
        Diag *d = diag_add(lex->diags, E_BAD_CHARACTER, span, "`%c` has no meaning here", c);
        if (c == '^')
            diag_help(lex->diags, d, "powers are written `**`");
        else if (c == '$')
            diag_help(lex->diags, d, "columns and parameters stand without a sign before them");
        else if (c == '~')
            diag_help(lex->diags, d, "write `matches(text, 'pattern')`");
    }
    return lex_token(lex, TOK_BAD, text);
}

/* ---- the whole text ---- */

/* What is not program text at all: one message, and no tokens. */
static bool check_encoding(Lex *lex)
{
    Str s = lex->text;
    Diag *d;
    bool is_utf16 = s.len >= 2 && (memcmp(s.ptr, "\xff\xfe", 2) == 0 ||
                                   memcmp(s.ptr, "\xfe\xff", 2) == 0);
    if (is_utf16) {
        d = diag_add(lex->diags, E_BAD_ENCODING, span_at(lex, 0, 2), "this file is UTF-16");
        diag_help(lex->diags, d, "convert it to UTF-8");
        return false;
    }
    uint32_t valid = utf8_valid_prefix(s);
    const char *nul = s.len ? memchr(s.ptr, '\0', valid) : NULL;
    if (nul) {
        uint32_t at = (uint32_t)(nul - s.ptr);
        diag_add(lex->diags, E_BAD_ENCODING, span_at(lex, at, 1), "a NUL byte stands here");
        return false;
    }
    if (valid < s.len) {
        d = diag_add(lex->diags, E_BAD_ENCODING, span_at(lex, valid, 1),
                     "the byte 0x%02x is not UTF-8", (unsigned char)s.ptr[valid]);
        diag_help(lex->diags, d, "convert the file to UTF-8");
        return false;
    }
    return true;
}

bool lex_source(Arena *arena, const Source *source, Diags *diags, TokenList *out)
{
    Lex *lex = arena_new(arena, Lex);
    lex->arena = arena;
    lex->diags = diags;
    lex->tokens = out;
    lex->text = source_text(source);
    lex->base = source_base(source);

    bool ok = check_encoding(lex);
    if (ok) {
        yyscan_t scanner;
        pipe_lex_init_extra(lex, &scanner); /* fails only for want of memory */
        pipe__scan_bytes(lex->text.ptr, (int)lex->text.len, scanner);
        while (!lex->has_given_up && pipe_scan(scanner))
            ;
        pipe_lex_destroy(scanner);
        ok = !lex->has_given_up;
        if (ok && in_interpolation(lex)) {
            diag_add(diags, E_UNCLOSED_STRING, innermost(lex)->brace,
                     "this `{` in a string is not closed on its line");
            abandon_strings(lex);
        }
    }
    push(lex, TOK_END, STR_LIT(""));
    return ok;
}
