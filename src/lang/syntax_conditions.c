/* syntax_conditions.c - rules about conditions as SQL writes them: LIKE, IN, BETWEEN, NULL. */
#include "lang/syntax_error.h"

#include <string.h>

#include "pipe_parse.h"

/* ---- LIKE ---- */

/* The same, also with the doubled quotes of SQL in it: 'it''s' is two raw strings that touch. */
static bool sql_string(const Mistake *m, size_t i, Str *text, size_t *end)
{
    if (!mistake_plain_string(m, i, text, end))
        return false;
    while (mistake_kind_at(m, *end) == TOK_RAW && mistake_kind_at(m, *end + 1) == TOK_RAW && mistake_touch(m, *end, *end + 1)) {
        *end += 1;
        *text = arena_printf(m->diags->arena, "%.*s'%.*s", STR_ARG(*text), STR_ARG(mistake_token(m, *end)->text));
    }
    return true;
}

/* A string that holds the text: in single quotes if it can. */
static void put_text(Buf *out, Str text)
{
    bool is_raw = !memchr(text.ptr, '\'', text.len);
    buf_putc(out, is_raw ? '\'' : '"');
    for (uint32_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!is_raw && c == '\n')
            buf_puts(out, "\\n");
        else if (!is_raw && c == '{')
            buf_puts(out, "{{");
        else
            buf_printf(out, "%s%c", !is_raw && (c == '"' || c == '\\') ? "\\" : "", c);
    }
    buf_putc(out, is_raw ? '\'' : '"');
}

/* An operand, or a text to compare it with. In any case: both in small letters, a text of ASCII at once. */
static void put_folded(Buf *out, bool any_case, bool is_text, Str s)
{
    bool is_ascii = true;
    Buf small = {0};
    for (uint32_t i = 0; i < s.len; i++) {
        is_ascii = is_ascii && (unsigned char)s.ptr[i] < 128;
        buf_putc(&small, ascii_lower(s.ptr[i]));
    }
    bool is_call = any_case && !(is_text && is_ascii);
    buf_puts(out, is_call ? "lower(" : "");
    if (is_text)
        put_text(out, any_case && is_ascii ? buf_str(&small) : s);
    else
        buf_put_str(out, s);
    buf_puts(out, is_call ? ")" : "");
    buf_deinit(&small);
}

/* What is true where LIKE is: the text's functions, or a regular expression that is true for the same texts. */
static void put_like(Buf *out, Str operand, Str pattern, bool any_case)
{
    Str core = pattern;
    while (core.len && core.ptr[0] == '%')
        core = str_slice(core, 1, core.len - 1);
    bool head = core.len < pattern.len, tail = !core.len;
    while (core.len && core.ptr[core.len - 1] == '%') {
        core = str_slice(core, 0, core.len - 1);
        tail = true;
    }
    bool is_plain = !memchr(core.ptr, '%', core.len) && !memchr(core.ptr, '_', core.len) && (core.len || !head);
    if (is_plain && !head && !(tail && core.len)) {
        put_folded(out, any_case, false, operand);
        buf_puts(out, " == ");
        put_folded(out, any_case, true, core);
        return;
    }
    if (is_plain) {
        buf_puts(out, head && tail ? "contains(" : head ? "ends_with(" : "starts_with(");
        put_folded(out, any_case, false, operand);
        buf_puts(out, ", ");
        put_folded(out, any_case, true, core);
        buf_putc(out, ')');
        return;
    }
    Buf regex = {0};
    buf_puts(&regex, core.len ? "(?s)" : ""); /* `_` and `%` stand for line ends too */
    buf_puts(&regex, head ? "" : "^");
    for (uint32_t i = 0; i < core.len; i++) {
        char c = core.ptr[i];
        if (c == '%')
            buf_puts(&regex, ".*");
        else
            buf_printf(&regex, "%s%c", strchr(".+*?()[]{}|^$#", c) ? "\\" : "", c == '_' ? '.' : c);
    }
    buf_puts(&regex, tail ? "" : "\\z");
    buf_puts(out, "matches(");
    put_folded(out, any_case, false, operand);
    buf_puts(out, ", ");
    put_folded(out, any_case, true, buf_str(&regex));
    buf_putc(out, ')');
    buf_deinit(&regex);
}

