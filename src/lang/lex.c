/* lex.c - what tokens mean: names, strings, and what is wrong with them. Numbers are in
 * lex_number.c, what other languages write in lex_foreign.c, where tokens end in
 * grammar/pipe.l. */
#include "lang/lex.h"

#include <string.h>

#include "base/utf8.h"
#include "lang/lex_state.h"
#include "pipe_parse.h"
#include "pipe_scan.h"

/* pipe_scan.h declares pipe_lex, but YY_DECL in pipe.l renames it. */
int pipe_scan(yyscan_t scanner);

Span lex_span(const Lex *lex, uint32_t offset, uint32_t len)
{
    uint32_t lo = lex->base + offset;
    return (Span){lo, lo + len};
}

Token *lex_push(Lex *lex, int kind, Str text)
{
    Token t = {.kind = kind, .span = lex_span(lex, lex->at, text.len), .text = text};
    vec_push(lex->arena, lex->tokens, t);
    lex->at += text.len;
    return &lex->tokens->ptr[lex->tokens->n - 1];
}

Str lex_slice(const Lex *lex, uint32_t len)
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
    lex_push(lex, kind, lex_slice(lex, text.len));
    return 1;
}

void lex_skip(Lex *lex, Str text)
{
    lex->at += text.len;
}

/* A text that goes to the end of its line, less the start of CRLF. */
void lex_push_line(Lex *lex, int kind, Str text)
{
    uint32_t end = lex->at + text.len;
    if (text.ptr[text.len - 1] == '\r')
        text.len--;
    lex_push(lex, kind, lex_slice(lex, text.len));
    lex->at = end;
}

int lex_comment(Lex *lex, Str text)
{
    lex_push_line(lex, TOKEN_COMMENT, text);
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

/* Removes the tokens from an opening quote on. */
static void take_back(Lex *lex, Span quote)
{
    TokenList *tokens = lex->tokens;
    while (tokens->n > 0 && tokens->ptr[tokens->n - 1].span.lo >= quote.lo)
        tokens->n--;
}

/* All open strings end here, unclosed. */
static void abandon_strings(Lex *lex)
{
    lex->n_levels = 0;
    lex->in_string = false;
    lex_push(lex, TOK_BAD, STR_LIT(""));
}

/* How many bytes of the text below belong to the string that is open at the end of a line, with the quote that closes
 * it: the first line with quotes has one too many, with nothing behind it that a string begins with. 0: none does. */
static uint32_t closed_below(const Lex *lex)
{
    Str s = lex->text;
    for (uint32_t lo = lex->at, hi; lo < s.len; lo = hi + 1) {
        uint32_t n_quotes = 0, quote = 0, first = lo;
        for (hi = lo; hi < s.len && s.ptr[hi] != '\n'; hi++) {
            quote = s.ptr[hi] == '"' && n_quotes++ == 0 ? hi : quote;
            first += first == hi && (s.ptr[hi] == ' ' || s.ptr[hi] == '\t');
        }
        if (n_quotes == 0 || (first < hi && s.ptr[first] == '#'))
            continue;
        bool is_end = quote + 1 == s.len || strchr(" \t\r\n;,|)]}", s.ptr[quote + 1]);
        return n_quotes % 2 == 1 && is_end ? quote + 1 - lex->at : 0;
    }
    return 0;
}

/* Takes the open string, and len bytes of what stands below, for one string over several lines. */
static void close_below(Lex *lex, Diag *d, uint32_t len)
{
    Span quote = lex->levels[0].quote;
    take_back(lex, quote);
    uint32_t end = lex->at + len;
    lex->at = quote.lo - lex->base;
    Token *t = lex_push(lex, TOK_RAW, lex_slice(lex, end - lex->at));
    t->text = str_slice(t->text, 1, t->text.len - 2);
    if (!memchr(t->text.ptr, '\'', t->text.len) && !memchr(t->text.ptr, '{', t->text.len) &&
        !memchr(t->text.ptr, '\\', t->text.len)) {
        diag_fix_certain(lex->diags, d, quote, STR_LIT("'"));
        diag_fix_certain(lex->diags, d, (Span){t->span.hi - 1, t->span.hi}, STR_LIT("'"));
    }
    lex->n_levels = 0;
    lex->in_string = false;
}

uint32_t lex_line_end(Lex *lex, Str text)
{
    if (in_interpolation(lex)) {
        Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, innermost(lex)->brace,
                           "this `{` in a string is not closed on its line");
        uint32_t below = lex->n_levels == 1 ? closed_below(lex) : 0;
        diag_help(lex->diags, d, "a plain brace in a string is written `{{`%s",
                  below ? "; a string and its expressions stand on one line" : "");
        if (below) {
            close_below(lex, d, below);
            return below - text.len;
        }
        abandon_strings(lex);
    }
    lex_token(lex, TOK_NEWLINE, text);
    return 0;
}

