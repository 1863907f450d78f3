/* syntax_foreign.c - rules about what Python, C, the shell and jq write. */
#include "lang/syntax_error.h"

#include <string.h>

#include "base/builtins.h"
#include "pipe_parse.h"

static bool ends_value(int kind)
{
    return kind == TOK_NAME || kind == TOK_QNAME || kind == TOK_RPAREN || kind == TOK_RBRACK ||
           kind == TOK_SEND || kind == TOK_RAW || kind == TOK_INT || kind == TOK_FLOAT ||
           token_class(kind) >= KEYWORD_DECL;
}

static bool in_job(const Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (!b)
        return m->p->start == TOK_START_FLOWS;
    return b->kind == TOK_LBRACE && b->token >= 2 && mistake_kind_at(m, b->token - 2) == TOK_JOB;
}

/* ---- strings ---- */

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
    size_t end = b->token;
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

/* ---- operators ---- */

/* hp += 1, hp++ */
static bool step_operator(Mistake *m)
{
    size_t next = m->p->at + 1, op = m->p->at;
    const char *text = m->t->kind == TOK_PLUS    ? "+"
                       : m->t->kind == TOK_MINUS ? "-"
                       : m->t->kind == TOK_STAR  ? "*"
                       : m->t->kind == TOK_SLASH ? "/"
                                                 : NULL;
    if (!text)
        return false;
    bool has_name = m->prev->kind == TOK_NAME || m->prev->kind == TOK_QNAME;
    if (has_name && mistake_expects(m, TOK_ASSIGN) && mistake_kind_at(m, next) == TOK_ASSIGN) {
        Str name = mistake_text(m, m->i_prev, m->i_prev);
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, op, next),
                           "there is no `%s=`: a column is defined anew", text);
        diag_help(m->diags, d, "write `%.*s = %.*s %s ...`", STR_ARG(name), STR_ARG(name), text);
        diag_fix_certain(m->diags, d, mistake_span(m, op, next),
                         arena_printf(m->diags->arena, "= %.*s %s", STR_ARG(name), text));
        return true;
    }
    /* `hp++`, and `++hp`, of which the first sign does not fit. */
    bool is_double = m->t->kind == TOK_PLUS && mistake_kind_at(m, next) == TOK_PLUS && mistake_touch(m, op, next);
    if (is_double)
        op = next;
    is_double = is_double || (m->prev->kind == m->t->kind && m->t->kind == TOK_PLUS &&
                              mistake_touch(m, m->i_prev, op));
    if (!is_double)
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, op - 1, op), "there is no `++`");
    size_t right = mistake_next(m, op);
    bool joins = token_is_string(mistake_kind_at(m, right)) || mistake_prior_kind(m, op - 1) == TOK_SEND || mistake_prior_kind(m, op - 1) == TOK_RAW;
    if (joins) {
        diag_help(m->diags, d, "strings are joined by `+`");
        diag_fix_certain(m->diags, d, mistake_span(m, op - 1, op), STR_LIT("+"));
    } else {
        diag_help(m->diags, d, "write `x + 1`");
    }
    return true;
}

/* `> =`, `= =`, `! =` */
static bool split_operator(Mistake *m)
{
    static const struct {
        int first;
        const char *text;
    } pairs[] = {{TOK_GT, ">="}, {TOK_LT, "<="}, {TOK_ASSIGN, "=="}, {TOK_NOT, "!="}};
    if (m->t->kind != TOK_ASSIGN || m->i_prev == SIZE_MAX)
        return false;
    uint32_t at = m->prev->span.lo - source_base(m->p->source);
    bool is_bang = m->prev->kind == TOK_NOT && source_text(m->p->source).ptr[at] == '!';
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (m->prev->kind != pairs[i].first || (m->prev->kind == TOK_NOT && !is_bang))
            continue;
        Span span = mistake_span(m, m->i_prev, m->p->at);
        diags_drop(m->diags, span);
        Diag *d = diag_add(m->diags, E_SYNTAX, span, "`%s` is written without a blank", pairs[i].text);
        diag_help(m->diags, d, "write `%s`", pairs[i].text);
        diag_fix_certain(m->diags, d, span, str_of(pairs[i].text));
        return true;
    }
    return false;
}