bool rule_like(Mistake *m)
{
    static const char *const LIKES[] = {"like", "ilike", NULL};
    static const char *const REGEXPS[] = {"rlike", "regexp", "similar", "glob", "match", NULL};
    bool is_like = mistake_word_among(m, m->p->at, LIKES);
    if (m->t->kind != TOK_NAME || m->i_prev == SIZE_MAX ||
        (!is_like && !mistake_word_among(m, m->p->at, REGEXPS)))
        return false;
    bool is_not = m->prev->kind == TOK_NOT;
    size_t last = is_not ? token_before(m->p, m->i_prev, true) : m->i_prev;
    if (last == SIZE_MAX || !token_ends_operand(mistake_kind_at(m, last)))
        return false;
    size_t first = mistake_operand_begin(m, last), end;
    Str pattern;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "there is no `%.*s`: functions look into strings",
                       STR_ARG(m->t->text));
    if (!is_like || first == SIZE_MAX || !sql_string(m, mistake_next(m, m->p->at), &pattern, &end)) {
        diag_help(m->diags, d, "write `starts_with(x, \"a\")`, `ends_with`, `contains`, or "
                               "`matches(x, 'pattern')` for a regular expression");
        return true;
    }
    bool has_escapes = memchr(pattern.ptr, '\\', pattern.len) || mistake_word_at(m, mistake_next(m, end), "escape");
    bool is_part = token_is_arithmetic(mistake_prior_kind(m, first)); /* of the operand: `a + b like 'x'` */
    if (has_escapes || is_part) {
        diag_help(m->diags, d, has_escapes ? "write `starts_with(x, 'a')`, `ends_with`, `contains`, of which `%%`, `_` and `\\` are letters, or "
                                             "`matches(x, 'pattern')` for a regular expression"
                                           : "write `starts_with(x, 'a')`, `ends_with` or `contains`, with all of what is looked into in place of x");
        return true;
    }
    Buf call = {0};
    buf_puts(&call, is_not ? "not " : "");
    put_like(&call, mistake_text(m, first, last), pattern, mistake_word_at(m, m->p->at, "ilike"));
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(buf_str(&call)));
    diag_fix_certain(m->diags, d, mistake_span(m, first, end), buf_str(&call));
    buf_deinit(&call);
    return true;
}

/* ---- IN (..), BETWEEN a, b ---- */

/* in 1, 2: the comma ends the condition, or the value behind it was read as the next definition. */
static bool in_list_bare(Mistake *m)
{
    size_t comma = m->t->kind == TOK_COMMA ? m->p->at : m->i_prev;
    if (!m->prev || mistake_kind_at(m, comma) != TOK_COMMA || mistake_prior(m, comma) == SIZE_MAX)
        return false;
    size_t last = mistake_prior(m, comma), first = mistake_operand_begin(m, last), second = mistake_next(m, comma);
    int kind = mistake_kind_at(m, second);
    bool is_value = token_is_string(kind) || kind == TOK_INT || kind == TOK_FLOAT;
    if (!is_value || first == SIZE_MAX || mistake_prior_kind(m, first) != TOK_IN || mistake_kind_at(m, first) == TOK_LBRACK)
        return false;
    size_t end = mistake_operand_end(m, second);
    while (end != SIZE_MAX && mistake_kind_at(m, mistake_next(m, end)) == TOK_COMMA)
        end = mistake_operand_end(m, mistake_next(m, mistake_next(m, end)));
    Diag *d = diag_add(m->diags, E_LIST_BRACKETS, mistake_token(m, first)->span, "a list stands in square brackets");
    diag_help(m->diags, d, "write `in [a, b]`");
    if (end != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_before(m, first), STR_LIT("["));
        diag_fix_certain(m->diags, d, mistake_behind(m, end), STR_LIT("]"));
    }
    return true;
}

