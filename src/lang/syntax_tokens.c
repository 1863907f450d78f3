/* syntax_tokens.c - finding one's way in the tokens around a mistake: where an operand, a part of a list, a
 * statement begins and ends. */
#include "lang/syntax_error.h"

#include "pipe_parse.h"

size_t mistake_prior(const Mistake *m, size_t i)
{
    return i == SIZE_MAX ? SIZE_MAX : token_before(m->p, i, true);
}

int mistake_prior_kind(const Mistake *m, size_t i)
{
    size_t k = mistake_prior(m, i);
    return k == SIZE_MAX ? TOK_END : mistake_kind_at(m, k);
}

bool token_is_name(int kind)
{
    return kind == TOK_NAME || kind == TOK_QNAME || token_class(kind) >= KEYWORD_DECL;
}

bool token_is_string(int kind)
{
    return kind == TOK_SBEG || kind == TOK_RAW;
}

bool token_ends_value(int kind)
{
    return kind == TOK_NAME || kind == TOK_QNAME || kind == TOK_RPAREN || kind == TOK_RBRACK ||
           kind == TOK_SEND || kind == TOK_RAW || kind == TOK_INT || kind == TOK_FLOAT ||
           token_class(kind) >= KEYWORD_DECL;
}

bool token_ends_operand(int kind)
{
    return token_ends_value(kind) || kind == TOK_NULL || kind == TOK_TRUE || kind == TOK_FALSE ||
           kind == TOK_DURATION || kind == TOK_SIZE;
}

bool token_is_arithmetic(int kind)
{
    return kind == TOK_PLUS || kind == TOK_MINUS || kind == TOK_STAR || kind == TOK_SLASH || kind == TOK_IDIV || kind == TOK_PERCENT ||
           kind == TOK_POW || kind == TOK_COALESCE || kind == TOK_DOT;
}

bool mistake_say_at(const char *file, int line, Mistake *m, DiagCode code, Span at, const char *what, const char *help,
                    Span fix, Str text)
{
    Diag *d = diag_add(m->diags, code, at, "%s", what);
    diag_help(m->diags, d, "%s", help);
    if (fix.hi)
        diag_fix_at(file, line, true, m->diags, d, fix, text);
    return true;
}

static bool opens(int kind)
{
    return token_is_opener(kind) || kind == TOK_SBEG;
}

static bool closes(int kind)
{
    return token_is_closer(kind) || kind == TOK_SEND;
}

size_t mistake_next(const Mistake *m, size_t i)
{
    return token_after(m->p, i, false);
}

const Token *mistake_token(const Mistake *m, size_t i)
{
    return &m->p->tokens.ptr[i < m->p->tokens.n ? i : m->p->tokens.n - 1];
}

bool mistake_word_at(const Mistake *m, size_t i, const char *lower)
{
    if (i >= m->p->tokens.n)
        return false;
    const Token *t = &m->p->tokens.ptr[i];
    if (t->kind != TOK_NAME && token_class(t->kind) == KEYWORD_NONE)
        return false;
    uint32_t k = 0;
    for (; k < t->text.len && lower[k]; k++) {
        if (ascii_lower(t->text.ptr[k]) != lower[k])
            return false;
    }
    return k == t->text.len && !lower[k];
}

bool mistake_word_among(const Mistake *m, size_t i, const char *const *words)
{
    for (; *words; words++)
        if (mistake_word_at(m, i, *words))
            return true;
    return false;
}

bool mistake_touch(const Mistake *m, size_t i, size_t k)
{
    return mistake_token(m, i)->span.hi == mistake_token(m, k)->span.lo;
}

Str mistake_text(const Mistake *m, size_t first, size_t last)
{
    uint32_t base = source_base(m->p->source);
    uint32_t lo = mistake_token(m, first)->span.lo, hi = mistake_token(m, last)->span.hi;
    return str_slice(source_text(m->p->source), lo - base, hi > lo ? hi - lo : 0);
}