/* a << b, and `>>`, `->`, `>` between stages */
static bool shift_operator(Mistake *m)
{
    /* `|| take 3` was read as `or` and a name. */
    size_t or = mistake_prior(m, m->i_prev);
    if (or != SIZE_MAX && mistake_kind_at(m, or) == TOK_OR && token_class(m->prev->kind) == KEYWORD_STMT &&
        mistake_text(m, or, or).ptr[0] == '|' && in_job(m)) {
        diags_drop(m->diags, mistake_token(m, or)->span);
        Diag *d = diag_add(m->diags, E_PIPE, mistake_token(m, or)->span, "the stages of a flow are joined by one `|`");
        diag_help(m->diags, d, "write `|`");
        diag_fix_certain(m->diags, d, mistake_token(m, or)->span, STR_LIT("|"));
        return true;
    }
    bool is_pair = (m->t->kind == TOK_GT || m->t->kind == TOK_LT) && m->prev->kind == m->t->kind &&
                   mistake_touch(m, m->i_prev, m->p->at);
    size_t next = token_after(m->p, m->p->at, true), first = is_pair ? m->i_prev : m->p->at;
    bool to_stage = token_class(mistake_kind_at(m, next)) == KEYWORD_STMT;
    bool is_arrow = m->t->kind == TOK_ARROW && mistake_expects(m, TOK_PIPE);
    bool is_pipe = m->t->kind == TOK_GT && m->prev->kind == TOK_PIPE;    /* |> */
    bool is_magrittr = m->t->kind == TOK_GT && m->prev->kind == TOK_PERCENT; /* %>% */
    if (is_magrittr && mistake_kind_at(m, m->p->at + 1) == TOK_PERCENT)
        next = token_after(m->p, m->p->at + 1, true);
    if (is_pipe || (is_arrow && to_stage) || (is_pair && m->t->kind == TOK_GT && to_stage) ||
        (is_magrittr && token_class(mistake_kind_at(m, next)) == KEYWORD_STMT)) {
        size_t last = is_magrittr ? m->p->at + 1 : m->p->at;
        first = is_arrow ? m->p->at : m->i_prev;
        bool is_op = mistake_bracket(m) && !in_job(m);
        Diag *d = diag_add(m->diags, E_PIPE, mistake_span(m, first, last),
                           is_op ? "the statements of an op stand on lines of their own"
                                 : "the stages of a flow are joined by `|`");
        diag_help(m->diags, d, is_op ? "put `;` between them, or a line end" : "write `|`");
        diag_fix_certain(m->diags, d, mistake_span(m, first, last), is_op ? STR_LIT(";") : STR_LIT("|"));
        return true;
    }
    if (!is_pair)
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, first, m->p->at),
                       "there are no operators on bits");
    diag_help(m->diags, d, "`x * 2 ** n` and `x // 2 ** n` shift a number");
    return true;
}

/* `x mod 2`, `name contains "a"`: a word between operands. */
static bool word_operator(Mistake *m)
{
    static const struct {
        const char *word, *ours;
    } words[] = {{"mod", "%"}, {"div", "//"}, {"eq", "=="}, {"ne", "!="},  {"lt", "<"},
                 {"le", "<="}, {"gt", ">"},   {"ge", ">="}, {"isnt", "!="}, {"equals", "=="}};
    size_t at = m->p->at, next = mistake_next(m, at);
    /* Dots of Lua and PHP join strings. */
    bool is_dots = m->t->kind == TOK_DOTDOT && mistake_expects(m, TOK_PLUS) && !mistake_expects(m, TOK_DOTDOT);
    int word = is_dots ? mistake_kind_at(m, mistake_statement(m)) : TOK_END;
    bool has_number = m->prev->kind == TOK_INT || mistake_kind_at(m, next) == TOK_INT;
    if (is_dots && has_number && word != TOK_TAKE) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "`..` is no operator: it stands in `range 1..9`");
        diag_help(m->diags, d, "a number between two others is asked for by `x between 1 and 9`");
        return true;
    }
    if ((is_dots && word != TOK_TAKE && mistake_prior_kind(m, mistake_operand_begin(m, m->i_prev)) != TOK_BETWEEN) ||
        (token_is_string(m->t->kind) && m->prev->kind == TOK_DOT)) {
        const Token *dot = is_dots ? m->t : m->prev;
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, dot->span, "strings are joined by `+`");
        diag_help(m->diags, d, "write `+`, or one string: `\"{a}{b}\"`");
        diag_fix_certain(m->diags, d, dot->span, STR_LIT("+"));
        return true;
    }
    if (m->t->kind != TOK_NAME || !ends_value(m->prev->kind) || !mistake_expects(m, TOK_PLUS))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!mistake_word_at(m, at, words[i].word))
            continue;
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `%s` here",
                           STR_ARG(m->t->text), words[i].ours);
        diag_help(m->diags, d, "write `%s`", words[i].ours);
        diag_fix_certain(m->diags, d, m->t->span, str_of(words[i].ours));
        return true;
    }
    if (mistake_word_at(m, at, "xor")) {
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `!=` here", STR_ARG(m->t->text));
        diag_help(m->diags, d, "one of two conditions holds: `(a) != (b)`");
        return true;
    }
    bool is_same;
    const char *habit = builtin_habit(m->t->text, &is_same);
    const Builtin *b = builtin_find(habit ? str_of(habit) : m->t->text, 2);
    size_t first = mistake_operand_begin(m, m->i_prev), last = mistake_operand_end(m, next);
    if (!b || !builtin_takes(b, 2) || first == SIZE_MAX || last == SIZE_MAX || mistake_kind_at(m, next) == TOK_LPAREN)
        return false;
    Str call = arena_printf(m->diags->arena, "%s(%.*s, %.*s)", b->name,
                            STR_ARG(mistake_text(m, first, m->i_prev)),
                            STR_ARG(mistake_text(m, next, last)));
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "`%s` is a function, not an operator",
                       b->name);
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), call);
    return true;
}