bool rule_in_list(Mistake *m)
{
    if (in_list_bare(m))
        return true;
    const Bracket *b = mistake_bracket(m);
    size_t in;
    if (m->t->kind == TOK_COMMA && b && b->kind == TOK_LPAREN) { /* in (1, 2) */
        in = token_before(m->p, b->token, true);
        if (in == SIZE_MAX || mistake_kind_at(m, in) != TOK_IN)
            return false;
        in = b->token;
    } else if (m->t->kind == TOK_LBRACE && m->prev && m->prev->kind == TOK_IN) { /* in {1, 2} */
        in = m->p->at;
    } else {
        return false;
    }
    Diag *d = diag_add(m->diags, E_LIST_BRACKETS, mistake_token(m, in)->span,
                       "a list stands in square brackets");
    size_t close = mistake_closer(m, in);
    diag_help(m->diags, d, "write `in [a, b]`");
    if (close != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_token(m, in)->span, STR_LIT("["));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT("]"));
    }
    return true;
}

bool rule_between(Mistake *m)
{
    size_t i = m->i_prev;
    const Bracket *b = mistake_bracket(m);
    bool is_range = m->t->kind == TOK_DOTDOT, in_parens = false;
    bool is_bracketed = is_range && b && (b->kind == TOK_LPAREN || b->kind == TOK_LBRACK) &&
                        (mistake_prior_kind(m, b->token) == TOK_IN || mistake_prior_kind(m, b->token) == TOK_BETWEEN) &&
                        mistake_part_end(m, b->token + 1) + 1 == mistake_closer(m, b->token); /* and nothing else */
    if (i == SIZE_MAX || !(m->t->kind == TOK_COMMA || is_range || mistake_word_at(m, m->p->at, "to")))
        return false;
    if (b && b->kind == TOK_LPAREN && b->token > 0 && m->t->kind == TOK_COMMA) {
        in_parens = mistake_kind_at(m, token_before(m->p, b->token, true)) == TOK_BETWEEN;
        if (!in_parens && !mistake_expects(m, TOK_AND))
            return false;
    }
    size_t first = mistake_operand_begin(m, i);
    size_t word = first == SIZE_MAX ? SIZE_MAX : token_before(m->p, first, true);
    in_parens = in_parens || is_bracketed; /* in [1..3] */
    if (in_parens)
        word = token_before(m->p, b->token, true);
    if (word == SIZE_MAX ||
        (mistake_kind_at(m, word) != TOK_BETWEEN && !(is_range && mistake_kind_at(m, word) == TOK_IN)))
        return false;
    Diag *d = diag_add(m->diags, E_SQL, m->t->span, "between what and what is joined by `and`");
    diag_help(m->diags, d, "write `between a and b`; both ends belong to it");
    bool touches = m->t->kind == TOK_COMMA || mistake_touch(m, i, m->p->at);
    bool touches_next = mistake_touch(m, m->p->at, mistake_next(m, m->p->at));
    diag_fix_certain(m->diags, d, m->t->span,
                     arena_printf(m->diags->arena, "%sand%s", touches ? " " : "", touches_next ? " " : ""));
    if (mistake_kind_at(m, word) == TOK_IN)
        diag_fix_certain(m->diags, d, mistake_token(m, word)->span, STR_LIT("between"));
    size_t close = in_parens ? mistake_closer(m, b->token) : SIZE_MAX;
    if (close != SIZE_MAX) {
        diag_fix_certain(m->diags, d, mistake_token(m, b->token)->span, STR_LIT(""));
        diag_fix_certain(m->diags, d, mistake_token(m, close)->span, STR_LIT(""));
    }
    return true;
}