int lex_string_begin(Lex *lex, Str text)
{
    Span quote = lex_span(lex, lex->at, text.len);
    if (lex->n_levels == PARSE_MAX_BRACKETS) {
        diag_add(lex->diags, E_TOO_DEEP, quote, "strings are nested too deeply here");
        lex->has_given_up = true;
        return 0;
    }
    lex->levels[lex->n_levels++] = (LexLevel){.quote = quote};
    lex->in_string = true;
    return lex_token(lex, TOK_SBEG, text);
}

/* "\d{4}": what stands in double quotes is a pattern. Takes it for the raw string that was meant, so that its braces
 * are no mistakes of their own. */
static void take_as_pattern(Lex *lex)
{
    LexLevel *level = innermost(lex);
    uint32_t from = level->quote.hi - lex->base;
    Str pattern = str_slice(lex->text, from, lex->at - from);
    for (uint32_t i = 0; i < pattern.len; i++) {
        bool is_doubled = pattern.ptr[i] == '\\' && i + 1 < pattern.len && strchr("\"\\", pattern.ptr[i + 1]);
        bool is_value = pattern.ptr[i] == '{' && i + 1 < pattern.len && !strchr("0123456789,", pattern.ptr[i + 1]);
        if (pattern.ptr[i] == '\'' || is_doubled || is_value)
            return;
    }
    take_back(lex, level->quote);
    diag_fix_certain(lex->diags, level->pattern, level->quote, STR_LIT("'"));
    diag_fix_certain(lex->diags, level->pattern, lex_span(lex, lex->at, 1), STR_LIT("'"));
    level->pattern->helps.n = 0;
    diag_help(lex->diags, level->pattern, "a text with `\\` in it, such as a pattern, stands in single quotes: `'%.*s'`",
              STR_ARG(pattern));
    lex->at = from - 1;
    lex_push(lex, TOK_RAW, lex_slice(lex, pattern.len + 2))->text = pattern;
}

int lex_string_end(Lex *lex, Str text)
{
    size_t n_tokens = lex->tokens->n;
    if (innermost(lex)->pattern)
        take_as_pattern(lex);
    lex->n_levels--;
    lex->in_string = false; /* what is around it is an interpolation, or no string */
    if (lex->tokens->n < n_tokens)
        return 1;
    return lex_token(lex, TOK_SEND, text);
}

uint32_t lex_string_unclosed(Lex *lex)
{
    if (lex->n_levels > 1) { /* "x {" | ...: the quote that was to end the string began another one */
        Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, lex->levels[lex->n_levels - 2].brace,
                           "this `{` in a string is not closed before the string ends");
        diag_help(lex->diags, d, "a plain brace in a string is written `{{`");
        abandon_strings(lex);
        return 0;
    }
    Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, innermost(lex)->quote,
                       "this string is not closed on its line");
    diag_help(lex->diags, d,
              "close it with `\"`; text over several lines stands in single quotes, "
              "or has `\\n` in it");
    uint32_t below = closed_below(lex);
    if (below)
        close_below(lex, d, below);
    else
        abandon_strings(lex);
    return below;
}

