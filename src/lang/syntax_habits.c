/* syntax_habits.c - rules about what other languages write. */
#include "lang/syntax_error.h"

#include "lang/parse.h"
#include "pipe_parse.h"

static bool word_is_one_of(Str word, const char *const *words)
{
    for (; *words; words++)
        if (str_is(word, *words))
            return true;
    return false;
}

/* A trailing `-- text` or `// text` was read as two minus signs or a division. */
bool rule_comment(Mistake *m)
{
    size_t from = m->p->at;
    if (m->t->kind == TOK_MINUS && mistake_kind_at(m, from + 1) == TOK_MINUS)
        from++; /* the first of the two signs does not fit */
    for (size_t i = from; i != SIZE_MAX && i + 4 > m->p->at; i--) {
        const Token *t = &m->p->tokens.ptr[i];
        if (t->kind == TOK_NEWLINE && i != m->p->at)
            return false;
        bool is_dashes = t->kind == TOK_MINUS && i > 0 && t[-1].kind == TOK_MINUS &&
                         t[-1].span.hi == t->span.lo;
        if (!is_dashes && t->kind != TOK_IDIV)
            continue;
        Span span = is_dashes ? span_join(t[-1].span, t->span) : t->span;
        Diag *d = diag_add(m->diags, E_FOREIGN_COMMENT, span,
                           "`%s` does not start a comment", is_dashes ? "--" : "//");
        diag_help(m->diags, d,
                  "a comment starts with `#` and goes to the end of the line");
        diag_fix(m->diags, d, span, STR_LIT("#"));
        d->is_certain = is_dashes; /* `//` divides */
        size_t end = m->p->at; /* whatever the comment says */
        while (!token_is_end(mistake_kind_at(m, end)))
            end++;
        m->p->restart.token = end;
        return true;
    }
    return false;
}

/* A string by itself, as Python comments. */
static bool rule_docstring(Mistake *m)
{
    if ((m->t->kind != TOK_SBEG && m->t->kind != TOK_RAW) ||
        !(mistake_expects_statement(m) || mistake_expects_declaration(m)))
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_COMMENT, m->t->span, "a string by itself is no comment");
    diag_help(m->diags, d, "a comment starts with `#` and goes to the end of the line");
    size_t end = m->p->at;
    while (!token_is_end(mistake_kind_at(m, end)))
        end++;
    m->p->restart.token = end;
    return true;
}

bool rule_foreign_value(Mistake *m)
{
    if (rule_docstring(m))
        return true;
    static const char *const NULLS[] = {"NULL", "Null",      "None", "nil",
                                        "none", "undefined", NULL};
    if (m->t->kind != TOK_NAME || !mistake_expects(m, TOK_NULL) ||
        mistake_expects_expression(m) || !word_is_one_of(m->t->text, NULLS))
        return false;
    Diag *d = diag_add(m->diags, E_FOREIGN_VALUE, m->t->span,
                       "`%.*s` is written `null` here", STR_ARG(m->t->text));
    diag_help(m->diags, d, "write `null`");
    diag_fix_certain(m->diags, d, m->t->span, STR_LIT("null"));
    return true;
}

/* mutate(x = hp * 2), summarise(n = count()): the call is a statement here. */
static bool call_of_statement(Mistake *m, const Bracket *b)
{
    size_t word = b->token - 1, close = mistake_closer(m, b->token);
    const char *ours = mistake_is_first_word(m, word) ? parse_foreign_statement(mistake_token(m, word)->text) : NULL;
    if (!ours || close == SIZE_MAX)
        return false;
    bool is_lines = str_is(str_of(ours), "aggregate");
    if (!is_lines && !str_is(str_of(ours), "derive") && !str_is(str_of(ours), "select"))
        return false;
    Str args = mistake_text(m, b->token + 1, mistake_prior(m, close));
    Str text = arena_printf(m->diags->arena, is_lines ? "%s { %.*s }" : "%s %.*s", ours, STR_ARG(args));
    Diag *d = diag_add(m->diags, E_UNKNOWN_STATEMENT, mistake_token(m, word)->span, "`%.*s` is not a %s",
                       STR_ARG(mistake_token(m, word)->text), mistake_prior_kind(m, word) == TOK_PIPE ? "stage" : "statement");
    diag_help(m->diags, d, "write `%.*s`", STR_ARG(text));
    diag_fix_certain(m->diags, d, mistake_span(m, word, close), text);
    return true;
}