Span mistake_span(const Mistake *m, size_t first, size_t last)
{
    return span_join(mistake_token(m, first)->span, mistake_token(m, last)->span);
}

Span mistake_before(const Mistake *m, size_t i)
{
    uint32_t at = mistake_token(m, i)->span.lo;
    return (Span){at, at};
}

Span mistake_behind(const Mistake *m, size_t i)
{
    uint32_t at = mistake_token(m, i)->span.hi;
    return (Span){at, at};
}

Span mistake_gap(const Mistake *m, size_t first, size_t last)
{
    return (Span){mistake_token(m, first)->span.lo, mistake_token(m, mistake_next(m, last))->span.lo};
}

size_t mistake_closer(const Mistake *m, size_t opener)
{
    uint32_t depth = 0;
    for (size_t i = opener; i < m->p->tokens.n; i++) {
        int kind = m->p->tokens.ptr[i].kind;
        if (opens(kind))
            depth++;
        else if (closes(kind) && --depth == 0)
            return i;
        else if (kind == TOK_BAD)
            break;
    }
    return SIZE_MAX;
}

/* The opener of what closes at i; SIZE_MAX: none. */
static size_t opener_of(const Mistake *m, size_t closer)
{
    uint32_t depth = 0;
    for (size_t i = closer; i != SIZE_MAX; i--) {
        int kind = m->p->tokens.ptr[i].kind;
        if (closes(kind))
            depth++;
        else if (opens(kind) && --depth == 0)
            return i;
    }
    return SIZE_MAX;
}

size_t mistake_operand_begin(const Mistake *m, size_t last)
{
    size_t i = last;
    for (;;) {
        int kind = mistake_kind_at(m, i);
        if (closes(kind)) {
            i = opener_of(m, i);
            if (i == SIZE_MAX)
                return SIZE_MAX;
            size_t before = token_before(m->p, i, true);
            bool is_call = before != SIZE_MAX && kind == TOK_RPAREN &&
                           mistake_kind_at(m, before) == TOK_NAME && mistake_touch(m, before, i);
            if (is_call)
                i = before;
        }
        size_t dot = token_before(m->p, i, true);
        if (dot == SIZE_MAX || dot == 0 || mistake_kind_at(m, dot) != TOK_DOT)
            return i;
        i = token_before(m->p, dot, true);
        if (i == SIZE_MAX)
            return SIZE_MAX;
    }
}

size_t mistake_operand_end(const Mistake *m, size_t first)
{
    size_t i = first;
    if (mistake_kind_at(m, i) == TOK_MINUS)
        i = mistake_next(m, i);
    int kind = mistake_kind_at(m, i);
    if (opens(kind))
        return mistake_closer(m, i);
    bool is_name = kind == TOK_NAME || token_class(kind) >= KEYWORD_DECL;
    size_t next = mistake_next(m, i);
    if (is_name && mistake_kind_at(m, next) == TOK_LPAREN)
        return mistake_closer(m, next);
    switch (kind) {
    case TOK_NAME:
    case TOK_QNAME:
    case TOK_INT:
    case TOK_FLOAT:
    case TOK_DURATION:
    case TOK_SIZE:
    case TOK_RAW:
    case TOK_TRUE:
    case TOK_FALSE:
    case TOK_NULL:
        return i;
    }
    return is_name ? i : SIZE_MAX;
}

/* Does the line end at i end a statement? */
static bool ends_statement(const Mistake *m, size_t i)
{
    const Token *t = mistake_token(m, i);
    if (t->kind == TOK_END || (t->text.len && t->text.ptr[0] == ';'))
        return true;
    size_t before = token_before(m->p, i, true), next = token_after(m->p, i, true);
    return !(before != SIZE_MAX && token_continues_after(mistake_kind_at(m, before))) &&
           !token_continues_before(mistake_kind_at(m, next));
}