uint32_t lex_string_lost(Lex *lex)
{
    uint32_t end = lex->at;
    while (end < lex->text.len && lex->text.ptr[end] != '\n')
        end++;
    uint32_t len = end - lex->at;
    lex->n_levels = 0;
    lex->in_string = false;
    lex_push(lex, TOK_BAD, lex_slice(lex, len));
    return len;
}

int lex_interpolation_begin(Lex *lex, Str text)
{
    lex->in_string = false;
    innermost(lex)->brace = lex_span(lex, lex->at, text.len);
    innermost(lex)->braces = 0;
    return lex_token(lex, TOK_IOPEN, text);
}

bool lex_in_interpolation(const Lex *lex)
{
    return in_interpolation(lex);
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
    const char *close;
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
        /* Without a brace that closes it a doubled one stands there, as in `\u{{x`. */
        close = i + 2 < s.len && s.ptr[i + 2] == '{' ? memchr(s.ptr + i, '}', s.len - i) : NULL;
        if (close) {
            uint32_t len = (uint32_t)(close - (s.ptr + i)) + 1;
            uint32_t cp = unicode_escape((Str){s.ptr + i + 3, len - 4});
            if (cp == UINT32_MAX) {
                Diag *d =
                    diag_add(lex->diags, E_BAD_ESCAPE, lex_span(lex, lex->at + i, len),
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
    bool is_pattern = strchr("dDwWsSbBAz.()[]*+?|^$/-", s.ptr[i + 1]);
    if (is_pattern && innermost(lex)->pattern) /* the same mistake */
        return len;
    Diag *d = diag_add(lex->diags, E_BAD_ESCAPE, lex_span(lex, lex->at + i, len),
                       "`%.*s` is not an escape", (int)len, s.ptr + i);
    if (is_pattern) {
        innermost(lex)->pattern = d;
        diag_help(lex->diags, d, "a text with `\\` in it, such as a pattern, stands in single quotes, or has `\\\\`");
        return len;
    }
    if (s.ptr[i + 1] == '{') {
        diag_help(lex->diags, d, "a plain brace in a string is written `{{`");
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at + i, len), STR_LIT("{{"));
    } else if (s.ptr[i + 1] == '\'') {
        diag_help(lex->diags, d, "a single quote stands in double quotes by itself");
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at + i, len), STR_LIT("'"));
    } else if (s.ptr[i + 1] == 'u' || s.ptr[i + 1] == 'x') {
        diag_help(lex->diags, d, "a character is written by its number in braces: `\\u{e9}`");
    } else if (s.ptr[i + 1] == 'r') {
        diag_help(lex->diags, d, "a carriage return is `\\u{d}`");
        diag_fix_certain(lex->diags, d, lex_span(lex, lex->at + i, len), STR_LIT("\\u{d}"));
    } else
        diag_help(
            lex->diags, d,
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
    Token *t = lex_push(lex, TOK_STEXT, text);
    t->text = arena_str(lex->arena, buf_str(&out));
    buf_deinit(&out);
    return 1;
}

int lex_raw(Lex *lex, Str text)
{
    Token *t = lex_push(lex, TOK_RAW, lex_slice(lex, text.len));
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
    Diag *d = diag_add(lex->diags, E_UNCLOSED_STRING, lex_span(lex, lex->at, 1),
                       is_raw ? "this raw string is never closed"
                              : "this name in backticks is not closed on its line");
    if (is_raw && lex->long_raw.hi)
        diag_label(lex->diags, d, (Span){lex->long_raw.lo, lex->long_raw.lo + 1},
                   "or was this one, which spans lines, meant to end earlier?");
    if (is_raw)
        diag_help(lex->diags, d, "a text with a `'` in it stands in double quotes");
    lex_push_line(lex, TOK_BAD, text);
    return 1;
}