/* `date "2026-01-02"`, `upper name`: a function without parentheses. */
static bool bare_call(Mistake *m)
{
    const Builtin *b = m->prev->kind == TOK_NAME ? builtin_find(m->prev->text, 1) : NULL;
    size_t at = m->p->at, last = mistake_operand_end(m, at);
    bool is_operand = token_is_string(m->t->kind) || m->t->kind == TOK_NAME || m->t->kind == TOK_QNAME ||
                      m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT;
    if (!b || !builtin_takes(b, 1) || !is_operand || last == SIZE_MAX || !mistake_expects(m, TOK_LPAREN) ||
        !mistake_expects(m, TOK_PLUS))
        return false;
    Str call = arena_printf(m->diags->arena, "%s(%.*s)", b->name, STR_ARG(mistake_text(m, at, last)));
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->prev->span, "a function is called with parentheses");
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, m->i_prev, last), call);
    return true;
}

/* x ~ 'p', x =~ 'p', ~x */
static bool tilde(Mistake *m)
{
    if (m->t->kind != TOK_TILDE)
        return false;
    size_t next = mistake_next(m, m->p->at);
    bool is_not = m->t->text.len > 1 && m->t->text.ptr[0] == '!';
    if (!ends_value(m->prev->kind) || !mistake_expects(m, TOK_PLUS)) {
        Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `not` here",
                           STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `not`");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT("not "));
        return true;
    }
    Diag *d = diag_add(m->diags, E_FOREIGN_OPERATOR, m->t->span, "`%.*s` is written `matches(...)` here",
                       STR_ARG(m->t->text));
    size_t first = mistake_operand_begin(m, m->i_prev), last = mistake_operand_end(m, next);
    Str pattern = last == SIZE_MAX ? (Str){0} : mistake_text(m, next, last);
    bool is_slashed = pattern.len && pattern.ptr[0] == '/'; /* ~ /pattern/ */
    if (is_slashed)
        pattern = arena_printf(m->diags->arena, "'%.*s'", STR_ARG(mistake_token(m, next)->text));
    if (first == SIZE_MAX || last == SIZE_MAX || (is_slashed && memchr(pattern.ptr + 1, '\'', pattern.len - 2))) {
        diag_help(m->diags, d, "write `matches(text, 'pattern')`");
        return true;
    }
    Str call = arena_printf(m->diags->arena, "%smatches(%.*s, %.*s)", is_not ? "not " : "",
                            STR_ARG(mistake_text(m, first, m->i_prev)), STR_ARG(pattern));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), call);
    return true;
}