/* ---- x NOT NULL, x ISNULL ---- */

bool rule_null(Mistake *m)
{
    static const char *const EMPTY[] = {"empty", "missing", "na", "nan", "blank", NULL};
    Diag *d;
    if (m->t->kind == TOK_NULL && m->prev && m->prev->kind == TOK_NOT && mistake_expects(m, TOK_IN)) {
        d = diag_add(m->diags, E_SQL, mistake_span(m, m->i_prev, m->p->at), "`is` is missing here");
        diag_help(m->diags, d, "write `is not null`");
        diag_fix_certain(m->diags, d, mistake_before(m, m->i_prev), STR_LIT("is "));
        return true;
    }
    bool is_value = token_is_string(m->t->kind) || m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT ||
                    m->t->kind == TOK_TRUE || m->t->kind == TOK_FALSE;
    size_t is = m->prev && m->prev->kind == TOK_NOT ? mistake_prior(m, m->i_prev) : m->i_prev;
    if (is_value && is != SIZE_MAX && mistake_kind_at(m, is) == TOK_IS) { /* name is "x" */
        const char *ours = is == m->i_prev ? "==" : "!=";
        d = diag_add(m->diags, E_FOREIGN_OPERATOR, mistake_span(m, is, m->i_prev), "only `null` follows `is`");
        diag_help(m->diags, d, "write `%s`", ours);
        diag_fix_certain(m->diags, d, mistake_span(m, is, m->i_prev), str_of(ours));
        return true;
    }
    size_t word = m->p->at + 2, open = word + 1;
    bool is_call = m->t->kind == TOK_IS && mistake_kind_at(m, m->p->at + 1) == TOK_DOT && mistake_kind_at(m, open) == TOK_LPAREN &&
                   (mistake_word_at(m, word, "na") || mistake_word_at(m, word, "null"));
    size_t close = is_call ? mistake_closer(m, open) : SIZE_MAX;
    if (close != SIZE_MAX && mistake_expects_expression(m)) { /* is.na(x) of R */
        Str test = arena_printf(m->diags->arena, "%.*s is null", STR_ARG(mistake_operand_text(m, open + 1, close - 1)));
        test = mistake_test_text(m, m->p->at, close, test);
        d = diag_add(m->diags, E_FOREIGN_FORM, mistake_span(m, m->p->at, word), "there is no function `%.*s`",
                     STR_ARG(mistake_text(m, m->p->at, word)));
        diag_help(m->diags, d, "write `%.*s`", STR_ARG(test));
        diag_fix_certain(m->diags, d, mistake_span(m, m->p->at, close), test);
        return true;
    }
    bool is_post = mistake_word_at(m, m->p->at, "isnull") || mistake_word_at(m, m->p->at, "notnull");
    if (is_post && mistake_expects(m, TOK_IS)) {
        const char *ours = mistake_word_at(m, m->p->at, "isnull") ? "is null" : "is not null";
        d = diag_add(m->diags, E_SQL, m->t->span, "`%.*s` is written `%s`", STR_ARG(m->t->text), ours);
        diag_help(m->diags, d, "write `%s`", ours);
        diag_fix_certain(m->diags, d, m->t->span, str_of(ours));
        return true;
    }
    if (m->prev && (m->prev->kind == TOK_IS || m->prev->kind == TOK_NOT) &&
        mistake_expects(m, TOK_NULL) && !mistake_expects_expression(m) &&
        mistake_word_among(m, m->p->at, EMPTY)) {
        d = diag_add(m->diags, E_SYNTAX, m->t->span, "only `null` follows `is`, found `%.*s`",
                     STR_ARG(m->t->text));
        diag_help(m->diags, d, "write `is null` for a missing value, `== \"\"` for an empty string");
        return true;
    }
    return false;
}