/* ---- names ---- */

uint32_t lex_word(Lex *lex, Str text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < 0x80)
            continue;
        if (!lex_is_lookalike(str_slice(text, i, text.len)))
            continue;
        if (i == 0)
            return lex_lookalike(lex, text);
        /* Behind a letter of such a script a full-width sign is a part of the name. */
        bool is_full_width = (unsigned char)text.ptr[i] == 0xef && (unsigned char)text.ptr[i + 1] != 0xbb;
        if (is_full_width && (unsigned char)text.ptr[i - 1] >= 0x80)
            continue;
        text.len = i; /* the rest comes again by itself */
    }
    const Keyword *k = keyword_by_text(text);
    lex_token(lex, k ? k->token : TOK_NAME, text);
    return text.len;
}

int lex_backticks(Lex *lex, Str text)
{
    Token *t = lex_push(lex, TOK_QNAME, lex_slice(lex, text.len));
    t->text = (Str){t->text.ptr + 1, text.len - 2};
    if (text.len == 2) {
        diag_add(lex->diags, E_BAD_CHARACTER, t->span,
                 "a name in backticks cannot be empty");
        t->kind = TOK_BAD;
    }
    return 1;
}

/* ---- the whole text ---- */

/* Told by the first bytes; NULL: none that is known here. */
static const char *binary_kind(Str s)
{
    static const struct {
        const char *bytes;
        uint32_t len;
        const char *kind;
    } kinds[] = {{"\x1f\x8b", 2, "compressed by gzip"},     {"\x28\xb5\x2f\xfd", 4, "compressed by zstd"},
                 {"PK\x03\x04", 4, "a ZIP archive"},         {"\x7f" "ELF", 4, "an executable"},
                 {"PAR1", 4, "a Parquet file"},              {"SQLite format 3", 15, "an SQLite database"},
                 {"%PDF-", 5, "a PDF"},                      {"\x89PNG", 4, "a picture"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (s.len >= kinds[i].len && memcmp(s.ptr, kinds[i].bytes, kinds[i].len) == 0)
            return kinds[i].kind;
    return NULL;
}

/* What is not program text at all: one message, and no tokens. */
static bool check_encoding(Lex *lex)
{
    Str s = lex->text;
    Diag *d;
    bool is_utf16 = s.len >= 2 && (memcmp(s.ptr, "\xff\xfe", 2) == 0 ||
                                   memcmp(s.ptr, "\xfe\xff", 2) == 0);
    if (is_utf16) {
        d = diag_add(lex->diags, E_BAD_ENCODING, lex_span(lex, 0, 2),
                     "this file is UTF-16");
        diag_help(lex->diags, d, "convert it to UTF-8");
        return false;
    }
    uint32_t valid = utf8_valid_prefix(s);
    const char *nul = s.len ? memchr(s.ptr, '\0', valid) : NULL;
    const char *kind = binary_kind(s);
    if (kind) {
        d = diag_add(lex->diags, E_BAD_ENCODING, lex_span(lex, 0, 1), "this file is %s, not text", kind);
        diag_help(lex->diags, d, "a program is a text; data is read by a program: `read csv \"...\"`");
        return false;
    }
    if (nul) {
        uint32_t at = (uint32_t)(nul - s.ptr);
        d = diag_add(lex->diags, E_BAD_ENCODING, lex_span(lex, at, 1), "a NUL byte stands here");
        diag_help(lex->diags, d, "a program is a text: is this the right file?");
        return false;
    }
    if (valid < s.len) {
        d = diag_add(lex->diags, E_BAD_ENCODING, lex_span(lex, valid, 1),
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
    lex_push(lex, TOK_END, STR_LIT(""));
    return ok;
}