/* `.hp`, `@hp` where a value is wanted */
static bool sigil(Mistake *m)
{
    size_t next = m->p->at + 1;
    int kind = mistake_kind_at(m, next);
    if (m->t->kind == TOK_LBRACE && mistake_expects_expression(m) && !mistake_expects_stage(m)) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "an expression has no braces");
        diag_help(m->diags, d, "group with `( )`; a list is `[1, 2]`");
        return true;
    }
    bool is_stage = m->t->kind == TOK_DOT && mistake_expects_stage(m) && m->prev->kind == TOK_PIPE &&
                    token_class(kind) != KEYWORD_STMT;
    bool wants_name = m->t->kind == TOK_DOT && mistake_expects(m, TOK_QNAME) &&
                      (m->prev->kind == TOK_COMMA || m->prev->kind == TOK_BY || mistake_is_first_word(m, m->i_prev));
    if ((m->t->kind != TOK_DOT && m->t->kind != TOK_AT) || !mistake_touch(m, m->p->at, next) ||
        !(mistake_expects_expression(m) || is_stage || wants_name))
        return false;
    Diag *d;
    if (m->t->kind == TOK_AT && kind == TOK_INT) {
        size_t last = next;
        while (mistake_touch(m, last, last + 1) &&
               (mistake_kind_at(m, last + 1) == TOK_MINUS || mistake_kind_at(m, last + 1) == TOK_INT))
            last++;
        d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "there are no literals of dates");
        diag_help(m->diags, d, "write `date(\"%.*s\")`", STR_ARG(mistake_text(m, next, last)));
        diag_fix_certain(m->diags, d, mistake_span(m, m->p->at, last),
                         arena_printf(m->diags->arena, "date(\"%.*s\")",
                                      STR_ARG(mistake_text(m, next, last))));
        return true;
    }
    if (kind != TOK_NAME && kind != TOK_QNAME && token_class(kind) < KEYWORD_DECL)
        return false;
    d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "no `%.*s` stands before a name",
                 STR_ARG(m->t->text));
    diag_help(m->diags, d, "columns and parameters stand by their names alone: `%s%.*s`", is_stage ? "select " : "",
              STR_ARG(mistake_text(m, next, next)));
    diag_fix_certain(m->diags, d, m->t->span, is_stage ? STR_LIT("select ") : STR_LIT(""));
    return true;
}

/* 1,5 and 1,000 */
static bool number_comma(Mistake *m)
{
    size_t comma = m->t->kind == TOK_COMMA ? m->p->at : m->i_prev;
    size_t first = mistake_prior(m, comma), second = comma == SIZE_MAX ? SIZE_MAX : comma + 1;
    bool are_numbers = first != SIZE_MAX && mistake_kind_at(m, comma) == TOK_COMMA &&
                       mistake_kind_at(m, first) == TOK_INT && mistake_kind_at(m, second) == TOK_INT &&
                       mistake_touch(m, first, comma) && mistake_touch(m, comma, second);
    const Bracket *b = mistake_bracket(m);
    if (!are_numbers || (m->p->at != comma && m->p->at != second) || (b && b->kind != TOK_LBRACE && b->kind != TOK_IOPEN))
        return false;
    Diag *d = diag_add(m->diags, E_BAD_NUMBER, mistake_span(m, first, second), "a number has no `,` in it");
    Str a = mistake_token(m, first)->text, z = mistake_token(m, second)->text;
    diag_help(m->diags, d, "a decimal point is a `.`, thousands are parted by `_`: `%.*s.%.*s` or `%.*s_%.*s`", STR_ARG(a),
              STR_ARG(z), STR_ARG(a), STR_ARG(z));
    return true;
}

/* `x!`: the sign was read as the `not` of `not in`. */
static bool sign_behind(Mistake *m)
{
    if (m->prev->kind != TOK_NOT || mistake_text(m, m->i_prev, m->i_prev).ptr[0] != '!' || m->t->kind == TOK_ASSIGN ||
        !mistake_expects(m, TOK_IN) || mistake_expects_expression(m))
        return false;
    diags_drop(m->diags, m->prev->span);
    return mistake_say(m, E_FOREIGN_OPERATOR, m->prev->span, "no `!` stands behind a value",
                       "leave it out; a condition is turned round by `not` before it", NO_FIX, (Str){0});
}

bool rule_operator(Mistake *m)
{
    if (!m->prev)
        return false;
    if (number_comma(m) || sign_behind(m))
        return true;
    return step_operator(m) || split_operator(m) || shift_operator(m) || tilde(m) ||
           word_operator(m) || bare_call(m) || sigil(m);
}

/* ---- x[0], df["x"] ---- */

