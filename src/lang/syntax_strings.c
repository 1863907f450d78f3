/* syntax_strings.c - rules about strings as other languages write them. */
#include "lang/syntax_error.h"

#include <string.h>

#include "pipe_parse.h"

/* f"...", r"..." */
static bool string_prefix(Mistake *m)
{
    Str word = m->prev->text;
    if (m->prev->kind != TOK_NAME || word.len > 2 || !mistake_touch(m, m->i_prev, m->p->at))
        return false;
    for (uint32_t i = 0; i < word.len; i++)
        if (!strchr("fFrRbBuU", word.ptr[i]))
            return false;
    bool is_raw = memchr(word.ptr, 'r', word.len) || memchr(word.ptr, 'R', word.len);
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->prev->span, "strings have no `%.*s` before them",
                       STR_ARG(word));
    if (is_raw && m->t->kind == TOK_RAW && mistake_text(m, m->p->at, m->p->at).ptr[0] == '"') {
        diags_drop(m->diags, m->t->span); /* the scanner has taken it for a raw string, and said so */
        diag_help(m->diags, d, "a raw string stands in single quotes: `'%.*s'`", STR_ARG(m->t->text));
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, m->p->at),
                         arena_printf(m->diags->arena, "'%.*s'", STR_ARG(m->t->text)));
        return true;
    }
    bool is_format = memchr(word.ptr, 'f', word.len) || memchr(word.ptr, 'F', word.len);
    if (!is_raw && is_format && m->t->kind == TOK_RAW) { /* f'{hp}': here only double quotes have expressions and escapes */
        Str text = m->t->text;
        diag_help(m->diags, d, "`\"text {expr}\"`, in double quotes, holds expressions by itself");
        if (!memchr(text.ptr, '"', text.len) && !memchr(text.ptr, '\\', text.len))
            diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, m->p->at), arena_printf(m->diags->arena, "\"%.*s\"", STR_ARG(text)));
        return true;
    }
    if (!is_raw || m->t->kind == TOK_RAW) {
        diag_help(m->diags, d, is_raw ? "a string in single quotes is raw by itself"
                                      : "`\"text {expr}\"` holds expressions by itself");
        diag_fix_certain(m->diags, d, m->prev->span, STR_LIT(""));
        return true;
    }
    diag_help(m->diags, d, "a raw string stands in single quotes: `'...'`");
    size_t close = mistake_closer(m, m->p->at);
    if (close != SIZE_MAX && !memchr(mistake_text(m, m->p->at, close).ptr, '\'',
                                     mistake_text(m, m->p->at, close).len)) {
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, m->p->at), STR_LIT("'"));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT("'"));
    }
    return true;
}

/* The rest of the line is what a string was to be. */
static void skip_line(Mistake *m)
{
    size_t i = m->p->at;
    while (!token_is_end(mistake_kind_at(m, i)))
        i++;
    if (i > m->p->at) {
        diags_drop(m->diags, mistake_span(m, m->p->at, i - 1));
        parse_lose_braces(m->p, mistake_text(m, m->p->at, i - 1));
    }
    m->p->restart.token = i;
}

/* "say "hi"", 'don't' */
static bool string_quote(Mistake *m)
{
    if ((m->prev->kind != TOK_SEND && m->prev->kind != TOK_RAW) ||
        !mistake_touch(m, m->i_prev, m->p->at) || token_is_string(m->t->kind) || token_is_end(m->t->kind) ||
        (m->t->kind != TOK_NAME && token_class(m->t->kind) == KEYWORD_NONE && m->t->kind != TOK_LBRACE &&
         m->t->kind != TOK_INT && m->t->kind != TOK_FLOAT) ||
        mistake_expects(m, TOK_LBRACE))
        return false;
    bool is_raw = m->prev->kind == TOK_RAW;
    Span quote = {m->prev->span.hi - 1, m->prev->span.hi};
    Diag *d = diag_add(m->diags, E_QUOTE_IN_STRING, quote, "the string ends at this quote");
    diag_help(m->diags, d, is_raw ? "a text with a `'` in it stands in double quotes"
                                  : "a quote in a string is written `\\\"`");
    skip_line(m);
    return true;
}