size_t mistake_part_begin(const Mistake *m, size_t i)
{
    uint32_t depth = 0;
    for (size_t k = token_before(m->p, i, false); k != SIZE_MAX; k = token_before(m->p, k, false)) {
        int kind = mistake_kind_at(m, k);
        bool is_outside = depth == 0;
        if (closes(kind))
            depth++;
        else if (opens(kind) && depth > 0)
            depth--;
        else if (is_outside &&
                 (opens(kind) || kind == TOK_COMMA || kind == TOK_ASSIGN || kind == TOK_PIPE ||
                  (kind == TOK_NEWLINE && ends_statement(m, k)) ||
                  (token_class(kind) == KEYWORD_STMT && mistake_is_first_word(m, k)) ||
                  (kind == TOK_BY && k > 0)))
            return token_after(m->p, k, true);
    }
    return 0;
}

size_t mistake_part_end(const Mistake *m, size_t i)
{
    uint32_t depth = 0;
    size_t last = i;
    for (size_t k = i; k < m->p->tokens.n; k++) {
        int kind = mistake_kind_at(m, k);
        if (kind == TOKEN_COMMENT)
            continue;
        if (depth == 0 && k > i &&
            (kind == TOK_COMMA || kind == TOK_PIPE || closes(kind) || kind == TOK_END ||
             (kind == TOK_NEWLINE && ends_statement(m, k))))
            return last;
        if (kind == TOK_END)
            return last;
        if (opens(kind))
            depth++;
        else if (closes(kind))
            depth -= depth > 0;
        if (kind != TOK_NEWLINE)
            last = k;
    }
    return last;
}

size_t mistake_statement(const Mistake *m)
{
    uint32_t depth = 0;
    size_t begin = m->p->at;
    for (size_t k = token_before(m->p, m->p->at, false); k != SIZE_MAX;
         k = token_before(m->p, k, false)) {
        int kind = mistake_kind_at(m, k);
        if (depth == 0 && (kind == TOK_PIPE || kind == TOK_LBRACE ||
                           (kind == TOK_NEWLINE && ends_statement(m, k))))
            break;
        if (closes(kind))
            depth++;
        else if (opens(kind))
            depth -= depth > 0;
        if (kind != TOK_NEWLINE)
            begin = k;
    }
    return begin;
}

bool mistake_is_in_job(const Mistake *m)
{
    const Bracket *b = mistake_bracket(m);
    if (!b)
        return m->p->start == TOK_START_FLOWS;
    return b->kind == TOK_LBRACE && b->token >= 2 && mistake_kind_at(m, b->token - 2) == TOK_JOB;
}

bool mistake_plain_string(const Mistake *m, size_t i, Str *text, size_t *end)
{
    const Token *t = mistake_token(m, i);
    *end = i;
    if (t->kind == TOK_RAW) {
        *text = t->text;
        return true;
    }
    if (t->kind != TOK_SBEG || mistake_kind_at(m, i + 1) != TOK_STEXT ||
        mistake_kind_at(m, i + 2) != TOK_SEND)
        return false;
    *text = mistake_token(m, i + 1)->text;
    *end = i + 2;
    return true;
}

Str mistake_operand_text(const Mistake *m, size_t first, size_t last)
{
    Str text = mistake_text(m, first, last);
    return mistake_operand_end(m, first) == last ? text : arena_printf(m->diags->arena, "(%.*s)", STR_ARG(text));
}

static bool binds_tightly(int kind)
{
    return token_is_operator(kind) && kind != TOK_AND && kind != TOK_OR && kind != TOK_NOT;
}

Str mistake_test_text(const Mistake *m, size_t first, size_t last, Str test)
{
    int behind = mistake_kind_at(m, mistake_next(m, last));
    bool is_part = binds_tightly(mistake_prior_kind(m, first)) || binds_tightly(behind) || behind == TOK_ASSIGN; /* meant as `==` */
    return is_part ? arena_printf(m->diags->arena, "(%.*s)", STR_ARG(test)) : test;
}