bool rule_index(Mistake *m)
{
    if (m->t->kind != TOK_LBRACK || !m->prev || !ends_value(m->prev->kind) ||
        m->prev->kind == TOK_SEND || m->prev->kind == TOK_BY ||
        (token_class(m->prev->kind) == KEYWORD_STMT && mistake_is_first_word(m, m->i_prev)))
        return false;
    size_t first = mistake_operand_begin(m, m->i_prev), close = mistake_closer(m, m->p->at);
    if (first == SIZE_MAX)
        return false;
    size_t inner = mistake_next(m, m->p->at);
    Str base = mistake_text(m, first, m->i_prev);
    Diag *d;
    bool is_column = token_is_string(mistake_kind_at(m, inner)) && close != SIZE_MAX;
    if (is_column) {
        size_t end = mistake_operand_end(m, inner);
        bool is_raw = mistake_kind_at(m, inner) == TOK_RAW;
        const Token *text = mistake_token(m, is_raw ? inner : inner + 1);
        if (end == SIZE_MAX || mistake_next(m, end) != close || text->text.len == 0)
            return false;
        bool is_word = true;
        for (uint32_t i = 0; i < text->text.len; i++) {
            char c = text->text.ptr[i];
            is_word = is_word && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                                  (i && c >= '0' && c <= '9') || (unsigned char)c >= 0x80);
        }
        Str name = arena_printf(m->diags->arena, is_word ? "%.*s" : "`%.*s`", STR_ARG(text->text));
        size_t after = mistake_next(m, close);
        bool is_statement = mistake_statement(m) == first && mistake_kind_at(m, after) == TOK_ASSIGN;
        d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, m->p->at, close),
                     "a column stands by its name alone");
        diag_help(m->diags, d, is_statement ? "write `derive %.*s = ...`" : "write `%.*s`",
                  STR_ARG(name));
        if (is_statement)
            name = arena_printf(m->diags->arena, "derive %.*s", STR_ARG(name));
        diag_fix_certain(m->diags, d, mistake_span(m, first, close), name);
        return true;
    }
    d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "values have no parts in `[ ]`");
    if (mistake_kind_at(m, first) == TOK_LBRACK)
        base = STR_LIT("x");
    diag_help(m->diags, d, "write `substring(%.*s, start, length)` for characters, "
                           "`split_part(%.*s, \",\", n)` for parts",
              STR_ARG(base), STR_ARG(base));
    return true;
}

/* ---- conditions ---- */

/* c ? a : b */
static void fix_ternary(Mistake *m, Diag *d)
{
    size_t at = m->p->at, first = mistake_part_begin(m, at), last = mistake_part_end(m, at);
    size_t colon = SIZE_MAX;
    uint32_t depth = 0;
    for (size_t i = at + 1; i <= last; i++) {
        int kind = mistake_kind_at(m, i);
        depth += token_is_opener(kind) || kind == TOK_SBEG;
        depth -= depth > 0 && (token_is_closer(kind) || kind == TOK_SEND);
        if (kind == TOK_QUESTION)
            return;
        if (depth == 0 && kind == TOK_COLON && colon == SIZE_MAX)
            colon = i;
    }
    if (colon == SIZE_MAX || first >= at)
        return;
    diag_fix_certain(m->diags, d, mistake_before(m, first), STR_LIT("if "));
    diag_fix_certain(m->diags, d, m->t->span, STR_LIT("then"));
    diag_fix_certain(m->diags, d, mistake_token(m, colon)->span, STR_LIT("else"));
}

/* a if c else b */
static bool python_if(Mistake *m)
{
    if (m->t->kind != TOK_IF || !m->prev || !ends_value(m->prev->kind) || !mistake_expects(m, TOK_NEWLINE))
        return false;
    size_t at = m->p->at, first = mistake_part_begin(m, at), last = mistake_part_end(m, at);
    size_t other = at;
    while (other <= last && mistake_kind_at(m, other) != TOK_ELSE)
        other++;
    Diag *d = diag_add(m->diags, E_IF_FORM, m->t->span, "the condition stands first");
    if (other > last || first >= at || other + 1 > last) {
        diag_help(m->diags, d, "write `if c then a else b`");
        return true;
    }
    Str text = arena_printf(m->diags->arena, "if %.*s then %.*s else %.*s",
                            STR_ARG(mistake_text(m, at + 1, other - 1)),
                            STR_ARG(mistake_text(m, first, m->i_prev)),
                            STR_ARG(mistake_text(m, other + 1, last)));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(text));
    diag_fix_certain(m->diags, d, mistake_span(m, first, last), text);
    return true;
}