/* name == 'x, and the next `'` stands some lines below, where another string was to begin: the one that is open goes up to
 * there, so what does not fit is a long way from the mistake. */
static bool string_over_lines(Mistake *m)
{
    if (m->prev->kind != TOK_RAW || token_is_end(m->t->kind))
        return false;
    Str text = mistake_text(m, m->i_prev, m->i_prev);
    bool begins_another = text.len > 1 && strchr(" (,[=", text.ptr[text.len - 2]) && m->t->kind == TOK_RAW;
    if (!memchr(text.ptr, '\n', text.len) || (!mistake_touch(m, m->i_prev, m->p->at) && !begins_another))
        return false;
    Span quote = {m->prev->span.lo, m->prev->span.lo + 1}, end = {m->prev->span.hi - 1, m->prev->span.hi};
    Diag *d = diag_add(m->diags, E_UNCLOSED_STRING, quote, "this raw string is not closed on its line");
    diag_label(m->diags, d, end, "it ends here");
    diag_help(m->diags, d, "close it with `'`; a text with a `'` in it stands in double quotes");
    skip_line(m);
    return true;
}

/* 'it''s' of SQL: all that touch are one text. */
static bool raw_doubled(Mistake *m)
{
    size_t first = m->i_prev, last = m->p->at;
    if (m->prev->kind != TOK_RAW || m->t->kind != TOK_RAW || !mistake_touch(m, first, last))
        return false;
    while (mistake_kind_at(m, last + 1) == TOK_RAW && mistake_touch(m, last, last + 1))
        last++;
    Buf text = {0};
    buf_putc(&text, '"');
    for (size_t i = first; i <= last; i++) {
        Str part = mistake_token(m, i)->text;
        buf_puts(&text, i > first ? "'" : "");
        for (uint32_t k = 0; k < part.len; k++) {
            char c = part.ptr[k];
            buf_puts(&text, c == '"' || c == '\\' ? "\\" : c == '{' ? "{" : "");
            c == '\n' ? buf_puts(&text, "\\n") : buf_putc(&text, c);
        }
    }
    buf_putc(&text, '"');
    Diag *d = diag_add(m->diags, E_QUOTE_IN_STRING, (Span){m->prev->span.hi - 1, m->t->span.lo + 1},
                       "a `'` in a text is not doubled");
    diag_help(m->diags, d, "a text with a `'` in it stands in double quotes: `%s`", text.ptr);
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), buf_str(&text));
    buf_deinit(&text);
    return true;
}

/* """a""" of Python, "say ""hi""" of BASIC and CSV. */
static bool quote_doubled(Mistake *m)
{
    size_t at = m->p->at, close = mistake_closer(m, at);
    if (m->prev->kind != TOK_SEND || m->t->kind != TOK_SBEG || !mistake_touch(m, m->i_prev, at) || close == SIZE_MAX)
        return false;
    bool is_triple = mistake_kind_at(m, m->i_prev - 1) == TOK_SBEG && mistake_kind_at(m, close + 1) == TOK_SBEG &&
                     mistake_kind_at(m, close + 2) == TOK_SEND && mistake_touch(m, close, close + 1);
    if (is_triple) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, m->i_prev - 1, at), "a string has one quote at each end");
        diag_help(m->diags, d, "write `%.*s`", STR_ARG(mistake_text(m, at, close)));
        diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev - 1, m->i_prev), STR_LIT(""));
        diag_fix_certain(m->diags, d, mistake_span(m, close + 1, close + 2), STR_LIT(""));
        return true;
    }
    Diag *d = diag_add(m->diags, E_QUOTE_IN_STRING, mistake_span(m, m->i_prev, at), "a quote in a string is not doubled");
    diag_help(m->diags, d, "a quote in a string is written `\\\"`");
    while (mistake_kind_at(m, at) == TOK_SBEG && mistake_touch(m, at - 1, at) && close != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_span(m, at - 1, at), STR_LIT("\\\""));
        at = close + 1;
        close = mistake_closer(m, at);
    }
    return true;
}