bool rule_assign(Mistake *m)
{
    if (m->t->kind == TOK_ASSIGN &&
        (mistake_expects(m, TOK_EQ) || mistake_expects(m, TOK_AND))) {
        const Bracket *b = mistake_bracket(m);
        bool is_arg =
            m->prev->kind == TOK_NAME && b && b->kind == TOK_LPAREN && b->token > 0 &&
            (mistake_kind_at(m, b->token - 1) == TOK_NAME || mistake_kind_at(m, b->token - 1) == TOK_WITH) &&
            (b->token + 1 == m->i_prev ||
             mistake_kind_at(m, token_before(m->p, m->i_prev, true)) == TOK_COMMA);
        if (is_arg && call_of_statement(m, b))
            return true;
        Diag *d = diag_add(m->diags, E_ASSIGN_IN_EXPRESSION, m->t->span,
                           "`=` defines; it does not compare");
        size_t callee = is_arg ? b->token - 1 : 0;
        bool is_option = is_arg && (mistake_kind_at(m, callee) == TOK_WITH ||
                                    (callee > 0 && mistake_kind_at(m, callee - 1) == TOK_AT));
        if (is_arg) {
            diag_help(m->diags, d,
                      is_option ? "an argument with a name is written `%.*s: ...`"
                                : "a named argument is written `%.*s: ...`, a comparison `==`",
                      STR_ARG(m->prev->text));
            if (is_option)
                diag_fix_certain(m->diags, d, (Span){m->prev->span.hi, m->t->span.hi},
                                 mistake_touch(m, m->p->at, m->p->at + 1) ? STR_LIT(": ") : STR_LIT(":"));
        } else {
            diag_help(m->diags, d, "write `==` to compare");
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT("=="));
        }
        return true;
    }
    if (m->t->kind == TOK_EQ && mistake_expects(m, TOK_ASSIGN)) {
        Diag *d = diag_add(m->diags, E_EQUALS_IN_DEFINITION, m->t->span,
                           "`==` compares; it does not define");
        diag_help(m->diags, d, "write `=` to define");
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT("="));
        return true;
    }
    return false;
}

static bool is_comparison(int kind)
{
    return kind == TOK_EQ || kind == TOK_NE || kind == TOK_LT || kind == TOK_LE ||
           kind == TOK_GT || kind == TOK_GE || kind == TOK_IN || kind == TOK_IS ||
           kind == TOK_BETWEEN;
}

bool rule_chain(Mistake *m)
{
    /* After a whole comparison `and` may follow, but no other comparison. */
    if (!is_comparison(m->t->kind) || !mistake_expects(m, TOK_AND) ||
        mistake_expects(m, TOK_EQ))
        return false;
    Diag *d = diag_add(m->diags, E_CHAINED_COMPARISON, m->t->span,
                       "comparisons do not chain");
    size_t i = m->i_prev;
    while (i != SIZE_MAX && !is_comparison(mistake_kind_at(m, i)) &&
           mistake_kind_at(m, i) != TOK_NEWLINE)
        i--;
    if (i != SIZE_MAX && is_comparison(mistake_kind_at(m, i)))
        diag_label(m->diags, d, m->p->tokens.ptr[i].span, "this is one already");
    diag_help(m->diags, d, "write `a < b and b < c`, or `b between a and c`");
    return true;
}

bool mistake_lacks_then(const Mistake *m)
{
    if (!mistake_expects(m, TOK_THEN))
        return false;
    size_t i = m->p->at;
    while (!token_is_end(mistake_kind_at(m, i)) && mistake_kind_at(m, i) != TOK_ELSE && mistake_kind_at(m, i) != TOK_THEN &&
           mistake_kind_at(m, i) != TOK_PIPE)
        i++;
    return mistake_kind_at(m, i) == TOK_ELSE;
}

/* if (hp > 3) "a" else "b" */
static bool then_missing(Mistake *m)
{
    bool is_value = token_is_string(m->t->kind) || m->t->kind == TOK_INT || m->t->kind == TOK_FLOAT ||
                    m->t->kind == TOK_TRUE || m->t->kind == TOK_FALSE || m->t->kind == TOK_NULL ||
                    (m->t->kind == TOK_NAME && mistake_kind_at(m, mistake_next(m, m->p->at)) == TOK_ELSE);
    if (!is_value || !m->prev || m->prev->kind == TOK_NAME || !mistake_lacks_then(m))
        return false;
    Diag *d = diag_add(m->diags, E_IF_FORM, mistake_before(m, m->p->at), "`then` is expected after the condition");
    diag_help(m->diags, d, "write `if c then a else b`");
    diag_fix_certain(m->diags, d, mistake_before(m, m->p->at), STR_LIT("then "));
    return true;
}

bool rule_if(Mistake *m)
{
    if (then_missing(m))
        return true;
    static const char *const ELIFS[] = {"elif", "elsif", "elseif", "elsif", NULL};
    const char *help = "write `if c then a else b`";
    Diag *d;
    if (m->t->kind == TOK_NAME && word_is_one_of(m->t->text, ELIFS)) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span, "`%.*s` is written `else if`",
                     STR_ARG(m->t->text));
        help = "write `else if`";
        diag_fix_certain(m->diags, d, m->t->span, STR_LIT("else if"));
    } else if (mistake_expects(m, TOK_ELSE) &&
               (token_is_end(m->t->kind) || m->t->kind == TOK_COMMA ||
                m->t->kind == TOK_PIPE || token_is_closer(m->t->kind))) {
        size_t i = m->i_prev;
        while (i != SIZE_MAX && mistake_kind_at(m, i) != TOK_IF)
            i--;
        Span span = i != SIZE_MAX ? m->p->tokens.ptr[i].span : m->t->span;
        d = diag_add(m->diags, E_IF_FORM, span, "this `if` has no `else`");
        help = "an `if` is a value: add what it is otherwise, `else null` for nothing";
    } else if (mistake_expects(m, TOK_THEN) &&
               (m->t->kind == TOK_COLON || m->t->kind == TOK_LBRACE ||
                m->t->kind == TOK_COMMA)) {
        d = diag_add(m->diags, E_IF_FORM, m->t->span,
                     "`then` is expected after the condition");
        if (m->t->kind == TOK_COLON)
            diag_fix_certain(m->diags, d, m->t->span, STR_LIT(" then"));
    } else {
        return false;
    }
    diag_help(m->diags, d, "%s", help);
    return true;
}