/* if(c, a, b) */
static bool call_if(Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (m->t->kind != TOK_COMMA || !b || b->kind != TOK_LPAREN || mistake_prior_kind(m, b->token) != TOK_IF)
        return false;
    size_t word = mistake_prior(m, b->token), close = mistake_closer(m, b->token), second = SIZE_MAX;
    Diag *d = diag_add(m->diags, E_IF_FORM, mistake_token(m, word)->span, "`if` is not a function");
    diag_help(m->diags, d, "write `if c then a else b`");
    uint32_t depth = 0, n_commas = 1;
    for (size_t i = m->p->at + 1; close != SIZE_MAX && i < close; i++) {
        int kind = mistake_kind_at(m, i);
        depth += token_is_opener(kind);
        depth -= depth > 0 && token_is_closer(kind);
        if (kind == TOK_COMMA && depth == 0 && n_commas++ == 1)
            second = i;
    }
    if (n_commas != 2)
        return true;
    bool stands_alone = !token_is_operator(mistake_kind_at(m, mistake_next(m, close))) &&
                        !token_is_operator(mistake_prior_kind(m, word));
    diag_fix_certain(m->diags, d, mistake_span(m, word, b->token),
                     stands_alone ? STR_LIT("if ") : STR_LIT("(if "));
    diag_fix_certain(m->diags, d, m->t->span, STR_LIT(" then"));
    diag_fix_certain(m->diags, d, mistake_token(m, second)->span, STR_LIT(" else"));
    diag_fix_certain(m->diags, d, mistake_token(m, close)->span, stands_alone ? STR_LIT("") : STR_LIT(")"));
    return true;
}

/* 1 + if c then a else b */
static bool if_operand(Mistake *m)
{
    if (m->t->kind != TOK_IF || !m->prev || !token_is_operator(m->prev->kind))
        return false;
    size_t last = mistake_part_end(m, m->p->at);
    Diag *d = diag_add(m->diags, E_IF_FORM, m->t->span, "an `if` beside an operator stands in parentheses");
    diag_help(m->diags, d, "write `(%.*s)`", STR_ARG(mistake_text(m, m->p->at, last)));
    diag_fix_certain(m->diags, d, mistake_before(m, m->p->at), STR_LIT("("));
    diag_fix_certain(m->diags, d, mistake_behind(m, last), STR_LIT(")"));
    return true;
}

bool rule_if_form(Mistake *m)
{
    Diag *d;
    if (if_operand(m))
        return true;
    if (m->t->kind == TOK_QUESTION) {
        bool is_type = m->i_prev != SIZE_MAX && mistake_prior_kind(m, m->i_prev) == TOK_COLON &&
                       mistake_bracket(m) && !mistake_expects(m, TOK_PLUS);
        if (is_type) {
            d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "every column may be null");
            diag_help(m->diags, d, "leave the `?` out");
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
            return true;
        }
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "there is no `? :`");
        diag_help(m->diags, d, "write `if c then a else b`");
        fix_ternary(m, d);
        return true;
    }
    if (mistake_word_at(m, m->p->at, "end") && mistake_expects(m, TOK_PLUS)) {
        size_t i = m->i_prev;
        while (i != SIZE_MAX && i > m->p->decl_start && mistake_kind_at(m, i) != TOK_ELSE)
            i--;
        if (i == SIZE_MAX || mistake_kind_at(m, i) != TOK_ELSE)
            return false;
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "an `if` has no `end`");
        diag_help(m->diags, d, "leave it out");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
        return true;
    }
    if (m->t->kind == TOK_COLON && m->prev && m->prev->kind == TOK_ELSE) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "no `:` follows `else`");
        diag_help(m->diags, d, "write `if c then a else b`");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT(""));
        return true;
    }
    return python_if(m) || call_if(m);
}

/* ---- lambdas ---- */