/* "a" "b", "%d" % x */
static bool string_beside(Mistake *m)
{
    if (!token_is_string(m->t->kind) || (m->prev->kind != TOK_SEND && m->prev->kind != TOK_RAW))
        return false;
    if (!(mistake_expects(m, TOK_PLUS) || mistake_expects(m, TOK_NEWLINE)) || mistake_lacks_then(m))
        return false;
    if (raw_doubled(m) || quote_doubled(m))
        return true;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "two strings stand side by side");
    diag_help(m->diags, d, "join them with `+`, or write one string: `\"{a}{b}\"`");
    diag_fix_certain(m->diags, d, mistake_before(m, m->p->at), STR_LIT("+ "));
    return true;
}

/* "x {}", "x {n:.2f}" */
static bool string_format(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (!b || b->kind != TOK_IOPEN)
        return false;
    bool is_empty = m->t->kind == TOK_ICLOSE && b->token == m->i_prev;
    if (!is_empty && m->t->kind != TOK_COLON)
        return false;
    size_t end = m->p->at;
    while (end < m->p->tokens.n && mistake_kind_at(m, end) != TOK_ICLOSE &&
           !token_is_end(mistake_kind_at(m, end)))
        end++;
    diags_drop(m->diags, mistake_span(m, m->p->at, end));
    size_t quote = b->token;
    while (quote > 0 && mistake_kind_at(m, quote) != TOK_SBEG)
        quote--;
    size_t paren = mistake_prior(m, quote);
    if (mistake_kind_at(m, paren) == TOK_LPAREN && mistake_word_at(m, mistake_prior(m, paren), "format") &&
        mistake_closer(m, quote) != SIZE_MAX) {
        size_t last = mistake_closer(m, quote);
        Str text = mistake_text(m, quote, last);
        text = str_slice(text, 1, text.len - 2);
        diags_drop(m->diags, mistake_span(m, quote, last)); /* what the scanner made of the other places */
        Diag *f = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, b->token, b->token),
                           "in double quotes `{` begins an expression");
        diag_help(m->diags, f, "write `'%.*s'`, in single quotes", STR_ARG(text));
        if (!memchr(text.ptr, '\'', text.len) && !memchr(text.ptr, '\\', text.len))
            diag_fix_certain(m->diags, f, mistake_span(m, quote, last),
                             arena_printf(m->diags->arena, "'%.*s'", STR_ARG(text)));
        return true;
    }
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, b->token, is_empty ? m->p->at : b->token),
                       is_empty ? "nothing stands between these braces"
                                : "an interpolation takes no format");
    if (is_empty)
        diag_help(m->diags, d, "write the expression into them: `\"{name}\"`; a plain brace is `{{`");
    else if (mistake_kind_at(m, end) == TOK_ICLOSE)
        diag_help(m->diags, d, "write `{format('{%.*s}', %.*s)}`",
                  STR_ARG(mistake_text(m, m->p->at, end - 1)),
                  STR_ARG(mistake_text(m, b->token + 1, m->i_prev)));
    return true;
}

/* A choice of names in a pattern, "{gz,zst}". */
static bool string_choice(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (m->t->kind != TOK_COMMA || !b || b->kind != TOK_IOPEN)
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_token(m, b->token)->span,
                       "in double quotes `{` begins one expression");
    diag_help(m->diags, d, "a text with braces stands in single quotes, or has `{{`; patterns of paths have `*` and `?`, no `{a,b}`");
    skip_line(m);
    return true;
}

/* "%s has %d" % (name, hp) */
static bool string_percent(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (m->t->kind != TOK_COMMA || !b || b->kind != TOK_LPAREN || mistake_prior_kind(m, b->token) != TOK_PERCENT)
        return false;
    size_t percent = mistake_prior(m, b->token);
    int kind = mistake_prior_kind(m, percent);
    if (kind != TOK_SEND && kind != TOK_RAW)
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_token(m, percent)->span, "`%%` does not format strings");
    diag_help(m->diags, d, "write the values into the string, `\"{name} has {hp}\"`, or `format('{} has {:.2f}', name, hp)`");
    return true;
}

bool rule_string(Mistake *m)
{
    if (!m->prev)
        return false;
    return (token_is_string(m->t->kind) && string_prefix(m)) || string_over_lines(m) || string_quote(m) || string_beside(m) ||
           string_format(m) || string_choice(m) || string_percent(m);
}