bool rule_lambda(Mistake *m)
{
    bool is_word = mistake_word_at(m, m->i_prev, "lambda") && m->t->kind == TOK_NAME;
    size_t next = token_after(m->p, m->p->at, true);
    bool is_arrow = m->t->kind == TOK_ARROW && m->prev && ends_value(m->prev->kind) &&
                    mistake_expects(m, TOK_PLUS) && !mistake_expects(m, TOK_ARROW) &&
                    token_class(mistake_kind_at(m, next)) != KEYWORD_STMT;
    const Bracket *b = mistake_bracket(m);
    if (mistake_word_at(m, m->p->at, "for") && b && (b->kind == TOK_LBRACK || b->kind == TOK_LPAREN)) {
        Diag *d = diag_add(m->diags, E_FOREIGN_FORM, m->t->span, "there are no loops in lists");
        diag_help(m->diags, d, "an expression is computed for every row; several rows are taken together by "
                               "`group by` and `aggregate`");
        return true;
    }
    if (!is_word && !is_arrow)
        return false;
    Span at = is_word ? m->prev->span : m->t->span;
    diags_drop(m->diags, at);
    Diag *d = diag_add(m->diags, E_FOREIGN_FORM, at, "there are no functions without a name");
    diag_help(m->diags, d, "an expression sees the columns of its row by name: `where hp > 3`; what is "
                           "needed twice is a `fn f(x: int) -> int = x * 2`");
    return true;
}

/* ---- x = ... as a statement ---- */

bool rule_assignment(Mistake *m)
{
    /* In an op the name does not fit, in a job what follows it. */
    static const char *const WORDS[] = {"var", "const", "val", "set", "auto", "local", "my", "dim", "define", NULL};
    bool is_first = m->t->kind == TOK_NAME &&
                    !(mistake_word_among(m, m->i_prev, WORDS) && mistake_is_first_word(m, m->i_prev));
    size_t name = is_first ? m->p->at : m->i_prev;
    if (name == SIZE_MAX || mistake_kind_at(m, name) != TOK_NAME || !mistake_is_first_word(m, name) ||
        !(token_is_first_of_line(m->p, name) || mistake_prior_kind(m, name) == TOK_LBRACE ||
          mistake_prior_kind(m, name) == TOK_PIPE || mistake_kind_at(m, name - 1) == TOK_NEWLINE))
        return false;
    size_t word = name, next = mistake_next(m, name);
    bool has_word = mistake_word_among(m, name, WORDS) && mistake_kind_at(m, next) == TOK_NAME;
    if (has_word) {
        name = next;
        next = mistake_next(m, name);
    }
    if (mistake_kind_at(m, next) == TOK_LBRACK) { /* df["x"] = ... */
        size_t close = mistake_closer(m, next), inner = mistake_next(m, next);
        size_t text = mistake_kind_at(m, inner) == TOK_SBEG ? inner + 1 : inner;
        bool is_column = close != SIZE_MAX && mistake_kind_at(m, mistake_next(m, close)) == TOK_ASSIGN &&
                         token_is_string(mistake_kind_at(m, inner)) && !in_job(m) && m->p->n_brackets > 0;
        if (!is_column)
            return false;
        Diag *d = diag_add(m->diags, E_NO_ASSIGNMENT, mistake_span(m, name, close), "a column is defined by `derive`");
        Str derived = arena_printf(m->diags->arena, "derive %.*s", STR_ARG(mistake_token(m, text)->text));
        diag_help(m->diags, d, "write `%.*s = ...`", STR_ARG(derived));
        diag_fix_certain(m->diags, d, mistake_span(m, name, close), derived);
        return true;
    }
    if (mistake_kind_at(m, next) != TOK_ASSIGN)
        return false;
    bool is_top = m->p->n_brackets == 0 && m->p->start == TOK_START_FILE;
    bool is_stage = mistake_prior_kind(m, word) == TOK_PIPE;
    const char *ours = is_top || (in_job(m) && !is_stage) ? "let" : "derive";
    const char *what = is_top                   ? "a constant is declared by"
                       : in_job(m) && !is_stage ? "a flow gets its name by"
                                                : "a column is defined by";
    Diag *d = diag_add(m->diags, E_NO_ASSIGNMENT, mistake_token(m, word)->span, "%s `%s`", what, ours);
    diag_help(m->diags, d, "write `%s %.*s = ...`", ours, STR_ARG(mistake_token(m, name)->text));
    if (has_word)
        diag_fix_certain(m->diags, d, mistake_token(m, word)->span, str_of(ours));
    else
        diag_fix_certain(m->diags, d, mistake_before(m, word), arena_printf(m->diags->arena, "%s ", ours));
    return true;
}

/* ---- methods ---- */

/* name.split(" ")[1], the separator at the token `by`: parts count from 0 here too. */
static void split_at(Mistake *m, Diag *d, Str text, size_t by, size_t first, size_t close)
{
    size_t by_end = mistake_part_end(m, by);
    size_t open = mistake_next(m, close), n = mistake_next(m, open), end = mistake_next(m, n);
    if (mistake_kind_at(m, open) != TOK_LBRACK || mistake_kind_at(m, n) != TOK_INT || mistake_kind_at(m, end) != TOK_RBRACK ||
        by_end != mistake_prior(m, close)) {
        diag_help(m->diags, d, "write `split_part(%.*s, %.*s, n)`: the part n, counted from 0", STR_ARG(text), STR_ARG(mistake_text(m, by, by_end)));
        return;
    }
    Str call = arena_printf(m->diags->arena, "split_part(%.*s, %.*s, %lld)", STR_ARG(text), STR_ARG(mistake_text(m, by, by_end)),
                            (long long)mistake_token(m, n)->value.i);
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(call));
    diag_fix_certain(m->diags, d, mistake_span(m, first, end), call);
}

bool rule_method(Mistake *m)
{
    if (m->t->kind != TOK_LPAREN || m->i_prev == SIZE_MAX || m->i_prev < 2 ||
        mistake_prior_kind(m, m->i_prev) != TOK_DOT)
        return false;
    size_t dot = mistake_prior(m, m->i_prev), last = mistake_prior(m, dot);
    Str method = m->prev->text;
    size_t next = mistake_next(m, m->p->at);
    if (mistake_is_first_word(m, last) && (in_job(m) || mistake_kind_at(m, last) == TOK_READ)) {
        Diag *d = diag_add(m->diags, E_METHOD_CALL, mistake_span(m, dot, m->i_prev),
                           "the stages of a flow are joined by `|`");
        diag_help(m->diags, d, "write `read csv \"...\" | where ... | select ...`");
        return true;
    }
    Diag *d = diag_add(m->diags, E_METHOD_CALL, mistake_span(m, dot, m->i_prev),
                       "`.%.*s()` is a call of a method; there are functions", STR_ARG(method));
    static const char *const ACCESSORS[] = {"str", "dt", NULL}; /* of pandas: name.str.upper() */
    if (mistake_word_among(m, last, ACCESSORS) && mistake_prior_kind(m, last) == TOK_DOT) {
        dot = mistake_prior(m, last);
        last = mistake_prior(m, dot);
    }
    size_t first = mistake_operand_begin(m, last), close = mistake_closer(m, m->p->at);
    bool is_known = false, is_same;
    const char *ours = builtin_habit(method, &is_same);
    if (!ours && token_class(m->prev->kind) == KEYWORD_STMT) {
        diag_help(m->diags, d, "stages are joined by `|`: `... | %.*s ...`", STR_ARG(method));
        return true;
    }
    if (mistake_word_at(m, m->i_prev, "split") && first != SIZE_MAX && close != SIZE_MAX && next != close) {
        split_at(m, d, mistake_text(m, first, last), next, first, close);
        return true;
    }
    for (uint32_t n = 1; n <= 4 && !is_known; n++)
        is_known = builtin_find(method, n) != NULL;
    if (!ours && !is_known) {
        static const char *const NULLS[] = {"isna", "isnull", "is_null", NULL};
        if (mistake_word_among(m, m->i_prev, NULLS) && first != SIZE_MAX && close != SIZE_MAX) {
            Str test = arena_printf(m->diags->arena, "%.*s is null", STR_ARG(mistake_text(m, first, last)));
            diag_help(m->diags, d, "write `%.*s`", STR_ARG(test));
            diag_fix_certain(m->diags, d, mistake_span(m, first, close), test);
            return true;
        }
    }
    if (first == SIZE_MAX || close == SIZE_MAX) {
        diag_help(m->diags, d, "write `%.*s(...)`", STR_ARG(method));
        return true;
    }
    Str fn = ours ? str_of(ours) : method;
    Str args = next == close ? (Str){"", 0} : mistake_text(m, next, mistake_prior(m, close));
    diag_help(m->diags, d, "write `%.*s(%.*s%s%.*s)`", STR_ARG(fn), STR_ARG(mistake_text(m, first, last)),
              args.len ? ", " : "", STR_ARG(args));
    if (ours || is_known) {
        diag_fix(m->diags, d, mistake_before(m, first), arena_printf(m->diags->arena, "%.*s(", STR_ARG(fn)));
        diag_fix(m->diags, d, mistake_span(m, dot, m->p->at), args.len ? STR_LIT(", ") : STR_LIT(""));
        d->is_certain = is_known || is_same;
    }
    return true;
}
